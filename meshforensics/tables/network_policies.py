"""NetworkPolicies: what Kubernetes lets into and out of pods, below any mesh."""

from collections.abc import Iterator

from meshforensics.formats.kubernetes import KubernetesObject, mapping, members
from meshforensics.tables._declare import Column, Row, Table
from meshforensics.tables._kubernetes import json_text, reads, rows


def _policy(one: KubernetesObject) -> Iterator[Row]:
    changed_at, _ = one.changed
    types = one.spec.get("policyTypes")
    rules = members(one.spec, "ingress")
    yield (
        one.pointer,
        one.namespace,
        one.name,
        one.object,
        json_text(mapping(one.spec, "podSelector").get("matchLabels")),
        bool(mapping(one.spec, "podSelector").get("matchExpressions")),
        tuple(str(each) for each in types) if isinstance(types, list) else ("Ingress",),
        None if any(not members(rule, "ports") for rule in rules) else tuple(_ports(rules)),
        one.created_at,
        changed_at,
    )


def _ports(rules: list[dict[str, object]]) -> Iterator[str]:
    """``15008``, ``http`` or ``8000-9000`` of each port of each rule; ``*`` for one without a number."""
    for port in (each for rule in rules for each in members(rule, "ports")):
        first, last = port.get("port"), port.get("endPort")
        yield "*" if first is None else str(first) if last is None else f"{first}-{last}"


network_policies = Table(
    id="network_policies",
    about="NetworkPolicies, and to which ports each lets in.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the pods that it is for.", source="metadata.namespace"),
        Column("name", "category", about="Name.", source="metadata.name"),
        Column("object", "category", about="NetworkPolicy:namespace/name.", source="metadata"),
        Column(
            "selector", "str", about="Labels of the pods it is for, as JSON; missing for all.", source="podSelector"
        ),
        Column("expressions", "boolean", about="Selects by expressions too.", source="podSelector.matchExpressions"),
        Column("types", "object", about="Ingress, Egress or both, as tuple.", source="policyTypes"),
        Column(
            "ports",
            "object",
            about="Ports that it lets in to, as tuple: a number, a name, first-last or *; missing where a rule is for "
            "every port.",
            source="ingress[].ports",
        ),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("changed_at", "datetime64[us, UTC]", about="Last change of its spec.", source="managedFields"),
    ),
    reads=reads(
        rows(("NetworkPolicy",), _policy),
        "kubernetes.networkpolicies.networking.k8s.io",
        "kubernetes.networkpolicies",
        "foreign.k8s-resources",
    ),
    distinct=("object",),
)
