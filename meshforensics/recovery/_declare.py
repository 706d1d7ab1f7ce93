"""What a step of a recovery is: declared with its place in the order, made for one mesh."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from meshforensics.model import Hypothesis, Plane
from meshforensics.recovery._command import Command, Manifest
from meshforensics.recovery._mesh import Mesh
from meshforensics.recovery._named import Named

Part = Command | Manifest | str
"""What a step prints: a command, a file, or a sentence."""


class Stage(StrEnum):
    """What a step is for, as `docs/recover.md` explains."""

    FREEZE = "freeze and capture"
    CONFIRM = "confirm"
    RELIEVE = "stop the bleeding"
    STATE = "repair state"
    CONTROL = "repair control"
    PROPAGATE = "propagate"
    EDGE = "edge, last"
    VERIFY = "verify"
    CLOSE = "close holes"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a step is made for.

    Attributes:
        paths: how the evidence was named.
        paused: what an earlier step of the same plan paused; kubectl restarts it only when it is resumed.
    """

    mesh: Mesh
    verdict: Hypothesis
    paths: tuple[str, ...]
    paused: tuple[Named, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A step's own words and commands for one mesh.

    Sentences of `do` stand among commands that are pasted: they are our own words, never text of the evidence.
    """

    do: tuple[Part, ...]
    verify: tuple[Part, ...]
    undo: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A declared step.

    Attributes:
        when: what must be so before it is done.
        after: ids of the steps that come before it wherever both are in a plan.
        make: its commands for one mesh; None where the mesh has nothing that it could be done to.
    """

    id: str
    stage: Stage
    plane: Plane
    title: str
    when: str
    risk: str
    after: tuple[str, ...]
    make: Callable[[Situation], Deed | None]


def step(
    id: str,  # noqa: A002 - the field's name
    *,
    stage: Stage,
    plane: str,
    title: str,
    when: str,
    risk: str,
    after: tuple[str, ...] = (),
) -> Callable[[Callable[[Situation], Deed | None]], Step]:
    """Declare the decorated function as what makes step `id`."""

    def declare(make: Callable[[Situation], Deed | None]) -> Step:
        return Step(id=id, stage=stage, plane=Plane(plane), title=title, when=when, risk=risk, after=after, make=make)

    return declare
