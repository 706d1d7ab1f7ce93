"""Write an executed notebook as one HTML file that needs nothing but itself."""

import copy
import re
from typing import Any

from nbconvert import HTMLExporter

from meshforensics.report._style import TEMPLATES, page_style, policy, script

_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL)
_STYLE_OF_TAG = re.compile(r"""(<[a-zA-Z][^<>]*?)\sstyle=(?:"[^"]*"|'[^']*')""")


def render(notebook: Any, *, title: str, partial: tuple[str, ...] = ()) -> str:
    """The page: code hidden, outputs shown, style and script by hash.

    Args:
        notebook: an executed notebook.
        title: the page's title; also its heading where no output has one.
        partial: why the report is partial; empty for a whole one.
    """
    shown = copy.deepcopy(notebook)
    for cell in shown.cells:
        for output in cell.get("outputs", ()):
            _without_style(output.get("data", {}))
    facts = {
        "title": title,
        "heading": not _has_heading(shown),
        "partial": partial,
        "policy": policy(),
        "style": page_style(),
        "script": script(),
    }
    exporter = HTMLExporter(template_name="meshforensics", extra_template_basedirs=[str(TEMPLATES)])
    page: str = exporter.from_notebook_node(shown, resources={"meshforensics": facts})[0]
    return page


def _without_style(data: dict[str, Any]) -> None:
    """Drop styles that a notebook needs and the page's own style makes superfluous."""
    if "text/html" in data:
        bare = _STYLE.sub("", "".join(data["text/html"]))
        data["text/html"] = _STYLE_OF_TAG.sub(r"\1", bare)


def _has_heading(notebook: Any) -> bool:
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return any("<h1" in "".join(output.get("data", {}).get("text/html", "")) for output in outputs)
