"""Nodes and namespaces of the cluster."""

from collections.abc import Iterable, Iterator
from typing import Any

from meshforensics.formats import describe
from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import (
    bytes_of,
    condition,
    is_true,
    json_text,
    millicores_of,
    reads,
    rows,
)

_ZONE = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def _node(one: KubernetesObject) -> Iterator[Row]:
    ready = condition(one.status, "Ready")
    allocatable = mapping(one.status, "allocatable")
    addresses = {str(a.get("type")): str(a.get("address")) for a in members(one.status, "addresses")}
    yield (
        one.pointer,
        one.name,
        is_true(ready),
        text(ready, "reason"),
        text(ready, "lastTransitionTime"),
        tuple(sorted(p for p in _PRESSURES if is_true(condition(one.status, p)))),
        one.spec.get("unschedulable") is True,
        tuple(f"{t.get('key')}:{t.get('effect')}" for t in members(one.spec, "taints")),
        addresses.get("InternalIP"),
        _label(one.labels, _ZONE),
        _label(one.labels, _REGION),
        text(mapping(one.status, "nodeInfo"), "kubeletVersion"),
        bytes_of(allocatable.get("memory")),
        millicores_of(allocatable.get("cpu")),
        one.created_at,
    )


def _label(labels: dict[str, Any], names: Iterable[str]) -> str | None:
    return next((str(labels[name]) for name in names if labels.get(name)), None)


_objects = rows(["Node"], _node)


def _objects_or_text(reading: Reading) -> Iterable[Row] | None:
    """`describe nodes` up to about Istio 1.20, `get nodes -o yaml` after."""
    if not reading.payload.lstrip().startswith(b"Name:"):
        return _objects(reading)
    return [_from_text(one) for one in reading.decoded(describe.decode) if one.kind == "Node"]


def _from_text(one: describe.Described) -> Row:
    allocatable = one.sections.get("Allocatable", {})
    taint = describe.said(one.fields.get("Taints"))
    return (
        one.pointer,
        one.name,
        one.conditions["Ready"] == "True" if "Ready" in one.conditions else None,
        None,
        None,
        tuple(sorted(p for p in _PRESSURES if one.conditions.get(p) == "True")),
        one.fields.get("Unschedulable") == "true",
        (taint,) if taint else (),
        one.sections.get("Addresses", {}).get("InternalIP"),
        _label(one.labels, _ZONE),
        _label(one.labels, _REGION),
        one.sections.get("System Info", {}).get("Kubelet Version"),
        bytes_of(allocatable.get("memory")),
        millicores_of(allocatable.get("cpu")),
        describe.time_of(one.fields.get("CreationTimestamp")),
    )


def _namespace(one: KubernetesObject) -> Iterator[Row]:
    yield (
        one.pointer,
        one.name,
        text(one.status, "phase"),
        text(one.labels, "istio-injection") or text(one.annotations, "linkerd.io/inject"),
        text(one.labels, "istio.io/rev"),
        text(one.labels, "istio.io/dataplane-mode"),
        one.deleted_at is not None,
        one.created_at,
        json_text(one.labels),
    )


nodes = Table(
    id="nodes",
    about="Nodes of the cluster.",
    of="mesh",
    columns=(
        Column("node", "category", about="Name of the node.", source="metadata.name"),
        Column("ready", "boolean", about="Condition Ready.", source="status.conditions"),
        Column("reason", "category", about="Reason of the condition Ready.", source="status.conditions"),
        Column("ready_changed_at", "datetime64[us, UTC]", about="Last change of Ready.", source="status.conditions"),
        Column("pressures", "object", about="Conditions of shortage that are true.", source="status.conditions"),
        Column("unschedulable", "boolean", about="Cordoned.", source="spec.unschedulable"),
        Column("taints", "object", about="Taints as key:effect.", source="spec.taints"),
        Column("ip", "category", about="Internal address.", source="status.addresses"),
        Column("zone", "category", about="Zone.", source="topology.kubernetes.io/zone"),
        Column("region", "category", about="Region.", source="topology.kubernetes.io/region"),
        Column("kubelet_version", "category", about="Version of its kubelet.", source="status.nodeInfo"),
        Column("memory_bytes", "Int64", unit="bytes", about="Memory that pods may use.", source="allocatable"),
        Column("cpu_m", "Int64", unit="millicores", about="CPU that pods may use.", source="allocatable"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
    ),
    reads=reads(
        _objects_or_text,
        "kubernetes.nodes",
        "foreign.k8s-cluster-resources",
        "foreign.nodes",
        "foreign.k8s-resources",
    ),
    distinct="node",
    sampled=True,
)

namespaces = Table(
    id="namespaces",
    about="Namespaces, and whether a mesh takes their pods in.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Name of the namespace.", source="metadata.name"),
        Column("phase", "category", about="Active or Terminating.", source="status.phase"),
        Column(
            "injection",
            "category",
            about="enabled, disabled or missing.",
            source="istio-injection, linkerd.io/inject",
        ),
        Column("revision", "category", about="Istio revision that injects.", source="istio.io/rev"),
        Column("dataplane_mode", "category", about="ambient or none.", source="istio.io/dataplane-mode"),
        Column("deleting", "boolean", about="Deletion was asked for.", source="metadata.deletionTimestamp"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("labels", "str", about="Labels as JSON, keys sorted.", source="metadata.labels"),
    ),
    reads=reads(
        rows(["Namespace"], _namespace),
        "kubernetes.namespaces",
        "foreign.k8s-cluster-resources",
        "foreign.k8s-resources",
    ),
    distinct="namespace",
    sampled=True,
)
