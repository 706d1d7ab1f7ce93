"""Run jobs: best evidence first, a bounded number at once, and to each phase of the guide its share of the time."""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from itertools import count

from meshforensics.capture._ask import Job, Stage
from meshforensics.capture._record import Recorder

AT_ONCE = 16
"""Jobs that run at the same time; each has one request at a time."""
SHARES = ((60 / 240, Stage.HEALTH), (150 / 240, Stage.TRAFFIC), (1.0, Stage.ACCESS))
"""Until which share of the time a phase goes first: the guide's 60, 90 and 90 seconds."""

_Ranked = tuple[tuple[int, int, int], int, Job]


class Queue:
    """Jobs by phase and rank, run by workers until none is left.

    A phase that is not done when its time is over waits until the later ones are: a mesh too large for the
    budget gives something of each phase, of the sick pods first, and not one phase of every pod.
    """

    def __init__(self, recorder: Recorder, spent: Callable[[], float]) -> None:
        self._recorder = recorder
        self._spent = spent
        self._jobs: dict[int, list[_Ranked]] = {stage: [] for stage in Stage}
        self._numbers = count()

    def add(self, jobs: Iterable[Job]) -> None:
        """Plan jobs; the plan is written before any of them is begun."""
        new = list(jobs)
        self._recorder.plan(ask for job in sorted(new, key=lambda job: job.rank) for ask in job.asks)
        for job in new:
            heapq.heappush(self._jobs[job.rank[0]], (job.rank, next(self._numbers), job))

    async def run(self, at_once: int | None = None) -> None:
        """Run every job.

        Raises:
            OSError: what comes cannot be kept.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once or AT_ONCE):
                    group.create_task(self._worker())
        except ExceptionGroup as several:
            raise several.exceptions[0] from several

    async def _worker(self) -> None:
        while job := self._next():
            self._recorder.begin(job.asks)
            await job.work(self._recorder.record)

    def _next(self) -> Job | None:
        """The job to do now: of the phase whose time it is, else of the first phase that has any."""
        turn = stage_at(self._spent())
        for stage in (turn, *Stage):
            if self._jobs[stage]:
                return heapq.heappop(self._jobs[stage])[2]
        return None


def stage_at(spent: float) -> Stage:
    """The phase whose time it is when that share of the budget is spent.

    >>> [stage_at(spent).name for spent in (0.0, 0.3, 0.7, 2.0)]
    ['HEALTH', 'TRAFFIC', 'ACCESS', 'ACCESS']
    """
    return next((stage for share, stage in SHARES if spent < share), Stage.ACCESS)
