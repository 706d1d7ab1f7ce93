"""What a lab's mesh is made of, drawn from a seed: names, namespaces, ports, sizes."""

import random
from dataclasses import dataclass

from meshforensics.model import UsageError

LEAST_PROXIES = 8
MOST_PROXIES = 24
APPLICATION = 10000
"""Added to a service's target port: where the application listens, behind the inbound listener."""
GATEWAY_PORT = 8080
CONTROL = "istio-system"
_ROLES = ("front", "split", "side", "store", "rpc")
_WORDS = {
    "front": ("storefront", "portal", "checkout", "intake", "web", "desk", "kiosk"),
    "split": ("catalog", "stream", "fees", "search", "offers", "quotes", "menu"),
    "side": ("cart", "billing", "vault", "booking", "basket", "seats", "orders"),
    "store": ("ledger", "tokens", "audit", "pricing", "stock", "rates", "tables"),
    "rpc": ("profiles", "limits", "scores", "rules", "geo", "taxes", "units"),
}
_NAMESPACES = (
    ("shop", "pay"), ("media", "data"), ("travel", "ops"), ("clinic", "records"), ("bank", "risk"), ("press", "ads"),
)  # fmt: skip
_PORTS = (7000, 7070, 8000, 8081, 8443, 9000, 9080, 9090)
_DOMAINS = ("cluster.local", "acme.internal", "mesh.example", "prod.example.org")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_ISTIO = ("1.26.4", "1.27.3", "1.28.1")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of the mesh.

    Attributes:
        role: what it is in the topology: front, split (two versions), side, store, rpc.
        port: the port of the Service.
        target: the port of its pods.
        protocol: http (HTTP/1.1 inside) or grpc (HTTP/2).
        versions: one Deployment each.
        calls: roles that it calls for each request.
        address: its cluster IP.
    """

    name: str
    namespace: str
    role: str
    port: int
    target: int
    protocol: str
    versions: tuple[str, ...]
    calls: tuple[str, ...]
    address: str

    @property
    def host(self) -> str:
        """Its full name."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A pod that is to be: of which service and version, under which names."""

    name: str
    namespace: str
    service: str
    version: str
    workload: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole mesh, before anything runs.

    Attributes:
        services: by role.
        places: the pods, the gateway first.
    """

    seed: int
    trust_domain: str
    istio: str
    gateway: str
    domain: str
    services: dict[str, Service]
    places: tuple[Place, ...]
    istiod: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of applications, sorted."""
        return tuple(sorted({each.namespace for each in self.services.values()}))


def plan_of(seed: int, proxies: int = 0) -> Plan:
    """The mesh of a seed; `proxies` beyond the least are replicas, 0 leaves it to the seed.

    Raises:
        UsageError: fewer proxies than the topology has, or more than a laptop should run.
    """
    draw = random.Random(seed)  # noqa: S311 - names, not secrets
    count = proxies or LEAST_PROXIES + draw.randrange(2)
    if not LEAST_PROXIES <= count <= MOST_PROXIES:
        raise UsageError(f"{count} proxies: the lab runs {LEAST_PROXIES} to {MOST_PROXIES}")
    services = _services(draw)
    gateway = draw.choice(("edge-gateway", "istio-ingressgateway", "public-gateway"))
    return Plan(
        seed=seed,
        trust_domain=draw.choice(_DOMAINS),
        istio=draw.choice(_ISTIO),
        gateway=gateway,
        domain=f"{draw.choice(('www', 'api', 'store'))}.{services['front'].namespace}.example",
        services=services,
        places=tuple(_places(draw, services, gateway, count)),
        istiod=f"istiod-{_word(draw, 9)}-{_word(draw, 5)}",
    )


def _services(draw: random.Random) -> dict[str, Service]:
    near, far = draw.choice(_NAMESPACES)
    ports = draw.sample(_PORTS, len(_ROLES))
    homes = {"front": near, "split": near, "side": near, "store": far, "rpc": far}
    calls = {"front": ("split", "side"), "split": ("store",), "side": ("store", "rpc")}
    versions = draw.choice((("v1", "v2"), ("v3", "v4"), ("blue", "green")))
    return {
        role: Service(
            name=draw.choice(_WORDS[role]),
            namespace=homes[role],
            role=role,
            port=ports[number],
            target=ports[number],
            protocol="grpc" if role == "rpc" else "http",
            versions=versions if role == "split" else versions[:1],
            calls=calls.get(role, ()),
            address=f"10.96.{seed_octet(draw)}.{10 + number}",
        )
        for number, role in enumerate(_ROLES)
    }


def seed_octet(draw: random.Random) -> int:
    """A number that may stand in an address."""
    return draw.randrange(1, 250)


def _places(draw: random.Random, services: dict[str, Service], gateway: str, count: int) -> list[Place]:
    wanted: list[tuple[str, str, str]] = [(gateway, CONTROL, "latest"), *_deployed(services["front"])]
    for role in _ROLES:
        wanted += _deployed(services[role])
    spread = [each for role in ("side", "store", "split") for each in _deployed(services[role])]
    while len(wanted) < count:
        wanted.append(spread[(len(wanted) - LEAST_PROXIES) % len(spread)])
    hashes: dict[str, str] = {}
    places = []
    for number, (service, namespace, version) in enumerate(wanted):
        workload = service if service == gateway else f"{service}-{version}"
        replica_set = hashes.setdefault(workload, f"{workload}-{_word(draw, 9)}")
        name = f"{replica_set}-{_word(draw, 5)}"
        places.append(
            Place(name=name, namespace=namespace, service=service, version=version, workload=workload, number=number)
        )
    return places


def _deployed(service: Service) -> list[tuple[str, str, str]]:
    return [(service.name, service.namespace, version) for version in service.versions]


def _word(draw: random.Random, length: int) -> str:
    return "".join(draw.choice(_LETTERS) for _ in range(length))
