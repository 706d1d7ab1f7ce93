"""Reports: notebooks run by papermill, written as one HTML page, Markdown, JSON and figures."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshforensics.report import sections
    from meshforensics.report._notebook import Executed, notebooks, run_notebook
    from meshforensics.report._write import Written, write_report

__all__ = ["Executed", "Written", "notebooks", "run_notebook", "sections", "write_report"]

_HOMES = {
    "Executed": "_notebook",
    "notebooks": "_notebook",
    "run_notebook": "_notebook",
    "Written": "_write",
    "write_report": "_write",
}


def __getattr__(name: str) -> Any:
    """Import late: papermill and nbconvert take a second, and a notebook cell needs only `sections`."""
    import importlib  # noqa: PLC0415 - late on purpose

    if name == "sections":
        return importlib.import_module("meshforensics.report.sections")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"meshforensics.report.{_HOMES[name]}"), name)
