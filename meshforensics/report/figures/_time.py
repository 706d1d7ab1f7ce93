"""A time axis: where an instant lies, and round ticks in UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meshforensics.report.figures._svg import line, width_of, words

_STEPS_S = (
    *(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400),
    *(2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400, 1826 * 86400, 3652 * 86400, 36525 * 86400),
)


_UTC = 28.0
"""Where the word UTC ends; a label that would lie on it is left out, and its tick stays."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The instants `start` to `end`, drawn from `left` to `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where `at` lies; what lies outside is drawn at the end."""
        span = (self.end - self.start) / timedelta(seconds=1)
        share = (at - self.start) / timedelta(seconds=1) / span if span else 0.5
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round instants with their labels, as many as there is room for."""
        span = max((self.end - self.start).total_seconds(), 0.001)
        most = max(int((self.right - self.left) // 90), 2)
        step = next((each for each in _STEPS_S if span / each <= most), _STEPS_S[-1])
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        begin = (self.start - epoch).total_seconds()
        number = -(-begin // step)
        while number * step <= begin + span:
            at = epoch + timedelta(seconds=number * step)
            yield self.x(at), label(at, step)
            number += 1

    def draw(self, y: float) -> Iterator[str]:
        """The ticks and labels below `y`."""
        yield words(2, y + 16, "UTC", "m")
        for x, text in self.ticks():
            yield line(x, y, x, y + 4, "ax")
            if x - width_of(text, 11) / 2 > _UTC:
                yield words(x, y + 16, text, "m", anchor="middle")


def label(at: datetime, step: float) -> str:
    """`at` as finely as a step of so many seconds needs."""
    if step >= 365 * 86400:
        return f"{at:%Y}"
    if step >= 86400:
        return f"{at:%Y-%m-%d}"
    if step >= 3600:
        return f"{at:%d %b %H:%M}"
    if step >= 60:
        return f"{at:%H:%M}"
    return f"{at:%H:%M:%S}" if step >= 1 else f"{at:%H:%M:%S}.{at.microsecond // 10000:02d}"
