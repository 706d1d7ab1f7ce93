"""One normal form of notebooks: without outputs, with cell ids that stay."""

import json
from pathlib import Path
from typing import Any

import pytest

from meshforensics.report.normal_form import main, normal_form


def notebook(**cell: Any) -> str:
    made = {"cell_type": "code", "id": "0a1b2c3d", "metadata": {}, "source": "b\n", "outputs": [{"x": 1}],
            "execution_count": 7, **cell}  # fmt: skip
    return json.dumps({"cells": [made], "metadata": {"x": 1}, "nbformat": 4, "nbformat_minor": 4})


def cell_of(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(normal_form(text))["cells"][0]
    return made


def test_outputs_counts_and_foreign_metadata_go() -> None:
    assert cell_of(notebook(metadata={"tags": ["b", "a"], "scrolled": True})) == {
        "cell_type": "code",
        "execution_count": None,
        "id": "cell-01",
        "metadata": {"tags": ["a", "b"]},
        "outputs": [],
        "source": ["b"],
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [("setup", "setup"), ("0a1b2c3d", "cell-01"), ("0a1b2c3d-1111-2222-3333-444455556666", "cell-01"), ("", "cell-01")],
)
def test_a_word_stays_a_cells_id_and_a_random_one_does_not(given: str, kept: str) -> None:
    assert cell_of(notebook(id=given))["id"] == kept


def test_twice_changes_nothing_more() -> None:
    once = normal_form(notebook())

    assert normal_form(once) == once


def test_as_a_hook_it_exits_1_when_it_changed_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x.ipynb"
    file.write_text(notebook())

    assert (main([str(file)]), main([str(file)])) == (1, 0)
