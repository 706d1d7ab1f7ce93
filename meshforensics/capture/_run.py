"""Run jobs: best evidence first, a bounded number at once, not a second longer than there is."""

import asyncio
import heapq
from collections.abc import Iterable
from itertools import count

from meshforensics.capture._ask import Job
from meshforensics.capture._record import Recorder

AT_ONCE = 16
"""Jobs that run at the same time; each has one request at a time."""


class Queue:
    """Jobs by rank, run by workers until none is left; jobs may be added while they run."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._jobs: list[tuple[tuple[int, int, int], int, Job]] = []
        self._numbers = count()

    def add(self, jobs: Iterable[Job]) -> None:
        """Plan jobs; the plan is written before any of them is begun."""
        new = list(jobs)
        self._recorder.plan(ask for job in sorted(new, key=lambda job: job.rank) for ask in job.asks)
        for job in new:
            heapq.heappush(self._jobs, (job.rank, next(self._numbers), job))

    async def run(self, at_once: int = AT_ONCE) -> None:
        """Run every job.

        Raises:
            OSError: what comes cannot be kept.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(self._worker())
        except ExceptionGroup as several:
            raise several.exceptions[0] from several

    async def _worker(self) -> None:
        while self._jobs:
            _, _, job = heapq.heappop(self._jobs)
            self._recorder.begin(job.asks)
            await job.work(self._recorder.record)
