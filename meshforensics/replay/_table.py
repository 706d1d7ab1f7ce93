"""Tables for ``kubectl get``: the columns that kubectl prints, ages as of the instant that is shown."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.formats.resources import Resource
from meshforensics.model import UsageError, parse_time
from meshforensics.replay._made import Body

Cells = list[Any]
Columns = tuple[tuple[str, str, int], ...]
"""Name, type and priority; a priority above 0 is printed by ``-o wide`` only."""


def as_table(
    resource: Resource, bodies: Iterable[Body], metadata: dict[str, Any], at: datetime | None, *, whole: bool = False
) -> dict[str, Any]:
    """The objects as a Table; each row carries the object's metadata, or the `whole` object."""
    columns, cells = _FORMS.get((resource.group, resource.kind), (_PLAIN, _plain))
    rows = [{"cells": cells(body, at), "object": body if whole else _metadata(body)} for body in bodies]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": name,
                "type": type_,
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": rank,
            }
            for name, type_, rank in columns
        ],
        "rows": rows,
    }


def age(since: str | None, at: datetime | None) -> str:
    """The time from `since` to `at` as kubectl writes it.

    >>> age("2026-01-01T00:00:00Z", parse_time("2026-01-01T01:30:00Z"))
    '90m'
    """
    try:
        span = at - parse_time(since) if at and since else None
    except UsageError:
        span = None
    return "<unknown>" if span is None else _span(span)


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, size, least in (("d", 86400, 172800), ("h", 3600, 10800), ("m", 60, 120)):
        if seconds >= least:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _metadata(body: Body) -> Body:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": mapping(body, "metadata")}


def _name(body: Body) -> str:
    return text(mapping(body, "metadata"), "name") or ""


def _age(body: Body, at: datetime | None) -> str:
    return age(text(mapping(body, "metadata"), "creationTimestamp"), at)


def _plain(body: Body, at: datetime | None) -> Cells:
    return [_name(body), _age(body, at)]


def _pod(body: Body, at: datetime | None) -> Cells:
    spec, status = mapping(body, "spec"), mapping(body, "status")
    statuses = [*members(status, "containerStatuses"), *_sidecars(spec, status)]
    total = len(members(spec, "containers")) + sum(_is_sidecar(one) for one in members(spec, "initContainers"))
    ready = sum(one.get("ready") is True for one in statuses)
    restarts = sum(int(one.get("restartCount") or 0) for one in statuses)
    return [
        _name(body),
        f"{ready}/{total}",
        _phase(body, statuses),
        str(restarts),
        _age(body, at),
        text(status, "podIP") or "<none>",
        text(spec, "nodeName") or "<none>",
    ]


def _is_sidecar(container: dict[str, Any]) -> bool:
    return container.get("restartPolicy") == "Always"


def _sidecars(spec: dict[str, Any], status: dict[str, Any]) -> list[dict[str, Any]]:
    native = {one.get("name") for one in members(spec, "initContainers") if _is_sidecar(one)}
    return [one for one in members(status, "initContainerStatuses") if one.get("name") in native]


def _phase(body: Body, statuses: list[dict[str, Any]]) -> str:
    """What kubectl writes as STATUS: why a container waits or ended, else the phase."""
    status = mapping(body, "status")
    if mapping(body, "metadata").get("deletionTimestamp"):
        return "Terminating"
    states = [mapping(one, "state") for one in statuses]
    reasons = [
        str(why) for state in states for key in ("waiting", "terminated") if (why := mapping(state, key).get("reason"))
    ]
    return next(iter(reasons), "") or text(status, "reason") or text(status, "phase") or "Unknown"


def _service(body: Body, at: datetime | None) -> Cells:
    spec = mapping(body, "spec")
    ports = ",".join(f"{one.get('port')}/{one.get('protocol', 'TCP')}" for one in members(spec, "ports"))
    address = text(spec, "clusterIP") or "<none>"
    return [_name(body), text(spec, "type") or "ClusterIP", address, ports or "<none>", _age(body, at)]


def _workload(body: Body, at: datetime | None) -> Cells:
    wanted = mapping(body, "spec").get("replicas", 1)
    ready = mapping(body, "status").get("readyReplicas", 0)
    return [_name(body), f"{ready}/{wanted}", _age(body, at)]


def _secret(body: Body, at: datetime | None) -> Cells:
    """How many keys it holds is known only where the object was captured, not a table of names."""
    held = body.get("data")
    return [_name(body), text(body, "type") or "", len(held) if isinstance(held, dict) else "<unknown>", _age(body, at)]


def _node(body: Body, at: datetime | None) -> Cells:
    status = mapping(body, "status")
    ready = [one.get("status") for one in members(status, "conditions") if one.get("type") == "Ready"]
    said = "Ready" if ready == ["True"] else "NotReady" if ready else "Unknown"
    return [_name(body), said, _age(body, at), text(mapping(status, "nodeInfo"), "kubeletVersion") or ""]


def _event(body: Body, at: datetime | None) -> Cells:
    about = mapping(body, "involvedObject") or mapping(body, "regarding")
    seen = text(body, "lastTimestamp") or text(body, "eventTime") or text(body, "firstTimestamp")
    return [
        age(seen, at),
        text(body, "type") or "",
        text(body, "reason") or "",
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        text(body, "message") or text(body, "note") or "",
    ]


def _columns(*names: str, wide: tuple[str, ...] = ()) -> Columns:
    return (*((name, "string", 0) for name in names), *((name, "string", 1) for name in wide))


_PLAIN = _columns("Name", "Age")
_WORKLOADS = _columns("Name", "Ready", "Age")
_FORMS: dict[tuple[str, str], tuple[Columns, Callable[[Body, datetime | None], Cells]]] = {
    ("", "Pod"): (_columns("Name", "Ready", "Status", "Restarts", "Age", wide=("IP", "Node")), _pod),
    ("", "Service"): (_columns("Name", "Type", "Cluster-IP", "Port(s)", "Age"), _service),
    ("", "Secret"): (_columns("Name", "Type", "Data", "Age"), _secret),
    ("", "Node"): (_columns("Name", "Status", "Age", "Version"), _node),
    ("", "Event"): (_columns("Last Seen", "Type", "Reason", "Object", "Message"), _event),
    ("apps", "Deployment"): (_WORKLOADS, _workload),
    ("apps", "StatefulSet"): (_WORKLOADS, _workload),
    ("apps", "ReplicaSet"): (_WORKLOADS, _workload),
}
