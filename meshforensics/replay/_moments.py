"""Time in a replay: it stands at one instant, or passes until that instant."""

import copy
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic

from meshforensics.bundle import Bundle
from meshforensics.model import UsageError, format_time
from meshforensics.replay._state import Decoded, State


class Moments:
    """The states of a bundle, one after the other.

    Args:
        bundle: the evidence.
        at: the instant at which time stands; None when no capture time is known.
        begin: where time begins to pass; None to let it stand from the beginning.
        speed: seconds of the bundle that pass in one.

    Raises:
        UsageError: it cannot pass from there to there.
    """

    def __init__(
        self, bundle: Bundle, at: datetime | None, *, begin: datetime | None = None, speed: float = 1.0
    ) -> None:
        if begin is not None and (at is None or begin >= at):
            raise UsageError(f"time cannot pass from {format_time(begin)} to {format_time(at) or 'an unknown instant'}")
        if not 0 < speed < 1e6:
            raise UsageError(f"{speed:g} is no speed; give one above 0, as 10")
        self._bundle = bundle
        self._end, self._begin, self._speed = at, begin, speed
        self._instants = sorted({item.captured_at for item in bundle.items if item.captured_at is not None})
        self._started = monotonic()
        self._decoded: Decoded = {}
        self._held = State(bundle, self.at, self._decoded)
        self._number = self._seen(self._held.at)

    @property
    def at(self) -> datetime | None:
        """What time it is."""
        if self._begin is None or self._end is None:
            return self._end
        return min(self._end, self._begin + timedelta(seconds=self._speed * (monotonic() - self._started)))

    def now(self) -> State:
        """The state at this moment."""
        at = self.at
        number = self._seen(at)
        if number != self._number:
            self._held, self._number = State(self._bundle, at, self._decoded), number
        if at == self._held.at:
            return self._held
        return _later(self._held, at)

    def of_version(self, version: str) -> State | None:
        """The state that a list of that resource version showed; None where the version is none of ours."""
        if not version.isdecimal() or len(version) > 17 or int(version) == 0:
            return None
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(version))
        return State(self._bundle, at, self._decoded) if self._end is None or at <= self._end else None

    def waits(self) -> Iterator[float]:
        """Seconds until the next thing changes, again and again; ends when time stands."""
        while (at := self.at) is not None and self._end is not None and at < self._end:
            following = next((each for each in self._instants if at < each < self._end), self._end)
            yield (following - at).total_seconds() / self._speed

    def _seen(self, at: datetime | None) -> int:
        return bisect_right(self._instants, at) if at else len(self._instants)


def _later(state: State, at: datetime | None) -> State:
    """The same state at a later instant, when nothing but the clock has moved."""
    state.settle()  # made once, and shared from then on
    moved = copy.copy(state)
    moved.at = at
    return moved
