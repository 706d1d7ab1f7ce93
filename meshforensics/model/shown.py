"""How plain data shows itself in a notebook: a small table, and every captured text only ever text."""

import html
from collections.abc import Iterable
from typing import Protocol, TypeVar

MOST = 20
"""Members of a listing that are shown; the others are counted."""

_NAME = "text-align:left;vertical-align:top;font-weight:600"
_VALUE = "text-align:left;white-space:pre-wrap;overflow-wrap:anywhere"


class Shown(Protocol):
    """What a notebook can show."""

    def _repr_html_(self) -> str: ...


T = TypeVar("T", bound=Shown)


class Listing(tuple[T, ...]):
    """A tuple that a notebook shows member by member."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        left = len(self) - MOST
        more = f"<p>and {left:,} more</p>" if left > 0 else ""
        return "".join(member._repr_html_() for member in self[:MOST]) + more if self else "<p>none</p>"


def facts_html(head: str, facts: Iterable[tuple[str, str]]) -> str:
    """A line in bold over names and values; facts without a value are left out.

    >>> facts_html("<b>", [("at", "noon"), ("muted", "")]).count("<tr>")
    2
    """
    rows = "".join(
        f'<tr><th scope="row" style="{_NAME}">{html.escape(name)}</th>'
        f'<td style="{_VALUE}">{html.escape(value)}</td></tr>'
        for name, value in facts
        if value
    )
    return f'<table><tr><th colspan="2" style="{_NAME}">{html.escape(head)}</th></tr>{rows}</table>'


def lines(texts: Iterable[str], most: int = MOST) -> str:
    """Texts one below the other; at most so many, and how many more."""
    known = list(texts)
    return "\n".join([*known[:most], *([f"and {len(known) - most:,} more"] if len(known) > most else [])])
