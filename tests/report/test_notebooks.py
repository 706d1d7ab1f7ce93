"""Notebooks are thin, without outputs, and in one normal form."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_calls_the_library_once_and_shows_one_thing(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]

    for cell in cells:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        banned = (ast.FunctionDef, ast.For, ast.While, ast.If, ast.ClassDef, ast.Lambda)
        assert len(lines) <= 8, cell.source
        assert [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, banned)] == []
        assert not cell.outputs
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_annotated_cell_of_parameters(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])]
    body = ast.parse(cells[0].source).body

    assert len(cells) == 1
    assert {
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    } == {
        "bundle",
        "at",
        "incident",
        "profile",
    }


def test_notebooks_are_in_normal_form() -> None:
    command = [sys.executable, "-m", "meshforensics.report.normal_form", *map(str, NOTEBOOKS)]

    subprocess.run(command, cwd=ROOT, check=True)
