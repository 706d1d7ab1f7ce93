"""Calls over time, one strip an edge of the call graph: failed is solid, passed is pale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from meshforensics.report.figures._svg import box, fit, line, svg, words
from meshforensics.report.figures._time import Axis

_ROW = 23
_BAR = 14


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One edge: when calls passed, when they failed, and what that amounts to in words."""

    group: str
    label: str
    said: str
    passed: tuple[datetime, ...]
    failed: tuple[datetime, ...]


def draw_strips(strips: Sequence[Strip], start: datetime, end: datetime, onset: datetime | None, width: float) -> str:
    """All strips on one time axis and one scale; shaded from `onset` on."""
    narrow = width < 500
    left, right = (0.0, width - 2) if narrow else (min(width * 0.32, 240.0), width - 150)
    axis = Axis(start=start, end=end, left=left, right=right)
    bins = 24 if narrow else 42
    counted = [(_count(s.passed, axis, bins), _count(s.failed, axis, bins)) for s in strips]
    top = max((p + f for passed, failed in counted for p, f in zip(passed, failed, strict=True)), default=1) or 1
    parts: list[str] = []
    y = 16.0 if onset else 4.0
    begin, group = y, ""
    for strip, (passed, failed) in zip(strips, counted, strict=True):
        if strip.group != group:
            group = strip.group
            parts.append(words(0, y + 15, group, "h"))
            y += _ROW
        parts += _labels(strip, left, right, y, narrow=narrow)
        y += 16 if narrow else 0
        parts += _bars(passed, failed, axis, y, top)
        y += _ROW
    shade = list(_shade(axis, onset, begin, y))
    return svg(width, y + 22, [*shade, *parts, *axis.draw(y)])


def _shade(axis: Axis, onset: datetime | None, begin: float, end: float) -> Iterator[str]:
    if onset is None:
        return
    x = axis.x(onset)
    yield box(x, begin, axis.right - x, end - begin, "win")
    yield line(x, begin - 4, x, end, "cut")
    near_end = x > (axis.left + axis.right) / 2
    text = f"{onset:%H:%M:%S}.{onset.microsecond // 1000:03d} onset"
    yield words(x - 4 if near_end else x + 4, begin - 5, text, "m", anchor="end" if near_end else "start")


def _labels(strip: Strip, left: float, right: float, y: float, *, narrow: bool) -> Iterator[str]:
    if narrow:
        yield words(0, y + 12, fit(strip.label, right * 0.62), "n")
        yield words(right, y + 12, strip.said, "n", anchor="end")
        return
    yield words(0, y + 14, fit(strip.label, left - 8), "n")
    yield words(right + 148, y + 14, strip.said, "n", anchor="end")


def _count(instants: Sequence[datetime], axis: Axis, bins: int) -> list[int]:
    counts = [0] * bins
    span = (axis.end - axis.start) / timedelta(seconds=1) or 1.0
    for at in instants:
        share = (at - axis.start) / timedelta(seconds=1) / span
        counts[min(max(int(share * bins), 0), bins - 1)] += 1
    return counts


def _bars(passed: list[int], failed: list[int], axis: Axis, y: float, top: int) -> Iterator[str]:
    step = (axis.right - axis.left) / len(passed)
    base = y + 4 + _BAR
    yield line(axis.left, base, axis.right, base, "base")
    for position, (good, bad) in enumerate(zip(passed, failed, strict=True)):
        x = axis.left + position * step
        low = _BAR * bad / top
        high = _BAR * good / top
        if bad:
            yield box(x, base - low, step - 1, low, "bad")
        if good:
            yield box(x, base - low - high, step - 1, high, "ok")
