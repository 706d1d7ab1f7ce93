"""Write a report: the page, its Markdown, the executed notebook, the triage document, the figures."""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from meshforensics.incidents import declared_incidents
from meshforensics.model import UsageError
from meshforensics.report import _notebook
from meshforensics.report._case import VERDICT, Case, decided, focus
from meshforensics.report._html import render
from meshforensics.report._style import drawing_style
from meshforensics.report._words import said_at
from meshforensics.report.figures import standalone
from meshforensics.report.sections._header import headline
from meshforensics.report.triage_json import triage_document

GENERAL = "incident_report"
"""The notebook for incidents that have none of their own."""

_FIGURE = re.compile(r'<svg [^>]*data-figure="([a-z0-9-]+)-wide".*?</svg>', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written; `partial` when a section failed, and `reasons` then says which and why."""

    html: Path
    partial: bool
    reasons: tuple[str, ...]


def write_report(
    case: Case,
    bundle: str | Sequence[str],
    into: Path,
    *,
    incident: str = "auto",
    profile: str = "default",
    parameters: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Run the notebook for `case` and write ``report.html``, ``.md``, ``.ipynb``, ``triage.json``, ``figures/``.

    Args:
        case: the evidence as of its instant; the notebook is given the same.
        bundle: what the notebook is to open, as the user wrote it.
        into: the folder; made where it is not there.
        incident: ``auto``, an incident's id, the name of a shipped notebook, or the path of one.
        profile: the name or path of the profile, for the notebook.
        parameters: more parameters of the notebook, by name.
        progress: told of each cell that is done.

    Raises:
        UnknownNameError: no such incident or notebook, or the notebook has no such parameter.
        UsageError: the folder cannot be written.
    """
    path, about = choose(case, incident)
    given = {
        "bundle": bundle if isinstance(bundle, str) else list(bundle),
        "at": said_at(case.at) if case.at != case.bundle.at else "",
        "incident": about,
        "profile": profile,
        **(parameters or {}),
    }
    executed = _notebook.run_notebook(path, given, progress)
    title = headline(case, about)
    try:
        into.mkdir(parents=True, exist_ok=True)
        _write_text(into / "report.ipynb", nbformat.writes(executed.notebook) + "\n")
        _write_text(into / "report.html", render(executed.notebook, title=title, partial=executed.failures))
        _write_text(into / "report.md", markdown(executed.notebook, title, executed.failures))
        document = json.dumps(triage_document(case), indent=2, ensure_ascii=False)
        _write_text(into / "triage.json", document + "\n")
        _write_figures(executed.notebook, into / "figures")
    except OSError as error:
        raise UsageError(f"{into} cannot be written: {error.strerror}; give another folder with -o") from error
    return Written(html=into / "report.html", partial=bool(executed.failures), reasons=executed.failures)


def choose(case: Case, incident: str) -> tuple[Path, str]:
    """The notebook for what was asked, and the incident that it is to explain.

    Raises:
        UnknownNameError: what was asked is no incident, no notebook and no path of one.
    """
    declared = declared_incidents()
    if incident in VERDICT:
        best = case.hypotheses[0]
        own = declared[best.incident].notebook if decided(best) and best.incident in declared else ""
        return _notebook.find_notebook(own or GENERAL), "auto"
    if incident in declared:
        focus(case, incident)
        return _notebook.find_notebook(declared[incident].notebook or GENERAL), incident
    return _notebook.find_notebook(incident), "auto"


def markdown(notebook: Any, title: str, partial: Sequence[str] = ()) -> str:
    """The executed notebook as Markdown: what its cells showed, without code."""
    parts = [text for cell in notebook.cells for text in _cell_markdown(cell)]
    if not any(part.startswith("# ") for part in parts):
        parts.insert(0, f"# {title}")
    if partial:
        parts.insert(0, "**This report is partial.**\n\n" + "\n".join(f"- `{reason}`" for reason in partial))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _cell_markdown(cell: Any) -> list[str]:
    if "notebook-only" in cell.metadata.get("tags", ()):
        return []
    if cell.cell_type == "markdown":
        return [cell.source]
    return [_output_markdown(output) for output in cell.get("outputs", ())]


def _output_markdown(output: Any) -> str:
    if output.output_type == "error":
        return f"## A section failed: {output.ename}\n\n`{' '.join(output.evalue.split())}`"
    data = output.get("data", {})
    if "text/markdown" in data:
        return "".join(data["text/markdown"])
    return f"```\n{''.join(data['text/plain'])}\n```" if "text/plain" in data else ""


def _write_figures(notebook: Any, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    number = 0
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for found in _FIGURE.finditer("".join(data.get("text/html", ""))):
                _write_text(folder / f"{found.group(1)}.svg", standalone(found.group(0), drawing_style()))
            if "image/png" in data:
                number += 1
                (folder / f"figure-{number}.png").write_bytes(base64.b64decode("".join(data["image/png"])))


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "replace"))
