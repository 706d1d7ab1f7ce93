"""API resources of Kubernetes and of meshes: which plural, group and versions a kind has.

Source: the discovery documents of Kubernetes 1.34, Istio 1.31, Gateway API 1.5, Linkerd 2.18, Argo Rollouts 1.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of an API server.

    Attributes:
        kind: kind of its objects.
        plural: its name in paths.
        group: its API group; empty for the core group.
        versions: versions that are known, the preferred one first.
        namespaced: whether its objects lie in namespaces.
        short: its short names.
    """

    kind: str
    plural: str
    group: str
    versions: tuple[str, ...]
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def item_kind(self) -> str:
        """The kind of bundle items that hold its lists: ``kubernetes.<plural>[.<group>]``."""
        if (self.group, self.plural) == ("metrics.k8s.io", "pods"):
            return "kubernetes.usage"
        return f"kubernetes.{self.plural}.{self.group}" if self.group else f"kubernetes.{self.plural}"


def _of(group: str, versions: str, *names: str, namespaced: bool = True) -> Iterator[Resource]:
    """Resources of one group, each written as ``Kind plural short…``."""
    for line in names:
        kind, plural, *short = line.split()
        yield Resource(
            kind=kind,
            plural=plural,
            group=group,
            versions=tuple(versions.split()),
            namespaced=namespaced,
            short=tuple(short),
        )


RESOURCES: tuple[Resource, ...] = (
    *_of("", "v1", "Pod pods po", "Service services svc", "Endpoints endpoints ep", "ConfigMap configmaps cm",
         "Event events ev", "Secret secrets", "ServiceAccount serviceaccounts sa"),
    *_of("", "v1", "Node nodes no", "Namespace namespaces ns", namespaced=False),
    *_of("apps", "v1", "Deployment deployments deploy", "ReplicaSet replicasets rs", "StatefulSet statefulsets sts",
         "DaemonSet daemonsets ds"),
    *_of("batch", "v1", "Job jobs", "CronJob cronjobs cj"),
    *_of("discovery.k8s.io", "v1", "EndpointSlice endpointslices"),
    *_of("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration mutatingwebhookconfigurations",
         "ValidatingWebhookConfiguration validatingwebhookconfigurations", namespaced=False),
    *_of("apiextensions.k8s.io", "v1", "CustomResourceDefinition customresourcedefinitions crd crds",
         namespaced=False),
    *_of("admissionregistration.k8s.io", "v1 v1beta1", "ValidatingAdmissionPolicy validatingadmissionpolicies",
         "ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings", namespaced=False),
    *_of("networking.k8s.io", "v1", "NetworkPolicy networkpolicies netpol", "Ingress ingresses ing"),
    *_of("policy.networking.k8s.io", "v1alpha1", "AdminNetworkPolicy adminnetworkpolicies anp",
         "BaselineAdminNetworkPolicy baselineadminnetworkpolicies banp", namespaced=False),
    *_of("policy", "v1", "PodDisruptionBudget poddisruptionbudgets pdb"),
    *_of("networking.istio.io", "v1 v1beta1 v1alpha3", "VirtualService virtualservices vs",
         "DestinationRule destinationrules dr", "Gateway gateways gw", "ServiceEntry serviceentries se",
         "Sidecar sidecars", "WorkloadEntry workloadentries we", "WorkloadGroup workloadgroups wg"),
    *_of("networking.istio.io", "v1alpha3", "EnvoyFilter envoyfilters"),
    *_of("networking.istio.io", "v1beta1", "ProxyConfig proxyconfigs"),
    *_of("security.istio.io", "v1 v1beta1", "PeerAuthentication peerauthentications pa",
         "AuthorizationPolicy authorizationpolicies ap", "RequestAuthentication requestauthentications ra"),
    *_of("telemetry.istio.io", "v1 v1alpha1", "Telemetry telemetries telemetry"),
    *_of("extensions.istio.io", "v1alpha1", "WasmPlugin wasmplugins", "TrafficExtension trafficextensions"),
    *_of("gateway.networking.k8s.io", "v1 v1beta1 v1alpha2", "GatewayClass gatewayclasses gc", namespaced=False),
    *_of("gateway.networking.k8s.io", "v1 v1beta1 v1alpha2", "Gateway gateways gtw", "HTTPRoute httproutes",
         "GRPCRoute grpcroutes"),
    *_of("gateway.networking.k8s.io", "v1alpha2", "TCPRoute tcproutes", "UDPRoute udproutes"),
    *_of("gateway.networking.k8s.io", "v1 v1alpha3 v1alpha2", "TLSRoute tlsroutes",
         "BackendTLSPolicy backendtlspolicies btlspolicy"),
    *_of("gateway.networking.k8s.io", "v1", "ListenerSet listenersets lset"),
    *_of("gateway.networking.x-k8s.io", "v1alpha1", "XListenerSet xlistenersets",
         "XBackendTrafficPolicy xbackendtrafficpolicies"),
    *_of("inference.networking.k8s.io", "v1 v1alpha2", "InferencePool inferencepools infpool"),
    *_of("multicluster.x-k8s.io", "v1alpha1", "ServiceExport serviceexports", "ServiceImport serviceimports"),
    *_of("gateway.networking.k8s.io", "v1beta1 v1alpha2", "ReferenceGrant referencegrants refgrant"),
    *_of("linkerd.io", "v1alpha2", "ServiceProfile serviceprofiles sp"),
    *_of("policy.linkerd.io", "v1beta3 v1beta2 v1beta1", "Server servers srv", "HTTPRoute httproutes"),
    *_of("policy.linkerd.io", "v1beta1", "ServerAuthorization serverauthorizations saz"),
    *_of("policy.linkerd.io", "v1alpha1", "AuthorizationPolicy authorizationpolicies authzpolicy",
         "MeshTLSAuthentication meshtlsauthentications meshtlsauthn",
         "NetworkAuthentication networkauthentications netauthn", "EgressNetwork egressnetworks",
         "HTTPLocalRateLimitPolicy httplocalratelimitpolicies"),
    *_of("workload.linkerd.io", "v1beta1 v1alpha1", "ExternalWorkload externalworkloads"),
    *_of("multicluster.linkerd.io", "v1alpha3 v1alpha2 v1alpha1", "Link links"),
    *_of("split.smi-spec.io", "v1alpha2 v1alpha1", "TrafficSplit trafficsplits ts"),
    *_of("argoproj.io", "v1alpha1", "Rollout rollouts ro"),
    *_of("metrics.k8s.io", "v1beta1", "PodMetrics pods"),
    *_of("metrics.k8s.io", "v1beta1", "NodeMetrics nodes", namespaced=False),
)  # fmt: skip

PROMISED = {
    "foreign.k8s-resources": frozenset(
        ("Pod", "Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ConfigMap")
    ),
    "foreign.k8s-cluster-resources": frozenset(
        ("Node", "Namespace", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    ),
    "foreign.nodes": frozenset(("Node",)),
    "foreign.pods": frozenset(("Pod",)),
    "foreign.events": frozenset(("Event",)),
    "foreign.secrets": frozenset(("Secret",)),
    "foreign.top-pods": frozenset(("PodMetrics",)),
}
"""Kinds that a member of a bug-report holds by its making: none of them there means that there are none.
Source: istio tools/bug-report, ClusterInfo commands of 1.10 to 1.31. Other kinds count only where found."""


@cache
def _by_kind() -> dict[tuple[str, str], Resource]:
    return {(each.group, each.kind): each for each in RESOURCES}


@cache
def _by_item_kind() -> dict[str, Resource]:
    return {each.item_kind: each for each in RESOURCES}


def resource_of(kind: str, api_version: str, *, namespaced: bool = True) -> Resource:
    """The resource of an object: the known one, else what its name and place let us guess.

    >>> resource_of("VirtualService", "networking.istio.io/v1").plural
    'virtualservices'
    >>> resource_of("IngressClass", "networking.k8s.io/v1", namespaced=False).item_kind
    'kubernetes.ingressclasses.networking.k8s.io'
    """
    group, slash, version = api_version.rpartition("/")
    known = _by_kind().get((group if slash else "", kind))
    if known:
        return known
    return Resource(kind=kind, plural=_plural(kind), group=group, versions=(version or "v1",), namespaced=namespaced)


def resource_of_item(item_kind: str) -> Resource | None:
    """The known resource whose lists items of that kind hold; None for any other kind."""
    return _by_item_kind().get(item_kind)


def _plural(kind: str) -> str:
    """The plural as Kubernetes forms it (k8s.io/gengo namer)."""
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in set("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}s"
