"""Pods as policies see them, and the mTLS mode that holds for each."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.tables import (
    ROOT_NAMESPACE,
    Policy,
    keys,
    mapping_in,
    policies_of,
    selects,
    spec_of,
    texts,
    true,
)

_REDIRECTED = "ambient.istio.io/redirection"
_GONE = ("Succeeded", "Failed")
DISABLE, PERMISSIVE, STRICT = "DISABLE", "PERMISSIVE", "STRICT"


class Workload(NamedTuple):
    """A pod, or what a policy's selector stands for where no pod is known; `name` is empty then."""

    namespace: str
    name: str
    labels: Mapping[str, Any]
    account: str = ""
    injected: bool | None = None
    ambient: bool = False


def workloads_in(pods: pd.DataFrame) -> list[Workload]:
    """Every pod that runs or is about to."""
    if pods.empty:
        return []
    live = pods[~pods["phase"].isin(_GONE)]
    injected = [None if pd.isna(each) else bool(each) for each in live["injected"]]
    ambient = [spec_of(notes).get(_REDIRECTED) == "enabled" for notes in texts(live["annotations"])]
    named = keys(live, "namespace", "pod", "labels", "service_account")
    return [
        Workload(namespace, pod, spec_of(labels), account, has, captured)
        for (namespace, pod, labels, account), has, captured in zip(named, injected, ambient, strict=True)
    ]


def root_of(mesh_config: pd.DataFrame) -> str:
    """The namespace whose policies are for the whole mesh."""
    said = set(texts(mesh_config["root_namespace"])) - {""} if len(mesh_config) else set()
    return said.pop() if len(said) == 1 else ROOT_NAMESPACE


class Modes:
    """Which mTLS mode the PeerAuthentications of a mesh give each workload and port."""

    def __init__(self, config: pd.DataFrame, root: str) -> None:
        ages = dict(zip(config.index, config["created_at"], strict=True)) if len(config) else {}
        self.root = root
        self.policies = sorted(policies_of(config, "PeerAuthentication"), key=lambda each: _age(ages, each))

    def of(self, workload: Workload, port: str = "") -> str:
        """The mode of a workload's port: its own policy's, its namespace's, the mesh's; the oldest of a scope wins."""
        chain = [each for each in (self._own(workload), self.wide(workload.namespace), self.wide(self.root)) if each]
        ports = mapping_in(chain[0].spec, "portLevelMtls") if chain and chain[0].selector else {}
        modes = [str(mapping_in(ports, port).get("mode") or "")] if port else []
        modes += [str(mapping_in(each.spec, "mtls").get("mode") or "") for each in chain]
        return next((mode for mode in modes if mode not in {"", "UNSET"}), PERMISSIVE)

    def _own(self, workload: Workload) -> Policy | None:
        fitting = (
            each
            for each in self.policies
            if each.selector
            and each.namespace == workload.namespace
            and selects(each, workload.namespace, workload.labels)
        )
        return next(fitting, None)

    def wide(self, namespace: str) -> Policy | None:
        """The policy in force for all of a namespace."""
        return next((each for each in self.policies if not each.selector and each.namespace == namespace), None)


def _age(ages: Mapping[Any, Any], policy: Policy) -> tuple[bool, float, str]:
    """The oldest first, then by name; without a time last."""
    created = ages.get(policy.index)
    if created is None or pd.isna(created):
        return True, 0.0, policy.object
    return False, pd.Timestamp(created).timestamp(), policy.object


def stands_for(policy: Policy, workloads: Iterable[Workload], root: str) -> list[Workload]:
    """The workloads that a policy selects; where none is known, what its selector stands for."""
    found = [each for each in workloads if selects(policy, each.namespace, each.labels, root)]
    return found or [Workload(policy.namespace, "", policy.selector)]


class Service(NamedTuple):
    """A Service with the ports it maps, as the table writes them."""

    namespace: str
    name: str
    selector: Mapping[str, Any]
    ports: tuple[str, ...]

    @property
    def host(self) -> str:
        """Its full name, without the cluster's domain."""
        return f"{self.name}.{self.namespace}.svc"

    def leads_to(self, workload: Workload) -> bool:
        """Whether it selects a workload."""
        return (
            bool(self.selector)
            and self.namespace == workload.namespace
            and all(workload.labels.get(key) == value for key, value in self.selector.items())
        )


def services_in(services: pd.DataFrame) -> list[Service]:
    """The Services that select pods."""
    if services.empty:
        return []
    said = zip(
        texts(services["namespace"]),
        texts(services["name"]),
        texts(services["selector"]),
        services["ports"],
        strict=True,
    )
    made = (
        Service(namespace, name, spec_of(selector), ports if isinstance(ports, tuple) else ())
        for namespace, name, selector, ports in said
    )
    return [each for each in made if each.selector]


class TlsRule(NamedTuple):
    """A DestinationRule that sets how its clients speak to a host."""

    object: str
    namespace: str
    host: str
    mode: str
    index: Any

    @property
    def reach(self) -> tuple[int, int]:
        """How specific its host is: an exact one before a wildcard, a long one before a short one."""
        return (0 if self.host.startswith("*") else 1, len(self.host))

    def is_for(self, host: str) -> bool:
        """Whether a host, ``name.namespace.svc`` without the cluster's domain, is one of its own."""
        said = self.host.removesuffix(".cluster.local")
        if said in {"*", "*.local"}:
            return True
        return host.endswith(said[1:]) if said.startswith("*") else host in {said, f"{said}.svc"}

    def covers(self, namespace: str) -> bool:
        """Whether it is for every host of a namespace."""
        return self.host.startswith("*") and self.is_for(f"any.{namespace}.svc")


def tls_rules_in(config: pd.DataFrame) -> list[TlsRule]:
    """The DestinationRules that set a TLS mode for all of a host; short hosts are of the rule's own namespace."""
    made = []
    for rule in policies_of(config, "DestinationRule"):
        said = str(rule.spec.get("host") or "")
        mode = str(mapping_in(rule.spec, "trafficPolicy", "tls").get("mode") or "")
        host = said if "." in said or said.startswith("*") else f"{said}.{rule.namespace}.svc"
        if said and mode:
            made.append(TlsRule(rule.object, rule.namespace, host, mode, rule.index))
    return sorted(made, key=lambda each: each.reach, reverse=True)


def system_pods(workloads: Iterable[Workload], root: str) -> list[Workload]:
    """The pods of the control plane and of Kubernetes itself, which no sidecar is meant for."""
    return [each for each in workloads if each.namespace == root or each.namespace.startswith("kube-")]


def known_injected(pods: pd.DataFrame) -> bool:
    """Whether any pod is told to have a sidecar: a mesh of which nothing is told says nothing."""
    return bool(len(pods)) and bool(true(pods["injected"], missing=False).any())
