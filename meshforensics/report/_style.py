"""The style and the script of a report, and the content policy that names them by hash."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).parent / "_templates"


@cache
def page_style() -> str:
    """The whole style of a page."""
    return _small(_read("section.css") + _read("figure.css") + _read("page.css"))


@cache
def notebook_style() -> str:
    """The style of a section shown in a notebook: nested, so that it touches nothing else there.

    Its class is named twice, to weigh as much as JupyterLab's own two (which set cells to the right).
    """
    inside = re.sub(r":root(:not\([^)]*\))?", "&", _read("section.css")) + _read("figure.css")
    around = "& { background: var(--bg); color: var(--ink); padding: 1px 12px; font-size: 15px; line-height: 1.5; }"
    return _small(f".mf.mf {{ {around} {inside} }}")


@cache
def drawing_style() -> str:
    """The style of a figure in a file of its own, on white."""
    tokens = re.search(r":root \{[^}]*\}", _read("section.css"))
    return _small((tokens.group(0) if tokens else "") + _read("figure.css"))


@cache
def script() -> str:
    """The only script of a page: it filters, opens and switches the theme; nothing needs it."""
    return _read("script.js").strip()


@cache
def policy() -> str:
    """The content policy: no network, images only inline, one style and one script by hash."""
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{_hash(page_style())}'; "
        f"script-src 'sha256-{_hash(script())}'; base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _small(css: str) -> str:
    return re.sub(r"\s*([{};,])\s*", r"\1", " ".join(css.split()))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
