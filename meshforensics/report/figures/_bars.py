"""Spans of validity: one bar a certificate, with a line at the capture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from meshforensics.report.figures._svg import box, fit, line, svg, words
from meshforensics.report.figures._time import Axis

_ROW = 20


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One certificate: what it is called, from when to when it is valid, what to say beside it."""

    label: str
    start: datetime
    end: datetime
    said: str
    ended: bool = False


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Bars that share one scale, under one heading."""

    heading: str
    bars: tuple[Bar, ...]


def draw_bars(scales: Sequence[Scale], captured: datetime | None, width: float) -> str:
    """Each scale below the other; the capture is the line through its bars."""
    parts: list[str] = []
    y = 0.0
    for scale in scales:
        drawn, y = _scale(scale, captured, width, y)
        parts += drawn
    return svg(width, y, parts)


def _scale(scale: Scale, captured: datetime | None, width: float, y: float) -> tuple[list[str], float]:
    narrow = width < 500
    instants = [at for bar in scale.bars for at in (bar.start, bar.end)]
    if captured is not None:
        instants.append(captured)
    left, right = (0.0, width - 4) if narrow else (min(width * 0.3, 220.0), width - 150)
    axis = Axis(start=min(instants), end=max(instants), left=left + 4, right=right)
    parts = [words(0, y + 14, fit(scale.heading, width), "h")]
    top = y + (36 if captured else 22)
    y = top
    for bar in scale.bars:
        parts += _bar(bar, axis, left, y, narrow=narrow)
        y += _ROW + (16 if narrow else 0)
    if captured is not None:
        parts += _capture(axis, captured, top, y)
    return [*parts, *axis.draw(y)], y + 34


def _capture(axis: Axis, captured: datetime, top: float, bottom: float) -> Iterator[str]:
    x = axis.x(captured)
    yield line(x, top - 4, x, bottom, "cut")
    near_end = x > (axis.left + axis.right) / 2
    yield words(x, top - 8, "capture", "m", anchor="end" if near_end else "start")


def _bar(bar: Bar, axis: Axis, left: float, y: float, *, narrow: bool) -> Iterator[str]:
    low = y + 16 if narrow else y
    look = "bad" if bar.ended else "ok"
    about = f"{bar.label}: {bar.start:%Y-%m-%d %H:%M:%S} to {bar.end:%Y-%m-%d %H:%M:%S} UTC"
    yield box(axis.x(bar.start), low + 4, max(axis.x(bar.end) - axis.x(bar.start), 1.5), 10, look, about)
    if narrow:
        yield words(0, y + 13, fit(bar.label, axis.right * 0.55), "n")
        yield words(axis.right, y + 13, bar.said, "m", anchor="end")
    else:
        yield words(0, y + 13, fit(bar.label, left - 8), "n")
        yield words(axis.right + 8, y + 13, bar.said, "m")
