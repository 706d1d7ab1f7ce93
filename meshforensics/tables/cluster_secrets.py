"""Secrets of Kubernetes: names and types, never a value."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from meshforensics.formats import kubectl
from meshforensics.formats.kubernetes import KubernetesObject, mapping, object_id, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import before, is_text_table, reads, rows


def _secret(one: KubernetesObject) -> Iterator[Row]:
    keys = _count(one.cells.get("Data")) if one.cells else len(mapping(one.body, "data"))
    yield one.pointer, one.namespace, one.name, one.object, text(one.body, "type"), keys, one.created_at


_objects = rows(["Secret"], _secret)


def _count(cell: object) -> int | None:
    """The number in a cell, which a server writes as such or as text; None where it does not say."""
    said = str(cell)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 18 else None


def _objects_or_text(reading: Reading) -> Iterable[Row] | None:
    if not is_text_table(reading):
        return _objects(reading)
    return [_from_table(row, reading.item.captured_at) for row in reading.decoded(kubectl.decode)]


def _from_table(row: kubectl.TextRow, captured_at: datetime | None) -> Row:
    cells = row.cells
    namespace, name = cells.get("NAMESPACE") or None, cells.get("NAME", "")
    age = kubectl.age_seconds(cells.get("AGE", ""))
    return (
        row.pointer,
        namespace,
        name,
        object_id("Secret", namespace, name),
        cells.get("TYPE"),
        _count(cells.get("DATA", "")),
        before(captured_at, age),
    )


cluster_secrets = Table(
    id="cluster_secrets",
    about="Kubernetes Secrets by name and type; their values are never captured.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace.", source="metadata.namespace"),
        Column("name", "category", about="Name.", source="metadata.name"),
        Column("object", "category", about="Secret:namespace/name.", source="metadata"),
        Column("type", "category", about="Type.", source="type"),
        Column("keys", "Int64", about="How many keys it holds.", source="data"),
        Column("created_at", "datetime64[us, UTC]", about="Creation, by its age.", source="creationTimestamp, AGE"),
    ),
    reads=reads(_objects_or_text, "kubernetes.secrets", "foreign.secrets"),
    distinct="object",
    sampled=True,
)
