"""Workloads: what keeps pods, and how far it has got."""

from collections.abc import Iterator

from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, object_id, text
from meshforensics.tables._declare import Column, Row, Table
from meshforensics.tables._kubernetes import json_text, number, reads, rows

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout")


def _workload(one: KubernetesObject) -> Iterator[Row]:
    spec, status = one.spec, one.status
    pod = mapping(mapping(spec, "template"), "spec")
    strategy = mapping(spec, "strategy") or mapping(spec, "updateStrategy")
    changed_at, changed_by = one.changed
    yield (
        one.pointer,
        one.namespace,
        one.name,
        one.kind,
        one.object,
        _first(number(spec.get("replicas")), number(status.get("desiredNumberScheduled"))),
        _first(number(status.get("readyReplicas")), number(status.get("numberReady"))),
        _first(number(status.get("updatedReplicas")), number(status.get("updatedNumberScheduled"))),
        _first(number(status.get("availableReplicas")), number(status.get("numberAvailable"))),
        tuple(str(c.get("image") or "") for c in members(pod, "containers")),
        object_id(one.owner[0], one.namespace, one.owner[1]) if one.owner else None,
        text(strategy, "type"),
        json_text(mapping(mapping(spec, "selector"), "matchLabels")),
        json_text(one.labels),
        json_text(mapping(mapping(spec, "template"), "metadata").get("labels")),
        number(one.metadata.get("generation")),
        number(status.get("observedGeneration")),
        one.created_at,
        changed_at,
        changed_by,
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


workloads = Table(
    id="workloads",
    about="Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and the like.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace.", source="metadata.namespace"),
        Column("name", "category", about="Name.", source="metadata.name"),
        Column("kind", "category", about="Kind.", source="kind"),
        Column("object", "category", about="Kind:namespace/name.", source="metadata"),
        Column("replicas", "Int64", about="Pods that are wanted.", source="spec.replicas"),
        Column("ready_replicas", "Int64", about="Pods that are ready; none is missing.", source="status"),
        Column("updated_replicas", "Int64", about="Pods of the newest template.", source="status"),
        Column("available_replicas", "Int64", about="Pods ready for long enough.", source="status"),
        Column("images", "object", about="Images of the containers.", source="spec.template.spec.containers"),
        Column("owner", "category", about="Controlling owner.", source="metadata.ownerReferences"),
        Column("strategy", "category", about="How it is rolled out.", source="spec.strategy"),
        Column("selector", "str", about="Labels it selects by, as JSON.", source="spec.selector.matchLabels"),
        Column("labels", "str", about="Its own labels as JSON, keys sorted.", source="metadata.labels"),
        Column("pod_labels", "str", about="Labels of its pods as JSON.", source="spec.template.metadata.labels"),
        Column("generation", "Int64", about="Number of the newest spec.", source="metadata.generation"),
        Column("observed_generation", "Int64", about="Number of the spec acted on.", source="status"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("changed_at", "datetime64[us, UTC]", about="Last change of its spec.", source="managedFields"),
        Column("changed_by", "category", about="Field manager that changed it.", source="managedFields"),
    ),
    reads=reads(
        rows(_KINDS, _workload),
        "kubernetes.deployments.apps",
        "kubernetes.statefulsets.apps",
        "kubernetes.daemonsets.apps",
        "kubernetes.replicasets.apps",
        "kubernetes.jobs.batch",
        "kubernetes.cronjobs.batch",
        "kubernetes.rollouts.argoproj.io",
        "kubernetes.deployments",
        "kubernetes.statefulsets",
        "kubernetes.daemonsets",
        "kubernetes.replicasets",
        "kubernetes.jobs",
        "kubernetes.cronjobs",
        "foreign.k8s-resources",
        "foreign.crs",
    ),
    distinct="object",
    sampled=True,
)
