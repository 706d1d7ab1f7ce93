"""Field managers: who changed which part of the mesh's objects, and by what (`metadata.managedFields`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshforensics.formats.kubernetes import KubernetesObject, decode, mapping, members, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables.config import is_of_mesh, is_promised

_META = ("f:metadata", "f:status")


def _rows(reading: Reading) -> Iterable[Row] | None:
    """Rows of the mesh's own objects; None where the item holds none and promises none."""
    kind = reading.item.kind
    promised = is_promised(kind)
    if kind.startswith("kubernetes.") and kind != "kubernetes.objects" and not promised:
        return None
    own = [one for one in reading.decoded(decode) if is_of_mesh(one)]
    return [row for one in own for row in _managers(one)] if own or promised else None


def _managers(one: KubernetesObject) -> Iterator[Row]:
    for number, entry in enumerate(members(one.metadata, "managedFields")):
        fields = mapping(entry, "fieldsV1")
        yield (
            f"{one.pointer}/metadata/managedFields/{number}",
            one.namespace,
            one.object,
            text(entry, "manager"),
            text(entry, "operation"),
            text(entry, "time"),
            text(entry, "subresource"),
            tuple(_paths({key: value for key, value in fields.items() if key not in _META})),
        )


def _paths(fields: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Names of the fields, two deep: ``spec.http``; what stands in lists is of its list."""
    for key, inner in fields.items():
        if key.startswith("f:"):
            name = f"{before}{key[2:]}"
            deeper = isinstance(inner, dict) and any(each.startswith("f:") for each in inner)
            if deeper and not before:
                yield from _paths(inner, f"{name}.")
            else:
                yield name


field_managers = Table(
    id="field_managers",
    about="Who manages which fields of the mesh's objects: a row per object and entry of managedFields.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the object.", source="metadata.namespace"),
        Column("object", "category", about="The object as Kind:namespace/name.", source="metadata"),
        Column("manager", "category", about="Program that changed it.", source="managedFields[].manager"),
        Column("operation", "category", about="Apply or Update.", source="managedFields[].operation"),
        Column("at", "datetime64[us, UTC]", about="Its last change.", source="managedFields[].time"),
        Column("subresource", "category", about="status, scale, …; missing for the object.", source="subresource"),
        Column("fields", "object", about="Fields beside metadata and status, as tuple.", source="fieldsV1"),
    ),
    reads=dict.fromkeys(("kubernetes.*", "foreign.crs", "foreign.k8s-resources", "istiod.configz"), _rows),
    distinct=("object", "manager", "operation", "subresource"),
    sampled=True,
)
