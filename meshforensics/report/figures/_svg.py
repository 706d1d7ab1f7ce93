"""The few SVG elements that the figures are made of, and how wide text is."""

import html
from collections.abc import Iterable
from typing import Literal

WIDE = 760
"""Width of a figure on a page, in CSS pixels."""

NARROW = 350
"""Width of a figure on a phone, in CSS pixels; text keeps its size."""

_THIN = frozenset(" .,:;!'|ijltfI[]()/-")
_FAT = frozenset("mwMW@%…→")


def width_of(text: str, size: float = 12) -> float:
    """About how wide `text` is in a common sans-serif face."""
    return size * sum(_share(character) for character in text)


def _share(c: str) -> float:
    """The width of a character, by the widest of the usual faces."""
    if c in _THIN:
        return 0.33
    return 0.92 if c in _FAT else 0.68 if c.isupper() else 0.64 if c.isdigit() else 0.58


def fit(text: str, room: float, size: float = 12) -> str:
    """`text`, cut in the middle so that it fits into `room`: both ends of a name tell it apart."""
    if width_of(text, size) <= room:
        return text
    for kept in range(len(text) - 1, 2, -1):
        head = (kept + 1) // 2
        cut = f"{text[:head]}…{text[len(text) - (kept - head) :]}"
        if width_of(cut, size) <= room:
            return cut
    return "…"


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """A drawing of that size."""
    size = f'viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def words(x: float, y: float, text: str, look: str = "", *, anchor: Literal["start", "middle", "end"] = "start") -> str:
    """Text with its baseline at `y`."""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{_n(x)}" y="{_n(y)}"{_class(look)}{side}>{html.escape(text)}</text>'


def box(x: float, y: float, width: float, height: float, look: str, about: str = "") -> str:
    """A rectangle; `about` is what it says when pointed at."""
    size = f'x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}"'
    if not about:
        return f"<rect {size}{_class(look)}/>"
    return f"<rect {size}{_class(look)}><title>{html.escape(about)}</title></rect>"


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    """A straight line."""
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{_class(look)}/>'


def path(points: Iterable[tuple[float, float]], look: str) -> str:
    """A closed shape through `points`."""
    steps = " L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f'<path d="M{steps} Z"{_class(look)}/>'


def polyline(points: Iterable[tuple[float, float]], look: str) -> str:
    """An open line through `points`."""
    return f'<polyline points="{" ".join(f"{_n(x)},{_n(y)}" for x, y in points)}"{_class(look)}/>'


def dot(x: float, y: float, radius: float, look: str) -> str:
    """A disc."""
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"{_class(look)}/>'


def cross(x: float, y: float, size: float = 4) -> str:
    """A cross: the sign of a refusal."""
    a, b, c, d = (_n(value) for value in (x - size, y - size, x + size, y + size))
    return f'<path class="xx" d="M{a} {b} L{c} {d} M{a} {d} L{c} {b}"/>'


def standalone(drawing: str, style: str) -> str:
    """A drawing as a file of its own: with its style inside."""
    tag, close, rest = drawing.partition(">")
    return f"{tag}{close}<style>{style}</style>{rest}\n"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _class(look: str) -> str:
    return f' class="{look}"' if look else ""
