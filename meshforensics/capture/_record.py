"""Keep what comes: the plan first, then each item once, with the time by the source's own clock."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from meshforensics.bundle import BundleWriter
from meshforensics.capture._ask import Ask, Record
from meshforensics.capture._reply import Outcome
from meshforensics.model import Cause, Item, Status, now

_TOLERATED = timedelta(seconds=2)
"""A Date has whole seconds, and an answer takes its time: less than this is no difference of clocks."""

_SEALING = 12.0
"""How many times as long as the plan of some items it takes to seal a bundle of them (measured: 7 for 12,000)."""


class Clock:
    """Instants by the clock of the source, as far as it told it."""

    def __init__(self) -> None:
        self.skew = timedelta(0)
        self.source = "clock"

    def learn(self, date: str, source: str) -> None:
        """Compare our clock with the one that wrote a Date header."""
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            return
        skew = told - now()
        if abs(skew) >= _TOLERATED:
            self.skew, self.source = skew, source

    def at(self) -> datetime:
        """The current instant by the source's clock."""
        return now() + self.skew

    @property
    def said(self) -> str:
        """How far the clocks are apart; empty where they are not."""
        seconds = self.skew.total_seconds()
        return f"the clock of the {self.source} is {seconds:+.0f} s from ours; times are by it" if seconds else ""


class Recorder:
    """Writes a plan and what became of it; `planned` is told of each addition, `told` of each item that is kept."""

    def __init__(self, writer: BundleWriter, clock: Clock, progress: Callable[[str], None], end: float) -> None:
        self._writer = writer
        self._clock = clock
        self._progress = progress
        self._end = end
        self._open: dict[Ask, None] = {}
        self._done: set[Ask] = set()
        self._begun: dict[Ask, float] = {}
        self._together: dict[Ask, tuple[Ask, ...]] = {}
        self.counts: Counter[str] = Counter()
        self._planning = 0.0
        self.planned: Callable[[], None] = lambda: None
        self.told: Record = lambda _ask, _outcome: None

    def plan(self, asks: Iterable[Ask]) -> None:
        """Add to the plan, in the journal too."""
        new = [ask for ask in dict.fromkeys(asks) if ask not in self._open and ask not in self._done]
        started = time.monotonic()
        self._writer.plan((ask.kind, ask.subject, None) for ask in new)
        self._planning += time.monotonic() - started
        self.planned()
        self._open.update(dict.fromkeys(new))

    @property
    def sealing(self) -> float:
        """Seconds that sealing will take, from how long it took to write the plan here and now."""
        return _SEALING * self._planning

    def begin(self, asks: tuple[Ask, ...]) -> None:
        """Note that these are being asked for now, one after the other."""
        self._together.update(dict.fromkeys(asks, asks))
        self._begun.update(dict.fromkeys(asks, time.monotonic()))
        failed = sum(number for what, number in self.counts.items() if what.startswith(("failed", "partial")))
        left = max(0.0, self._end - time.monotonic())
        done = f"{len(self._done)} of {len(self._done) + len(self._open)}, {failed} failed, {left:.0f} s left"
        self._progress(f"{done}: {asks[0].kind} of {asks[0].subject}")

    def record(self, ask: Ask, outcome: Outcome) -> None:
        """Keep what became of an item; a second word about it is not heard."""
        if ask in self._done:
            return
        self._done.add(ask)
        self._open.pop(ask, None)
        self.counts[outcome.status.value if outcome.cause is None else f"{outcome.status}: {outcome.cause}"] += 1
        at, source = self._clock.at(), self._clock.source
        if outcome.payload is None:
            self._writer.miss(
                ask.kind,
                ask.subject,
                status=outcome.status,
                cause=outcome.cause,
                detail=outcome.detail,
                captured_at=at,
                time_source=source,
            )
        else:
            self._writer.add(
                ask.kind,
                ask.subject,
                outcome.payload,
                captured_at=at,
                time_source=source,
                status=outcome.status,
                cause=outcome.cause,
                detail=outcome.detail,
                duration_s=self._duration(ask),
            )
        self._begun.update(dict.fromkeys(self._together.get(ask, ()), time.monotonic()))
        self.told(ask, outcome)

    def _duration(self, ask: Ask) -> float | None:
        """How long it took since it, or what is fetched before it, was done."""
        started = self._begun.get(ask)
        return None if started is None else round(time.monotonic() - started, 3)

    def close(self, why: str) -> None:
        """Say of everything that is still open that it did not fit, and why."""
        at, source = self._clock.at(), self._clock.source
        self._writer.miss_all(
            Item(
                kind=ask.kind,
                subject=ask.subject,
                status=Status.SKIPPED,
                cause=Cause.OVER_BUDGET,
                detail=f"{why}; it was being asked for" if ask in self._begun else why,
                captured_at=at,
                time_source=source,
            )
            for ask in self._open
        )
        self.counts[f"{Status.SKIPPED}: {Cause.OVER_BUDGET}"] += len(self._open)
        self._done.update(self._open)
        self._open.clear()
