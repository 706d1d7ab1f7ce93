"""What a capture asks: items of a plan, and the jobs that fetch them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from meshforensics.capture._reply import Outcome


class Stage(IntEnum):
    """The three phases of the guide, in their order: what is asked first is what is had when time is short."""

    HEALTH = 1
    TRAFFIC = 2
    ACCESS = 3


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One item of the plan."""

    kind: str
    subject: str


Record = Callable[[Ask, Outcome], None]
"""Keeps what became of an item; called once for each."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Items that are fetched together, one after the other.

    Attributes:
        rank: jobs of a lower rank come first: stage, sickness, place in the plan.
        asks: the items.
        work: fetches them.
    """

    rank: tuple[int, int, int]
    asks: tuple[Ask, ...]
    work: Callable[[Record], Awaitable[None]]


def noted(job: Job, why: str) -> Job:
    """The job, whose items say why they were taken."""

    async def work(record: Record) -> None:
        await job.work(lambda ask, outcome: record(ask, replace(outcome, detail=outcome.detail or why)))

    return replace(job, work=work)
