"""Run the cells of a notebook in this process, which spares the kernel: the same code, what it shows as text."""

import ast
from pathlib import Path
from typing import Any

import nbformat


def shown_by(path: Path, **parameters: str) -> list[str]:
    """What each cell shows, as Markdown; its HTML is made too. The parameters stand in place of their cell."""
    names: dict[str, Any] = {"at": "", "incident": "auto", "profile": "default", **parameters}
    shown = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", ()):
            last = _run(cell.source, names)
            if last is not None:
                shown.append(last._repr_markdown_())
                assert last._repr_html_()
    return shown


def _run(source: str, names: dict[str, Any]) -> Any:
    """Execute all but the last expression, and give what that is."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body=body, type_ignores=[]), "cell", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(body=last.value), "cell", "eval"), names)
