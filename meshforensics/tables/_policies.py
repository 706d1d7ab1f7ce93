"""AuthorizationPolicies as Istio reads them: which workloads one is for."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.tables._frames import text, texts
from meshforensics.tables._objects import mapping_in, members_in, spec_of

ROOT_NAMESPACE = "istio-system"
_GATEWAY = "gateway.networking.k8s.io/gateway-name"


class Policy(NamedTuple):
    """One AuthorizationPolicy, PeerAuthentication or RequestAuthentication.

    Attributes:
        selector: labels of the workloads it is for; empty for all of its namespace.
        targets: kinds and names that it is attached to in place of a selector.
        enforced: false for a dry run.
    """

    object: str
    namespace: str
    spec: Mapping[str, Any]
    action: str
    selector: Mapping[str, Any]
    targets: tuple[tuple[str, str], ...]
    rules: list[Any]
    enforced: bool
    index: Any

    @property
    def has_selector(self) -> bool:
        """Whether it is for some workloads only."""
        return bool(self.selector) or bool(self.targets)


def policies_of(config: pd.DataFrame, kind: str = "AuthorizationPolicy") -> list[Policy]:
    """The policies of a kind, in the order of the table; `index` is the row of each."""
    if config.empty:
        return []
    rows = config[text(config["kind"]) == kind]
    said = zip(
        texts(rows["object"]), texts(rows["namespace"]), texts(rows["spec"]), texts(rows["annotations"]), rows.index,
        strict=True,
    )  # fmt: skip
    return [_policy(name, namespace, spec_of(spec), spec_of(notes), at) for name, namespace, spec, notes, at in said]


def _policy(name: str, namespace: str, spec: Mapping[str, Any], notes: Mapping[str, Any], at: Any) -> Policy:
    refs = [*members_in(spec, "targetRefs"), spec.get("targetRef")]
    return Policy(
        object=name,
        namespace=namespace,
        spec=spec,
        action=str(spec.get("action") or "ALLOW"),
        selector=mapping_in(spec, "selector", "matchLabels"),
        targets=tuple((str(ref.get("kind")), str(ref.get("name"))) for ref in refs if isinstance(ref, dict)),
        rules=members_in(spec, "rules"),
        enforced=str(notes.get("istio.io/dry-run")).lower() != "true",
        index=at,
    )


def selects(policy: Policy, namespace: str, labels: Mapping[str, Any], root: str = ROOT_NAMESPACE) -> bool:
    """Whether a policy is for a workload of some labels; the root namespace's are for all namespaces."""
    if policy.namespace not in {namespace, root}:
        return False
    if policy.targets:
        return any(kind == "Gateway" and labels.get(_GATEWAY) == name for kind, name in policy.targets)
    return all(labels.get(key) == value for key, value in policy.selector.items())
