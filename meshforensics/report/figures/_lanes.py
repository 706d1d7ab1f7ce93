"""Events by plane: four lanes on one time axis, each event on a line of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from meshforensics.model import Plane
from meshforensics.report.figures._svg import box, cross, dot, fit, line, svg, width_of, words
from meshforensics.report.figures._time import Axis

_ROW = 21
_NAME = 92.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One event: when, what, and whether it is a refusal. Without `at` it is only listed."""

    text: str
    at: datetime | None = None
    clock: str = ""
    look: Literal["", "bad"] = ""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One plane with what happened on it, or with the sentence that says why nothing is shown."""

    plane: Plane
    marks: tuple[Mark, ...]
    empty: str


def draw_lanes(lanes: Sequence[Lane], start: datetime, end: datetime, captured: datetime | None, width: float) -> str:
    """The lanes from edge to control, with a line at the capture where it lies inside."""
    axis = Axis(start=start, end=end, left=_NAME + 12, right=width - 10)
    parts: list[str] = []
    y = 4.0
    for lane in lanes:
        height = max(len(lane.marks), 1) * _ROW + 9
        parts += _frame(lane.plane, y, width, height)
        if not lane.marks:
            parts.append(words(_NAME + 12, y + 19, lane.empty, "m"))
        for position, mark in enumerate(lane.marks):
            parts += _mark(mark, lane.plane, axis, y + 15 + position * _ROW)
        y += height + 4
    cut: list[str] = []
    if captured is not None and start < captured < end:
        cut = [line(axis.x(captured), 4, axis.x(captured), y, "cut2")]
    return svg(width, y + 22, [*cut, *parts, *axis.draw(y)])


def list_lanes(lanes: Sequence[Lane], width: float) -> str:
    """The same events as lines of text, for a narrow page."""
    parts: list[str] = []
    y = 4.0
    for lane in lanes:
        rows = [row for mark in lane.marks for row in _wrapped(mark, width - 14)] or [(lane.empty, "m")]
        height = 26 + len(rows) * 17
        parts += _frame(lane.plane, y, width, height)
        for position, (text, look) in enumerate(rows):
            parts.append(words(14, y + 36 + position * 17, fit(text, width - 18), look))
        y += height + 6
    return svg(width, y, parts)


def _wrapped(mark: Mark, room: float) -> Iterator[tuple[str, str]]:
    sign = "✕ " if mark.look == "bad" else ""
    current = f"{sign}{mark.clock} ".lstrip() if mark.clock else sign
    for word in mark.text.split():
        if current.strip() and width_of(f"{current}{word}") > room:
            yield current.rstrip(), "n"
            current = "   "
        current += f"{word} "
    if current.strip():
        yield current.rstrip(), "n"


def _frame(plane: Plane, y: float, width: float, height: float) -> Iterator[str]:
    yield box(0.5, y + 0.5, width - 1, height - 1, "band")
    yield box(0, y, 4, height, f"p-{plane}")
    yield words(12, y + 19, plane.value.capitalize(), "h")


def _mark(mark: Mark, plane: Plane, axis: Axis, y: float) -> Iterator[str]:
    if mark.at is None:
        yield words(axis.left, y + 4, fit(f"{mark.clock} {mark.text}".strip(), axis.right - axis.left), "n")
        return
    x = axis.x(mark.at)
    yield cross(x, y) if mark.look == "bad" else dot(x, y, 4, f"p-{plane}")
    after, before = axis.right - x - 10, x - axis.left - 10
    right = width_of(f"{mark.clock} {mark.text}") <= after or after >= before
    text = fit(mark.text, max(after if right else before, 60) - width_of(mark.clock) - 8)
    label = f"{mark.clock} {text}" if right else f"{text} {mark.clock}"
    yield words(x + 9 if right else x - 9, y + 4, label, "n", anchor="start" if right else "end")
