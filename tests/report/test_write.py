"""A report is written whole, the same every time, and says when a part of it failed."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from meshforensics.investigation import open_evidence
from meshforensics.model import UnknownNameError
from meshforensics.report import Written, write_report
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("untraced")

FILES = ("report.html", "report.md", "report.ipynb", "triage.json")


def test_the_same_input_gives_the_same_report(captures: Path, report: Written, tmp_path: Path) -> None:
    path = str(captures / "ca-rotation")

    again = write_report(open_evidence(path), path, tmp_path / "again")

    for name in FILES:
        assert (again.html.parent / name).read_bytes() == (report.html.parent / name).read_bytes(), name
    assert not again.partial


def test_the_report_names_cause_impact_and_evidence(report: Written) -> None:
    text = (report.html.parent / "report.md").read_text()

    for fact in ("ledger-v3-v9qpt6btc-m5zxx", "754d7df240c6bdeaf2d726f4a19e3f88da6f26bb", "108 of 148"):
        assert fact in text
    assert "menu-v3 is faulty" not in text


def test_a_section_that_fails_leaves_a_partial_report(captures: Path, tmp_path: Path) -> None:
    path = str(captures / "healthy")
    broken = nbformat.read(ROOT / "notebooks" / "incident_report.ipynb", as_version=4)
    cell = next(cell for cell in broken.cells if "sections.verdict" in cell.source)
    cell.source = "raise ValueError('no <b>verdict</b> today')"
    nbformat.write(broken, tmp_path / "broken.ipynb")

    written = write_report(open_evidence(path), path, tmp_path / "out", incident=str(tmp_path / "broken.ipynb"))

    page = written.html.read_text()
    assert written.partial
    assert [reason for reason in written.reasons if "ValueError" in reason] == list(written.reasons)
    assert "no &lt;b&gt;verdict&lt;/b&gt; today" in page
    assert "<b>verdict</b>" not in page
    assert 'id="coverage"' in page or "coverage" in page


def test_an_unknown_parameter_is_refused(captures: Path, tmp_path: Path) -> None:
    path = str(captures / "healthy")

    with pytest.raises(UnknownNameError, match="nosuch"):
        write_report(open_evidence(path), path, tmp_path / "out", parameters={"nosuch": "1"})


def test_an_unknown_incident_is_refused(captures: Path, tmp_path: Path) -> None:
    path = str(captures / "healthy")

    with pytest.raises(UnknownNameError, match="nosuch"):
        write_report(open_evidence(path), path, tmp_path / "out", incident="nosuch")


def test_plain_papermill_runs_the_notebook(captures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", "notebooks/incident_report.ipynb", str(out), "-p", "bundle"]

    subprocess.run([*command, str(captures / "healthy")], cwd=ROOT, check=True, capture_output=True)

    said = json.dumps(nbformat.read(out, as_version=4))
    assert "No incident" in said
    assert '"output_type": "error"' not in said
