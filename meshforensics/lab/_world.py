"""The state of a lab's mesh: its pods, its objects, how its applications behave. One place; everything else asks it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from meshforensics.lab._pki import Authority, Leaf, authority, sign
from meshforensics.lab._plan import CONTROL, Place, Plan, Service
from meshforensics.model import UsageError, format_time, now

Body = dict[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace, name."""
_VERSIONS = {
    "PeerAuthentication": "security.istio.io/v1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "EnvoyFilter": "networking.istio.io/v1alpha3",
}
_REQUESTS = 10
"""Requests that a connection between proxies carries: what changes about TLS shows on new connections only."""
_AGE = timedelta(days=3)
"""How old the objects say that they are; the mesh itself is as old as the run."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How an application answers.

    Attributes:
        status: what it answers; 0 for what comes of its own calls.
        delay: seconds before it does.
        every: only every so many-th request is answered so.
        path: only requests whose path begins so.
    """

    status: int = 0
    delay: float = 0.0
    every: int = 1
    path: str = "/"


@dataclass(kw_only=True)
class Pod:
    """One pod, and the process that is its proxy.

    Attributes:
        address: its own, on loopback.
        inside: what 127.0.0.1 is inside a pod: where outbound listeners listen. Without root there is no iptables
            redirect, so applications address them.
        leaf: the certificate that it is given by SDS.
        roots: the roots that it is given by SDS.
        istio: the version that its proxy says it is of.
        revision: the revision of the control plane that injected it.
        ready: whether Kubernetes counts it as an endpoint.
        plain: whether it has no sidecar.
    """

    place: Place
    address: str
    inside: str
    node: str
    account: str
    leaf: Leaf
    roots: tuple[Authority, ...]
    istio: str
    revision: str
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    restarts: int = 0
    gone: bool = False
    ready: bool = True
    plain: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.place.name

    @property
    def subject(self) -> str:
        """The subject of items about it."""
        return f"{self.place.namespace}/{self.place.name}"


@dataclass(kw_only=True)
class World:
    """What there is.

    Attributes:
        network: the first three bytes of every address, on loopback.
        pods: by name.
        objects: Istio's, as the control plane reads them.
        behaviours: by name of a pod or service.
        istio: the version of the control plane.
        published: roots in the config map ``istio-ca-root-cert``.
        events: what Kubernetes would have written down.
    """

    plan: Plan
    network: str
    root: Authority
    pods: dict[str, Pod] = field(default_factory=dict)
    objects: dict[Key, Body] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    istio: str = ""
    revision: str = "default"
    published: tuple[Authority, ...] = ()
    born: datetime = field(default_factory=now)
    events: list[Body] = field(default_factory=list)
    extra_clusters: int = 0
    counter: int = 0

    @property
    def istiod(self) -> str:
        """The address of the control plane."""
        return f"{self.network}.1"

    @property
    def outside(self) -> str:
        """The address that callers from outside the mesh have."""
        return f"{self.network}.2"

    @property
    def gateway(self) -> Pod:
        """The pod of the gateway."""
        return next(pod for pod in self.pods.values() if pod.place.service == self.plan.gateway)

    def service(self, role: str) -> Service:
        """The service that has a role."""
        return self.plan.services[role]

    def service_of(self, pod: Pod) -> Service | None:
        """The service of a pod; None for the gateway."""
        return next((each for each in self.plan.services.values() if each.name == pod.place.service), None)

    def pods_of(self, service: Service, version: str = "") -> list[Pod]:
        """The pods of a service, or of one of its versions."""
        return [
            pod
            for pod in self.pods.values()
            if pod.place.service == service.name and not pod.gone and version in {"", pod.place.version}
        ]

    def endpoints_of(self, service: Service, version: str = "") -> list[Pod]:
        """The pods of a service that may be called."""
        return [pod for pod in self.pods_of(service, version) if pod.ready]

    def spiffe(self, namespace: str, account: str) -> str:
        """The identity of a service account."""
        return f"spiffe://{self.plan.trust_domain}/ns/{namespace}/sa/{account}"

    def of_kind(self, kind: str, namespace: str = "") -> Iterator[Body]:
        """Objects of a kind, oldest name first."""
        for key, body in sorted(self.objects.items()):
            if key[0] == kind and namespace in {"", key[1]}:
                yield body

    def apply(self, kind: str, namespace: str, name: str, spec: Body, *, at: datetime | None = None) -> Body:
        """Create or edit an Istio object, as `kubectl apply` does; `at` is None for one that was always there."""
        held = self.objects.get((kind, namespace, name))
        self.counter += 1
        metadata: Body = held["metadata"] if held else {"name": name, "namespace": namespace}
        created = metadata.get("creationTimestamp") or format_time(whole(at or self.born - _AGE))
        metadata = {
            **metadata,
            "creationTimestamp": created,
            "generation": metadata.get("generation", 0) + 1,
            "resourceVersion": str(40_000 + 7 * self.counter),
            "uid": uid(kind, namespace, name),
        }
        if at:
            metadata["managedFields"] = [_edited(kind, at)]
        body = {"apiVersion": version_of(kind), "kind": kind, "metadata": metadata, "spec": spec}
        self.objects[kind, namespace, name] = body
        return body

    def event(self, kind: str, namespace: str, name: str, reason: str, message: str) -> None:
        """Note what a controller or a kubelet would have."""
        at = format_time(whole(now()))
        self.counter += 1
        self.events.append(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{name}.{self.counter:016x}", "namespace": namespace, "creationTimestamp": at},
                "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
                "type": "Normal",
                "reason": reason,
                "message": message,
                "count": 1,
                "firstTimestamp": at,
                "lastTimestamp": at,
                "source": {"component": "kubelet" if kind == "Pod" else "deployment-controller"},
            }
        )


def world_of(plan: Plan, network: str, root: Authority | None = None) -> World:
    """The pods of a plan, each with a certificate of `root`."""
    at = now()
    root = root or authority(plan.trust_domain, at)
    world = World(plan=plan, network=network, root=root, istio=plan.istio, published=(root,), born=at)
    for place in plan.places:
        account = place.service if place.service != plan.gateway else f"{place.service}-service-account"
        begins = max(at - timedelta(minutes=20 + 37 * place.number % 400), root.certificate.not_valid_before_utc)
        world.pods[place.name] = Pod(
            place=place,
            address=f"{network}.{10 + place.number}",
            inside=inside_of(network, 10 + place.number),
            node=f"node-{'abc'[place.number % 3]}",
            account=account,
            leaf=sign(root, world.spiffe(place.namespace, account), begins),
            roots=(root,),
            istio=plan.istio,
            revision=world.revision,
            created=at - _AGE,
        )
    return world


def inside_of(network: str, number: int) -> str:
    """The second address of a pod; the networks of labs use the lower half of their third byte.

    >>> inside_of("127.20.7", 12)
    '127.20.135.12'
    """
    first, second, third = network.split(".")
    return f"{first}.{second}.{int(third) + 128}.{number}"


def reissue(
    world: World,
    pod: Pod,
    root: Authority,
    *,
    spiffe: str = "",
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> None:
    """Give a pod a certificate of a root; SDS serves it with the next push."""
    identity = spiffe or world.spiffe(pod.place.namespace, pod.account)
    begins = begins or max(now() - timedelta(minutes=2), root.certificate.not_valid_before_utc)
    pod.leaf = sign(root, identity, begins, ends=ends)


def whole(at: datetime) -> datetime:
    """An instant as Kubernetes writes it: whole seconds."""
    return at.replace(microsecond=0)


def uid(*parts: str) -> str:
    """The uid of an object: the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, "/".join(parts)))


def version_of(kind: str) -> str:
    """The API version of one of Istio's kinds."""
    return _VERSIONS.get(kind, "networking.istio.io/v1")


def _edited(kind: str, at: datetime) -> Body:
    return {
        "apiVersion": version_of(kind),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {}},
        "manager": "kubectl-client-side-apply",
        "operation": "Update",
        "time": format_time(whole(at)),
    }


def front_call(world: World, role: str) -> str:
    """The role that calls `role`.

    Raises:
        UsageError: nothing calls it.
    """
    for service in world.plan.services.values():
        if role in service.calls:
            return service.role
    raise UsageError(f"nothing calls {role}")


def install(world: World) -> None:
    """The objects that every lab begins with: STRICT, a gateway, two versions of one service."""
    front, split = world.service("front"), world.service("split")
    gateway = {"selector": {"app": world.plan.gateway}, "servers": [_server(world)]}
    world.apply("PeerAuthentication", CONTROL, "default", {"mtls": {"mode": "STRICT"}})
    world.apply("Gateway", front.namespace, "public", gateway)
    world.apply(
        "VirtualService",
        front.namespace,
        "ingress",
        {
            "hosts": [world.plan.domain],
            "gateways": ["public"],
            "http": [{"name": "ingress", "route": [{"destination": destination(front)}]}],
        },
    )
    for service in world.plan.services.values():
        versions = service.versions if service is split else ()
        world.apply("DestinationRule", service.namespace, service.name, rule(service, versions))
    world.apply("VirtualService", split.namespace, split.name, weighted(split))


def destination(service: Service, subset: str = "") -> Body:
    """A destination of a route."""
    return {"host": service.host, **({"subset": subset} if subset else {}), "port": {"number": service.port}}


def rule(service: Service, versions: tuple[str, ...] = (), **policy: Body) -> Body:
    """A DestinationRule that names versions as subsets; connections do not live for ever."""
    pool = {"http": {"maxRequestsPerConnection": _REQUESTS}, **policy.pop("connectionPool", {})}
    named = [{"name": version, "labels": {"version": version}} for version in versions]
    found: Body = {"host": service.host, "trafficPolicy": {"connectionPool": pool, **policy}}
    return {**found, "subsets": named} if named else found


def weighted(service: Service) -> Body:
    """A VirtualService that splits between the versions."""
    share = (60, 40)
    routes = [
        {"destination": destination(service, version), "weight": weight}
        for version, weight in zip(service.versions, share, strict=True)
    ]
    return {"hosts": [service.host], "http": [{"name": "split", "route": routes}]}


def _server(world: World) -> Body:
    return {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [world.plan.domain]}
