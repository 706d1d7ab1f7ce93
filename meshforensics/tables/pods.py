"""Pods: what the API server knew of each, and what of a mesh is in it."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from meshforensics.formats import describe
from meshforensics.formats.kubernetes import KubernetesObject, decode, members, object_id, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import MESH_PROXIES, condition, is_true, json_text, objects, reads

_Owners = dict[tuple[str, str | None, str], tuple[str, str] | None]
_REVISION = "istio.io/rev"


def _rows(reading: Reading) -> Iterable[Row] | None:
    found = objects(reading, frozenset(["Pod"]))
    if found is None:
        return None
    owners = {
        (one.kind, one.namespace, one.name): one.owner
        for one in reading.decoded(decode)
        if one.kind in {"ReplicaSet", "Job"}
    }
    return [_pod(one, owners) for one in found]


def _pod(pod: KubernetesObject, owners: _Owners) -> Row:
    ready = condition(pod.status, "Ready")
    return (
        pod.pointer,
        pod.namespace,
        pod.name,
        pod.object,
        text(pod.status, "phase"),
        is_true(ready),
        text(pod.status, "reason") or _why_unscheduled(pod.status),
        text(pod.spec, "nodeName"),
        text(pod.status, "podIP"),
        text(pod.spec, "serviceAccountName") or text(pod.spec, "serviceAccount"),
        _workload(pod, owners),
        object_id(pod.owner[0], pod.namespace, pod.owner[1]) if pod.owner else None,
        _revision(pod),
        any(name in MESH_PROXIES for name, _ in _containers(pod.spec)),
        any(name in MESH_PROXIES and native for name, native in _containers(pod.spec)),
        pod.spec.get("hostNetwork") is True if pod.spec else None,
        pod.deleted_at is not None,
        text(condition(pod.status, "PodScheduled"), "lastTransitionTime"),
        text(pod.status, "startTime"),
        text(ready, "lastTransitionTime"),
        pod.created_at,
        text(pod.metadata, "uid"),
        json_text(pod.labels),
        json_text(pod.annotations),
    )


def _why_unscheduled(status: dict[str, Any]) -> str | None:
    scheduled = condition(status, "PodScheduled")
    return text(scheduled, "reason") if is_true(scheduled) is False else None


def _containers(spec: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Name of each container, and whether it is a native sidecar."""
    for one in members(spec, "containers"):
        yield str(one.get("name")), False
    for one in members(spec, "initContainers"):
        yield str(one.get("name")), one.get("restartPolicy") == "Always"


def _workload(pod: KubernetesObject, owners: _Owners) -> str | None:
    """The workload above the pod: through its ReplicaSet or Job where captured, else by the template hash."""
    if pod.owner is None or pod.owner[0] == "Node":
        return None
    kind, name = pod.owner
    above = owners.get((kind, pod.namespace, name))
    if above:
        return object_id(above[0], pod.namespace, above[1])
    template = str(pod.labels.get("pod-template-hash") or "")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        return object_id("Deployment", pod.namespace, name.removesuffix(f"-{template}"))
    return object_id(kind, pod.namespace, name)


def _revision(pod: KubernetesObject) -> str | None:
    said = pod.labels.get(_REVISION) or pod.annotations.get(_REVISION)
    if said:
        return str(said)
    try:
        status = msgspec.json.decode(str(pod.annotations.get("sidecar.istio.io/status", "{}")))
    except msgspec.DecodeError:
        return None
    return text(status, "revision") if isinstance(status, dict) else None


def _described(reading: Reading) -> Iterator[Row]:
    for pod in reading.decoded(describe.decode):
        if pod.kind == "Pod":
            yield _from_text(pod)


def _from_text(pod: describe.Described) -> Row:
    kind, slash, owner = pod.fields.get("Controlled By", "").partition("/")
    template = pod.labels.get("pod-template-hash", "")
    deployed = kind == "ReplicaSet" and bool(template) and owner.endswith(f"-{template}")
    workload = ("Deployment", owner.removesuffix(f"-{template}")) if deployed else (kind, owner)
    ready = pod.conditions.get("Ready")
    proxies = [one for one in pod.containers if one.name in MESH_PROXIES]
    return (
        pod.pointer,
        pod.namespace,
        pod.name,
        object_id("Pod", pod.namespace, pod.name),
        pod.fields.get("Status", "").partition(" ")[0] or None,
        None if ready is None else ready == "True",
        describe.said(pod.fields.get("Reason")),
        describe.said(pod.fields.get("Node", "").partition("/")[0]),
        describe.said(pod.fields.get("IP")),
        describe.said(pod.fields.get("Service Account")),
        object_id(workload[0], pod.namespace, workload[1]) if slash and kind != "Node" else None,
        object_id(kind, pod.namespace, owner) if slash else None,
        pod.labels.get(_REVISION) or pod.annotations.get(_REVISION),
        bool(proxies),
        any(one.role == "init" for one in proxies),
        None,
        pod.fields.get("Status", "").startswith("Terminating"),
        None,
        describe.time_of(pod.fields.get("Start Time")),
        None,
        None,
        None,
        json_text(pod.labels),
        json_text(pod.annotations),
    )


pods = Table(
    id="pods",
    about="Pods as the API server had them.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the pod.", source="metadata.namespace"),
        Column("pod", "category", about="Name of the pod.", source="metadata.name"),
        Column("object", "category", about="The pod as Kind:namespace/name.", source="metadata"),
        Column("phase", "category", about="Pending, Running, Succeeded, …", source="status.phase"),
        Column("ready", "boolean", about="Condition Ready.", source="status.conditions"),
        Column("reason", "category", about="Why it was evicted or not scheduled.", source="status"),
        Column("node", "category", about="Node it runs on.", source="spec.nodeName"),
        Column("ip", "category", about="Address of the pod.", source="status.podIP"),
        Column("service_account", "category", about="Service account.", source="spec.serviceAccountName"),
        Column("workload", "category", about="Workload above it, best effort.", source="metadata.ownerReferences"),
        Column("owner", "category", about="Controlling owner.", source="metadata.ownerReferences"),
        Column("revision", "category", about="Istio revision that injected it.", source="istio.io/rev"),
        Column("injected", "boolean", about="Has a mesh proxy among its containers.", source="spec"),
        Column("native_sidecar", "boolean", about="The proxy is an init container that stays.", source="spec"),
        Column(
            "host_network", "boolean", about="Shares its node's network; never injected.", source="spec.hostNetwork"
        ),
        Column("deleting", "boolean", about="Deletion was asked for.", source="metadata.deletionTimestamp"),
        Column("scheduled_at", "datetime64[us, UTC]", about="Given to its node.", source="status.conditions"),
        Column("started_at", "datetime64[us, UTC]", about="Accepted by the kubelet.", source="status.startTime"),
        Column("ready_changed_at", "datetime64[us, UTC]", about="Last change of Ready.", source="status.conditions"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("uid", "str", about="Unique id.", source="metadata.uid"),
        Column("labels", "str", about="Labels as JSON, keys sorted.", source="metadata.labels"),
        Column("annotations", "str", about="Annotations as JSON, keys sorted.", source="metadata.annotations"),
    ),
    reads={
        **reads(_rows, "kubernetes.pods", "foreign.k8s-resources", "foreign.pods"),
        "foreign.describe-pods": _described,
    },
    distinct=("namespace", "pod"),
    sampled=True,
)
