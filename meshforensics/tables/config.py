"""Config: the mesh's own configuration, as custom resources and ConfigMaps, with who changed it and when."""

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from meshforensics.formats.kubernetes import KubernetesObject, decode
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import json_text, number, objects, reads

_GROUPS = re.compile(
    r"(?:[a-z.]+\.)?istio\.io|gateway\.networking\.(?:x-)?k8s\.io|(?:[a-z]+\.)?linkerd\.io|[a-z]+\.smi-spec\.io"
)
_CONFIG_MAPS = re.compile(r"(?:istio|linkerd|ztunnel|kiali)(?:-.*)?")

_COLUMNS = (
    Column("namespace", "category", about="Namespace; missing for the cluster's own.", source="metadata.namespace"),
    Column("name", "category", about="Name.", source="metadata.name"),
    Column("kind", "category", about="Kind.", source="kind"),
    Column("group", "category", about="API group; empty for the core group.", source="apiVersion"),
    Column("api_version", "category", about="Group and version.", source="apiVersion"),
    Column("object", "category", about="Kind:namespace/name.", source="metadata"),
    Column("spec", "str", about="Its spec, or a ConfigMap's data, as JSON with sorted keys.", source="spec, data"),
    Column("status_json", "str", about="Its status as JSON with sorted keys.", source="status"),
    Column("labels", "str", about="Labels as JSON, keys sorted.", source="metadata.labels"),
    Column("annotations", "str", about="Annotations as JSON, keys sorted.", source="metadata.annotations"),
    Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
    Column("changed_at", "datetime64[us, UTC]", about="Last change beside its status.", source="managedFields"),
    Column("changed_by", "category", about="Field manager that changed it.", source="managedFields"),
    Column("generation", "Int64", about="Number of the newest spec.", source="metadata.generation"),
    Column("resource_version", "str", about="Version in the store.", source="metadata.resourceVersion"),
    Column("deleting", "boolean", about="Deletion was asked for.", source="metadata.deletionTimestamp"),
    Column("source_kind", "category", about="Kind of the item it was read from.", source="manifest"),
)


def _custom(reading: Reading) -> Iterable[Row] | None:
    """Rows of the mesh's resources; items of other plurals are not opened."""
    kind = reading.item.kind
    loose = kind == "kubernetes.objects"
    if kind.startswith("kubernetes.") and not loose and not is_promised(kind):
        return None
    found = [row for one in reading.decoded(decode) if is_of_mesh(one) for row in _row(one, kind)]
    return None if loose and not found else found


def is_of_mesh(one: KubernetesObject) -> bool:
    """Whether an object is a resource of a mesh."""
    return bool(_GROUPS.fullmatch(one.group)) and one.kind != "CustomResourceDefinition"


def is_promised(kind: str) -> bool:
    """Whether an item kind such as ``kubernetes.gateways.networking.istio.io`` is of a mesh's group."""
    return bool(_GROUPS.fullmatch(kind.split(".", 2)[2])) if kind.count(".") > 1 else False


def _maps(reading: Reading) -> Iterable[Row] | None:
    found = objects(reading, frozenset(["ConfigMap"]))
    if found is None:
        return None
    mesh = (one for one in found if _CONFIG_MAPS.fullmatch(one.name))
    return [row for one in mesh for row in _row(one, reading.item.kind)]


def _row(one: KubernetesObject, source: str) -> Iterator[Row]:
    changed_at, changed_by = one.changed
    version = one.metadata.get("resourceVersion")
    yield (
        one.pointer,
        one.namespace,
        one.name,
        one.kind,
        one.group,
        one.api_version,
        one.object,
        json_text(one.body.get("spec") or one.body.get("data")),
        json_text(one.body.get("status")),
        json_text(one.labels),
        json_text(one.annotations),
        one.created_at,
        changed_at,
        changed_by,
        number(one.metadata.get("generation")),
        None if version is None else str(version),
        one.deleted_at is not None,
        source,
    )


def _config(custom_resources: pd.DataFrame, config_maps: pd.DataFrame | None = None) -> pd.DataFrame:
    """Both as one; without the custom resources, ConfigMaps alone do not count as configuration captured."""
    maps = custom_resources.iloc[:0] if config_maps is None else config_maps
    # plain objects: categories of two frames differ, and concatenation of unequal ones loses the dtype
    return pd.concat([custom_resources.astype("object"), maps.astype("object")], ignore_index=True)


custom_resources = Table(
    id="custom_resources",
    about="Every Istio, Gateway API and Linkerd resource; the API server's copy before istiod's.",
    of="mesh",
    columns=_COLUMNS,
    reads={
        "kubernetes.*": _custom,
        "foreign.crs": _custom,
        "foreign.k8s-resources": lambda reading: _custom(reading) or None,
        "istiod.configz": _custom,
    },
    distinct=("group", "object"),
    sampled=True,
)

config_maps = Table(
    id="config_maps",
    about="The mesh's own ConfigMaps: mesh configuration, injection templates, root certificates.",
    of="mesh",
    columns=_COLUMNS,
    reads=reads(_maps, "kubernetes.configmaps", "foreign.k8s-resources"),
    distinct=("group", "object"),
    sampled=True,
)

config = Table(
    id="config",
    about="The mesh's configuration: custom resources and ConfigMaps.",
    of="mesh",
    columns=_COLUMNS,
    derives=_config,
    distinct=("group", "object"),
    sampled=True,
)
