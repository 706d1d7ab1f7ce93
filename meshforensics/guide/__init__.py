"""The debugging guide's commands and manifests, as they are right today."""

from functools import cache

from meshforensics.guide._claims import Claim, claims
from meshforensics.guide._declare import Setting, Topic, topic
from meshforensics.guide._service import Held, Service, service_named, service_of
from meshforensics.guide._setting import general_setting, setting_of
from meshforensics.model import UnknownNameError, gather

__all__ = [
    "Claim",
    "Held",
    "Service",
    "Setting",
    "Topic",
    "claims",
    "declared_topics",
    "general_setting",
    "service_named",
    "service_of",
    "setting_of",
    "topic",
    "topic_named",
]


@cache
def declared_topics() -> dict[str, Topic]:
    """Every topic that a module of this room declares, by id."""
    import meshforensics.guide as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Topic)


def topic_named(name: str) -> Topic:
    """The topic of that name.

    Raises:
        UnknownNameError: there is none.
    """
    known = declared_topics()
    if name not in known:
        raise UnknownNameError("topic", name, known)
    return known[name]
