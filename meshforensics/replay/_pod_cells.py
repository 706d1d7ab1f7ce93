"""What kubectl prints of a Pod and of an Event."""

from datetime import datetime
from typing import Any

from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.replay._cells import age, whole
from meshforensics.replay._made import Body


def ready(body: Body, _: datetime | None) -> str:
    """How many containers are ready of how many there are; native sidecars count."""
    spec = mapping(body, "spec")
    total = len(members(spec, "containers")) + sum(_is_sidecar(one) for one in members(spec, "initContainers"))
    return f"{sum(one.get('ready') is True for one in _statuses(body))}/{total}"


def restarts(body: Body, at: datetime | None) -> str:
    """How often its containers started again, and how long ago for the last time."""
    total = sum(whole(one, "restartCount") for one in _statuses(body))
    ends = [text(mapping(mapping(one, "lastState"), "terminated"), "finishedAt") for one in _statuses(body)]
    last = max((end for end in ends if end), default="")
    return f"{total} ({age(last, at)} ago)" if total and last and at else str(total)


def phase(body: Body, _: datetime | None) -> str:
    """What kubectl writes as STATUS: why a container waits or ended, else the phase."""
    status = mapping(body, "status")
    if mapping(body, "metadata").get("deletionTimestamp"):
        return "Terminating"
    states = [mapping(one, "state") for one in _statuses(body)]
    reasons = [
        str(why) for state in states for key in ("waiting", "terminated") if (why := mapping(state, key).get("reason"))
    ]
    return next(iter(reasons), "") or text(status, "reason") or text(status, "phase") or "Unknown"


def seen(body: Body, at: datetime | None) -> str:
    """When an event was seen last."""
    last = text(mapping(body, "series"), "lastObservedTime") or text(body, "lastTimestamp")
    return age(last or text(body, "eventTime") or text(body, "firstTimestamp"), at)


def first_seen(body: Body, at: datetime | None) -> str:
    """When an event was seen first."""
    return age(text(body, "firstTimestamp") or text(body, "eventTime"), at)


def about(body: Body, _: datetime | None) -> str:
    """The object that an event is about."""
    held = mapping(body, "involvedObject") or mapping(body, "regarding")
    return f"{str(held.get('kind', '')).lower()}/{held.get('name', '')}"


def message(body: Body, _: datetime | None) -> str:
    """What an event says."""
    return text(body, "message") or text(body, "note") or ""


def times(body: Body, _: datetime | None) -> str:
    """How often an event happened."""
    return str(whole(mapping(body, "series"), "count") or whole(body, "count") or 1)


def _is_sidecar(container: dict[str, Any]) -> bool:
    return container.get("restartPolicy") == "Always"


def _statuses(body: Body) -> list[dict[str, Any]]:
    """The status of each container, native sidecars too."""
    spec, status = mapping(body, "spec"), mapping(body, "status")
    native = {one.get("name") for one in members(spec, "initContainers") if _is_sidecar(one)}
    sidecars = [one for one in members(status, "initContainerStatuses") if one.get("name") in native]
    return [*members(status, "containerStatuses"), *sidecars]
