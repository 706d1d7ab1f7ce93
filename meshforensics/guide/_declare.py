"""What a topic of the guide is: its commands as they are right today, for the names of one mesh."""

from collections.abc import Callable
from dataclasses import dataclass

from meshforensics.guide._service import Service
from meshforensics.profile import Profile
from meshforensics.recovery import Mesh, Part


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a topic is printed for."""

    mesh: Mesh
    service: Service
    profile: Profile


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A declared topic.

    Attributes:
        source: where the guide has it.
        claims: numbers of what the guide claims about it, in claims.yaml.
        make: its parts for one setting.
    """

    id: str
    about: str
    source: str
    claims: tuple[str, ...]
    make: Callable[[Setting], tuple[Part, ...]]


def topic(
    id: str,  # noqa: A002 - the field's name
    *,
    about: str,
    source: str,
    claims: tuple[str, ...] = (),
) -> Callable[[Callable[[Setting], tuple[Part, ...]]], Topic]:
    """Declare the decorated function as what makes topic `id`."""

    def declare(make: Callable[[Setting], tuple[Part, ...]]) -> Topic:
        return Topic(id=id, about=about, source=source, claims=claims, make=make)

    return declare
