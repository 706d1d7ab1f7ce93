"""What kubectl prints of an object, cell by cell; an object that holds something else in its place has a cell too."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from meshforensics.formats.kubernetes import STAND_IN, mapping, members, text
from meshforensics.model import UsageError, parse_time
from meshforensics.replay._made import Body

Cell = Callable[[Body, datetime | None], Any]
NONE, UNKNOWN = "<none>", "<unknown>"
_UNITS = (("y", 31536000, 63072000), ("d", 86400, 172800), ("h", 3600, 10800), ("m", 60, 120))


def age(since: str | None, at: datetime | None) -> str:
    """The time from `since` to `at` as kubectl writes it.

    >>> age("2026-01-01T00:00:00Z", parse_time("2026-01-01T01:30:00Z"))
    '90m'
    """
    try:
        span = at - parse_time(since) if at and since else None
    except UsageError:
        span = None
    return UNKNOWN if span is None else _span(span)


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, size, least in _UNITS:
        if seconds >= least:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def field(path: str, otherwise: str = "") -> Cell:
    """The value at a path, such as ``spec.type``; a list or a mapping as JSON."""
    steps = path.split(".")

    def cell(body: Body, _: datetime | None) -> str:
        value: Any = body
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None or value == "":
            return otherwise
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    return cell


def name(body: Body, _: datetime | None) -> str:
    """Its name."""
    return text(mapping(body, "metadata"), "name") or ""


def created(body: Body, at: datetime | None) -> str:
    """Its age."""
    return age(text(mapping(body, "metadata"), "creationTimestamp"), at)


def whole(of: dict[str, Any], key: str) -> int:
    """The number under `key`; zero where there is none."""
    value = of.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def number(path: str) -> Cell:
    """The number at a path such as ``status.readyReplicas``; zero where there is none."""
    above, _, key = path.rpartition(".")
    return lambda body, _: str(whole(mapping(body, above), key))


def replicas(body: Body, _: datetime | None) -> str:
    """How many are ready of how many are wanted."""
    spec = mapping(body, "spec")
    wanted = whole(spec, "replicas") if "replicas" in spec else 1
    return f"{whole(mapping(body, 'status'), 'readyReplicas')}/{wanted}"


def containers(key: str) -> Cell:
    """A field of every container of a workload, as its name or image."""

    def cell(body: Body, _: datetime | None) -> str:
        spec = mapping(mapping(mapping(body, "spec"), "template"), "spec")
        return ",".join(str(one.get(key, "")) for one in members(spec, "containers")) or NONE

    return cell


def labels(path: str) -> Cell:
    """A selector or node selector, as ``app=web,tier=a``."""
    above, _, key = path.rpartition(".")

    def cell(body: Body, _: datetime | None) -> str:
        held = body
        for step in above.split("."):
            held = mapping(held, step)
        return ",".join(f"{each}={value}" for each, value in mapping(held, key).items()) or NONE

    return cell


def count(key: str) -> Cell:
    """How many entries a mapping has; unknown where replay made the object, and nobody told."""

    def cell(body: Body, _: datetime | None) -> str:
        made = STAND_IN in mapping(mapping(body, "metadata"), "annotations")
        return UNKNOWN if made else str(len(mapping(body, key)))

    return cell


def condition(type_: str) -> Cell:
    """The status of a condition."""

    def cell(body: Body, _: datetime | None) -> str:
        found = members(mapping(body, "status"), "conditions")
        return next((str(one.get("status")) for one in found if one.get("type") == type_), "")

    return cell


def ports(body: Body, _: datetime | None) -> str:
    """The ports of a Service."""
    listed = members(mapping(body, "spec"), "ports")
    node = [f":{one['nodePort']}" if one.get("nodePort") else "" for one in listed]
    said = [f"{one.get('port')}{own}/{one.get('protocol', 'TCP')}" for one, own in zip(listed, node, strict=True)]
    return ",".join(said) or NONE


def external(body: Body, _: datetime | None) -> str:
    """The addresses of a Service from outside."""
    spec = mapping(body, "spec")
    ingress = members(mapping(mapping(body, "status"), "loadBalancer"), "ingress")
    found = [str(one.get("ip") or one.get("hostname")) for one in ingress]
    listed = spec.get("externalIPs")
    found += [str(one) for one in listed] if isinstance(listed, list) else []
    if spec.get("type") == "ExternalName":
        found.append(str(spec.get("externalName")))
    return ",".join(found) or ("<pending>" if spec.get("type") == "LoadBalancer" else NONE)


def roles(body: Body, _: datetime | None) -> str:
    """The roles of a Node."""
    start = "node-role.kubernetes.io/"
    held = mapping(mapping(body, "metadata"), "labels")
    return ",".join(sorted(str(key)[len(start) :] for key in held if str(key).startswith(start))) or NONE


def readiness(body: Body, _: datetime | None) -> str:
    """Whether a Node is ready, and whether pods may come to it."""
    said = {"True": "Ready", "": "Unknown"}.get(condition("Ready")(body, None), "NotReady")
    return f"{said},SchedulingDisabled" if mapping(body, "spec").get("unschedulable") is True else said


def addresses(body: Body, _: datetime | None) -> str:
    """The endpoints of an EndpointSlice."""
    lists = [one.get("addresses") for one in members(body, "endpoints")]
    return ",".join(str(each) for found in lists if isinstance(found, list) for each in found) or NONE
