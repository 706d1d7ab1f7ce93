"""Events of the cluster, from objects and from kubectl's table."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from meshforensics.formats import kubectl
from meshforensics.formats.kubernetes import KubernetesObject, mapping, object_id, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import before, is_text_table, number, reads, rows


def _event(one: KubernetesObject) -> Iterator[Row]:
    about = mapping(one.body, "involvedObject") or mapping(one.body, "regarding")
    series = mapping(one.body, "series")
    when = (text(series, "lastObservedTime"), *(text(one.body, key) for key in _LAST), one.created_at)
    first = (text(one.body, "firstTimestamp"), text(one.body, "deprecatedFirstTimestamp"))
    source = mapping(one.body, "source") or mapping(one.body, "deprecatedSource")
    namespace = text(about, "namespace") or (one.namespace if about.get("kind") != "Node" else None)
    yield (
        one.pointer,
        f"{one.namespace or ''}/{one.name or one.pointer}",
        next((at for at in when if at), None),
        next((at for at in (*first, text(one.body, "eventTime"), one.created_at) if at), None),
        namespace,
        *_about(str(about.get("kind") or ""), namespace, str(about.get("name") or "")),
        _container(text(about, "fieldPath")),
        text(one.body, "type"),
        text(one.body, "reason"),
        str(one.body.get("message") or one.body.get("note") or ""),
        _count(one.body, series),
        text(source, "component") or text(one.body, "reportingComponent") or text(one.body, "reportingController"),
    )


_LAST = ("lastTimestamp", "deprecatedLastTimestamp", "eventTime")


def _count(body: dict[str, Any], series: dict[str, Any]) -> int:
    counts = (number(of) for of in (series.get("count"), body.get("count"), body.get("deprecatedCount")))
    return next((count for count in counts if count), 1)


def _about(kind: str, namespace: str | None, name: str) -> tuple[str, str, str]:
    return kind, name, object_id(kind, namespace, name)


_CONTAINER = re.compile(r"spec\.\w*[cC]ontainers\{([^}]+)\}\Z")


def _container(field: str | None) -> str | None:
    """The container of a pod that a field's path names: ``spec.containers{istio-proxy}``."""
    found = _CONTAINER.match(field or "")
    return found[1] if found else None


_objects = rows(["Event"], _event)


def _objects_or_text(reading: Reading) -> Iterable[Row] | None:
    return _from_table(reading) if is_text_table(reading) else _objects(reading)


def _from_table(reading: Reading) -> Iterator[Row]:
    for row in reading.decoded(kubectl.decode):
        cells = row.cells
        kind, _, name = cells.get("OBJECT", "").partition("/")
        own = kubectl.kind_of(kind)
        namespace = cells.get("NAMESPACE") if own != "Node" else None
        first = kubectl.age_seconds(cells.get("FIRST SEEN", ""))
        last = kubectl.age_seconds(cells.get("LAST SEEN", ""))
        count = cells.get("COUNT", "")
        yield (
            row.pointer,
            f"{cells.get('NAMESPACE', '')}/{cells.get('NAME') or row.pointer}",
            before(reading.item.captured_at, last),
            before(reading.item.captured_at, last if first is None else first),
            namespace or None,
            *_about(own, namespace, name),
            _container(cells.get("SUBOBJECT")),
            cells.get("TYPE"),
            cells.get("REASON"),
            cells.get("MESSAGE", ""),
            int(count) if count.isascii() and count.isdigit() and len(count) < 18 else 1,
            cells.get("SOURCE", "").partition(",")[0] or None,
        )


events = Table(
    id="events",
    about="Events of the cluster; ages of a printed table are counted back from the capture.",
    of="mesh",
    columns=(
        Column("event", "str", about="The event itself as namespace/name.", source="metadata.name"),
        Column("at", "datetime64[us, UTC]", about="When it was seen last.", source="lastTimestamp, eventTime"),
        Column("first_at", "datetime64[us, UTC]", about="When it was seen first.", source="firstTimestamp"),
        Column("namespace", "category", about="Namespace of the object.", source="involvedObject.namespace"),
        Column("kind", "category", about="Kind of the object.", source="involvedObject.kind"),
        Column("name", "category", about="Name of the object.", source="involvedObject.name"),
        Column("object", "category", about="The object as Kind:namespace/name.", source="involvedObject"),
        Column("container", "category", about="Container of the pod; missing for none.", source="fieldPath"),
        Column("type", "category", about="Normal or Warning.", source="type"),
        Column("reason", "category", about="Reason, one word.", source="reason"),
        Column("message", "str", about="What happened.", source="message"),
        Column("count", "Int64", about="How often.", source="count, series.count"),
        Column("source", "category", about="Who says so.", source="source.component"),
    ),
    reads=reads(
        _objects_or_text,
        "kubernetes.events",
        "kubernetes.events.events.k8s.io",
        "foreign.k8s-resources",
        "foreign.events",
    ),
    distinct="event",
    sampled=True,
)
