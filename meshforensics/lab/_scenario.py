"""What an incident of the lab declares."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from meshforensics.lab._lab import Lab
from meshforensics.lab._world import World


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What really happened, for whoever judges a verdict.

    Attributes:
        incident: the right verdict.
        subjects: names that an answer must hold.
        allow: what may be supported besides.
        also: what must be at least possible.
        accept: verdicts that are right too; none means only `incident`.
        about: the mechanism in this run, in a sentence.
    """

    incident: str
    subjects: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    about: str = ""

    def as_json(self) -> str:
        """The document that is written beside a bundle."""
        return json.dumps({key: value for key, value in asdict(self).items() if value}, indent=1) + "\n"


def _nothing(_: World) -> None:
    """Prepare nothing."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One way in which a mesh breaks.

    Attributes:
        id: what `lab run` calls it.
        incident: the id of the incident that it is.
        mechanism: what is broken, and how, in a sentence.
        simulated: what of it is not real; empty where all of it is.
        begin: breaks one thing in a mesh that runs, and tells the truth about it.
        prepare: changes the mesh before it starts.
        root_life: seconds until the root ends that the mesh begins with; 0 for years.
        warm: seconds of traffic before the first capture.
        settle: seconds of traffic from the break to the next capture.
        watch: seconds of samples after that, which a last whole capture ends.
        every: seconds from one sample to the next.
        series: whether the samples are what tells it.
        before: the role of the service whose first proxy a small bundle has from before the break; none where empty.
    """

    id: str
    incident: str
    mechanism: str
    begin: Callable[[Lab], Awaitable[Truth]]
    simulated: str = ""
    prepare: Callable[[World], None] = _nothing
    root_life: float = 0.0
    warm: float = 6.0
    settle: float = 8.0
    watch: float = 12.0
    every: float = 6.0
    series: bool = False
    before: str = "front"
