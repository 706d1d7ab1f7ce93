"""Objects that replay makes because none was captured: Pods that stand in, and rows of tables that kubectl printed."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

from meshforensics.formats import kubectl
from meshforensics.formats.kubectl import TextRow
from meshforensics.formats.kubernetes import STAND_IN, KubernetesObject
from meshforensics.model import Item, NotTheFormError, format_time

_WHY = "no Pod object was captured; this one stands for the pages and logs of the pod"

Body = dict[str, Any]


def stand_in(namespace: str, name: str, kinds: Collection[str], revision: str = "") -> Body:
    """A Pod for evidence whose Pod object was not captured: its name, its containers that are known, nothing else.

    One whose pages came did run; an istiod has the labels by which istioctl finds it, and as its chart has it wants no
    sidecar.

    >>> stand_in("istio-system", "istiod-1", {"log.discovery"}, "default")["metadata"]["labels"]
    {'app': 'istiod', 'istio': 'pilot', 'sidecar.istio.io/inject': 'false', 'istio.io/rev': 'default'}
    """
    logs = {kind.split(".")[1] for kind in kinds if kind.startswith("log.")}
    if any(kind.startswith("envoy.") for kind in kinds):
        logs.add("istio-proxy")
    if any(kind.startswith("istiod.") for kind in kinds):
        logs.add("discovery")
    labels = {"app": "ztunnel"} if "ztunnel" in logs else {}
    if "discovery" in logs:
        labels = {"app": "istiod", "istio": "pilot", "sidecar.istio.io/inject": "false"}
        labels |= {"istio.io/rev": revision} if revision else {}
    answered = any(not kind.startswith("log.") for kind in kinds)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": {STAND_IN: _WHY}},
        "spec": {"containers": [{"name": each} for each in sorted(logs)]},
        "status": {"phase": "Running"} if answered else {},
    }


def printed(item: Item, payload: bytes) -> tuple[KubernetesObject, ...] | None:
    """The objects that a printed table tells of; None when the item is no such table.

    Ages are counted back from the capture of the table.
    """
    make = _MAKE.get(item.kind)
    if make is None:
        return None
    try:
        return tuple(make(item, kubectl.decode(payload)))
    except NotTheFormError:
        return None


def _events(item: Item, rows: tuple[TextRow, ...]) -> Iterator[KubernetesObject]:
    for row in rows:
        cells = row.cells
        word, _, name = cells.get("OBJECT", "").partition("/")
        namespace = cells.get("NAMESPACE", "")
        kind = kubectl.kind_of(word)
        component, _, host = cells.get("SOURCE", "").partition(", ")
        body = {
            "metadata": _metadata(item, row, namespace, cells.get("NAME") or f"{name}.{row.pointer.lower()}"),
            "involvedObject": {"kind": kind, "name": name, **({"namespace": namespace} if kind != "Node" else {})},
            "type": cells.get("TYPE", ""),
            "reason": cells.get("REASON", ""),
            "message": cells.get("MESSAGE", ""),
            "source": {key: said for key, said in (("component", component), ("host", host)) if said},
            **_when(item, cells, "LAST SEEN", "lastTimestamp"),
            **_when(item, cells, "FIRST SEEN" if "FIRST SEEN" in cells else "LAST SEEN", "firstTimestamp"),
        }
        count = cells.get("COUNT", "")
        body["count"] = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else 1
        yield _object("Event", "v1", row, body)


def _secrets(item: Item, rows: tuple[TextRow, ...]) -> Iterator[KubernetesObject]:
    for row in rows:
        cells = row.cells
        if cells.get("NAME"):
            metadata = _metadata(item, row, cells.get("NAMESPACE", ""), cells["NAME"])
            metadata |= _when(item, cells, "AGE", "creationTimestamp")
            yield _object("Secret", "v1", row, {"metadata": metadata, "type": cells.get("TYPE", "")})


def _usage(item: Item, rows: tuple[TextRow, ...]) -> Iterator[KubernetesObject]:
    """One PodMetrics a pod; a table without containers gives it one without a name."""
    whose = [row for row in rows if "CPU%" not in row.cells]  # of nodes
    for (namespace, pod), own in groupby(whose, key=_pod):
        lines = list(own)
        body = {
            "metadata": _metadata(item, lines[0], namespace, pod),
            "window": "0s",
            "containers": [
                {
                    "name": line.cells.get("NAME", "") if "POD" in line.cells else "",
                    "usage": {"cpu": _cell(line, "CPU"), "memory": _cell(line, "MEMORY")},
                }
                for line in lines
            ],
        }
        yield _object("PodMetrics", "metrics.k8s.io/v1beta1", lines[0], body)


def _pod(row: TextRow) -> tuple[str, str]:
    return row.cells.get("NAMESPACE", ""), row.cells.get("POD") or row.cells.get("NAME", "")


def _cell(row: TextRow, beginning: str) -> str:
    return next((text for name, text in row.cells.items() if name.startswith(beginning)), "")


def _metadata(item: Item, row: TextRow, namespace: str, name: str) -> Body:
    why = f"made of a line that kubectl printed: {item.kind}, {row.pointer}"
    return {"name": name, "namespace": namespace, "annotations": {STAND_IN: why}}


def _when(item: Item, cells: dict[str, str], column: str, field: str) -> Body:
    """The instant that an age tells, under the name of a field; nothing where it tells none."""
    seconds = kubectl.age_seconds(cells.get(column, ""))
    if item.captured_at is None or seconds is None:
        return {}
    try:
        return {field: format_time(item.captured_at - timedelta(seconds=seconds))}
    except OverflowError:
        return {}


def _object(kind: str, version: str, row: TextRow, body: Body) -> KubernetesObject:
    metadata = body["metadata"]
    return KubernetesObject(kind, version, metadata["namespace"] or None, metadata["name"], row.pointer, body)


_MAKE = {"foreign.events": _events, "foreign.secrets": _secrets, "foreign.top-pods": _usage}
