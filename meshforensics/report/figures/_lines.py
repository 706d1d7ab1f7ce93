"""A measure over time: one line a subject, on one scale from zero, named at its end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from meshforensics.report.figures._svg import dot, fit, line, polyline, svg, words
from meshforensics.report.figures._time import Axis

_HEIGHT = 190.0
_LABEL = 15.0
_STEPS = (1, 2, 2.5, 5, 10)
_BOLD = 1.16
"""So much wider are bold letters."""
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One subject: its values by time, in order; `hurt` lines are drawn in ink.

    `stroke` is a pattern from 1 on, shown beside the name too, where lines may end in one place; 0 is a plain line.
    """

    label: str
    points: tuple[tuple[datetime, float], ...]
    hurt: bool = False
    stroke: int = 0

    @property
    def look(self) -> str:
        """The classes of its stroke."""
        return " ".join(["trend", *(["hurt"] if self.hurt else []), *([f"d{self.stroke}"] if self.stroke else [])])


def draw_lines(lines: Sequence[Line], onset: datetime | None, say: Callable[[float], str], width: float) -> str:
    """The lines on one scale from zero, with a line at `onset`; `say` writes a value."""
    instants = [at for each in lines for at, _ in each.points]
    top = max((value for each in lines for _, value in each.points), default=0.0) or 1.0
    axis = Axis(start=min(instants), end=max(instants), left=62, right=width - (110 if width < 500 else 190))
    parts = [*_scale(axis, top, say)]
    if onset is not None and axis.start <= onset <= axis.end:
        parts.append(line(axis.x(onset), 10, axis.x(onset), _HEIGHT, "cut"))
        parts.append(words(axis.x(onset) + 4, 10, "onset", "m"))
    parts += [
        polyline([(axis.x(at), _y(value, top)) for at, value in each.points], each.look)
        for each in sorted(lines, key=lambda each: each.hurt)
    ]
    parts += _names(lines, axis, top, width)
    return svg(width, _HEIGHT + 26, [*parts, *axis.draw(_HEIGHT)])


def _y(value: float, top: float) -> float:
    return _HEIGHT - value / top * (_HEIGHT - 18)


def _scale(axis: Axis, top: float, say: Callable[[float], str]) -> Iterator[str]:
    """Round values along the left, at most five."""
    step = _step(top)
    number = 0
    while number * step <= top:
        y = _y(number * step, top)
        yield line(axis.left, y, axis.right, y, "base")
        yield words(axis.left - 6, y + 4, say(number * step), "m", anchor="end")
        number += 1


def _step(top: float) -> float:
    """A round step of which at most five fit below `top`; tenths and halves of them for a share."""
    if top <= 1:
        return next(each for each in _SHARES if top / each <= 5)
    size = 2.0 ** (10 * max(0, (int(top).bit_length() - 1) // 10))
    tens = 10.0 ** max(0, len(str(int(top / size / 5))) - 1)
    return next(each * tens * size for each in _STEPS if top / (each * tens * size) <= 5)


def _spread(heights: Sequence[float]) -> list[float]:
    """Places for names, from above: moved down where they would overlap, up where they would leave the figure."""
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + _LABEL if places else _LABEL))
    lowest = [_HEIGHT - number * _LABEL for number in reversed(range(len(places)))]
    if lowest[:1] < [_LABEL]:
        return places
    return [min(pair) for pair in zip(places, lowest, strict=True)]


def _names(lines: Sequence[Line], axis: Axis, top: float, width: float) -> Iterator[str]:
    """Each line's name beside its end, after its stroke where they differ, none over another."""
    left = axis.right + (36 if any(each.stroke for each in lines) else 8)
    ordered = sorted(lines, key=lambda each: -each.points[-1][1])
    for each, y in zip(ordered, _spread([_y(one.points[-1][1], top) for one in ordered]), strict=True):
        at, value = each.points[-1]
        yield dot(axis.x(at), _y(value, top), 2.5, "tip hurt" if each.hurt else "tip")
        if left > axis.right + 8:
            yield polyline([(axis.right + 8, y), (left - 6, y)], each.look)
        room = (width - left - 2) / (_BOLD if each.hurt else 1.0)
        yield words(left, y + 4, fit(each.label, room), "b" if each.hurt else "n")
