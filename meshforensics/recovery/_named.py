"""Names of objects, each one that Kubernetes allows; anything else of the evidence is set apart."""

import json
from dataclasses import dataclass

from meshforensics.recovery._command import PLACEHOLDERS, is_name

PLURALS = {
    "AuthorizationPolicy": "authorizationpolicies.security.istio.io",
    "DestinationRule": "destinationrules.networking.istio.io",
    "EnvoyFilter": "envoyfilters.networking.istio.io",
    "Gateway": "gateways.networking.istio.io",
    "PeerAuthentication": "peerauthentications.security.istio.io",
    "ProxyConfig": "proxyconfigs.networking.istio.io",
    "RequestAuthentication": "requestauthentications.security.istio.io",
    "ServiceEntry": "serviceentries.networking.istio.io",
    "Sidecar": "sidecars.networking.istio.io",
    "Telemetry": "telemetries.telemetry.istio.io",
    "VirtualService": "virtualservices.networking.istio.io",
    "WasmPlugin": "wasmplugins.extensions.istio.io",
    "WorkloadEntry": "workloadentries.networking.istio.io",
    "WorkloadGroup": "workloadgroups.networking.istio.io",
}
"""Kinds of Istio with the name that kubectl asks for."""

OF_THE_GATEWAY_API = {
    "Gateway": "gateways.gateway.networking.k8s.io",
    "HTTPRoute": "httproutes.gateway.networking.k8s.io",
    "GRPCRoute": "grpcroutes.gateway.networking.k8s.io",
}
SHORT = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds"}


@dataclass(frozen=True, kw_only=True, order=True)
class Named:
    """An object by kind, namespace and name, each a name that Kubernetes allows (or a placeholder)."""

    namespace: str
    kind: str
    name: str

    @property
    def short(self) -> str:
        """``deploy/web``, as kubectl takes it."""
        return f"{_kind(self.kind)}/{self.name}"

    @property
    def subject(self) -> str:
        """``Deployment:shop/web``."""
        return f"{self.kind}:{self.namespace}/{self.name}"


def _kind(kind: str) -> str:
    return kind if kind in PLACEHOLDERS else SHORT.get(kind) or PLURALS.get(kind) or kind.lower()


class Sorter:
    """Makes names of texts, and keeps those that are none."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def named(self, kind: str, namespace: str, name: str) -> Named | None:
        """The object of that name, or None."""
        if kind.isalpha() and is_name(namespace) and is_name(name):
            return Named(kind=kind, namespace=namespace, name=name)
        self.refused.add(f"{kind}:{namespace}/{name}")
        return None

    def of(self, subject: str) -> Named | None:
        """The object of ``Kind:namespace/name``."""
        kind, _, rest = subject.partition(":")
        namespace, _, name = rest.partition("/")
        return self.named(kind, namespace, name)


Pod = tuple[str, str]
"""Namespace and name."""


def labels_in(payload: str) -> dict[str, str]:
    """The labels in a JSON object; none where it is none."""
    try:
        read = json.loads(payload) if payload else {}
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return {key: value for key, value in read.items() if isinstance(value, str)}
