"""A control plane over gRPC: ADS and SDS, state of the world, with real nonces, ACKs and NACKs.

Real: who is connected, what was sent, acknowledged and rejected, and when. Simulated: that the program is istiod.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from meshforensics.lab._clusters import assignments, clusters
from meshforensics.lab._listeners import listeners
from meshforensics.lab._messages import URLS, generated, packed, response
from meshforensics.lab._routes import route_configurations
from meshforensics.lab._world import Body, Pod, World
from meshforensics.model import format_time, now

ORDER = ("CDS", "EDS", "LDS", "RDS")
"""Make before break: a route is sent after what it leads to."""
_KINDS = {url: kind for kind, url in URLS.items()}
_MADE: dict[str, Callable[[World, Pod], list[Body]]] = {
    "CDS": clusters,
    "EDS": assignments,
    "LDS": listeners,
    "RDS": route_configurations,
}
_SECONDS = (0.1, 0.5, 1, 3, 5, 10, 20, 30)


@dataclass(kw_only=True)
class Watch:
    """What a proxy asked for of one type, and how far it is."""

    names: tuple[str, ...] = ()
    sent: str = ""
    acked: str = ""
    sent_at: datetime | None = None
    error: str = ""


@dataclass(kw_only=True)
class Connection:
    """One proxy's stream."""

    id: str
    pod: Pod
    at: datetime
    queue: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    watches: dict[str, Watch] = field(default_factory=dict)


@dataclass(kw_only=True)
class _SecretStream:
    """One secret that a proxy watches."""

    pod: Pod
    name: str
    queue: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)


class ControlPlane:
    """One istiod: serves what the world's objects say to the proxies that are connected to it.

    Attributes:
        name: of its pod.
        version: the Istio version that it says it is of.
        connections: by name of the pod; a proxy that connects again replaces its former stream.
        log: its lines, as istiod writes them.
        slow: seconds between one message and the next; 0 for at once.
    """

    def __init__(self, world: World, name: str, version: str) -> None:
        self.world = world
        self.name = name
        self.version = version
        self.started = now()
        self.connections: dict[str, Connection] = {}
        self.log: list[str] = []
        self.slow = 0.0
        self.registry = CollectorRegistry()
        self._secrets: list[_SecretStream] = []
        self._pushes = 0
        self._streams = 0
        self._servers: list[Any] = []
        self._waiting: deque[tuple[Connection, str, datetime]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._pushed = Counter("pilot_xds_pushes", "Pushes by type.", ["type"], registry=self.registry)
        self._rejected = Counter("pilot_total_xds_rejects", "Rejected pushes.", ["type"], registry=self.registry)
        self._converged = Histogram(
            "pilot_proxy_convergence_time", "Seconds until a proxy had it.", buckets=_SECONDS, registry=self.registry
        )
        connected = Gauge("pilot_xds", "Proxies connected.", ["version"], registry=self.registry)
        connected.labels(version).set_function(lambda: len(self.connections))
        Gauge("istio_build", "Build.", ["component", "tag"], registry=self.registry).labels("pilot", version).set(1)
        expiry = "citadel_server_root_cert_expiry_timestamp"
        root = Gauge(expiry, "When the root ends.", registry=self.registry)
        root.set_function(lambda: world.root.ends.timestamp())  # noqa: PLW0108 - the root changes
        self.say("info", "", f"starting server {version}")

    async def start(self, address: str, socket: str) -> None:
        """Serve ADS at an address, and SDS on a Unix socket."""
        grpc = generated("grpc")
        ads = generated("envoy.service.discovery.v3.ads_pb2_grpc")
        sds = generated("envoy.service.secret.v3.sds_pb2_grpc")
        servicer = _Servicer(self)
        for where, add in (
            (address, ads.add_AggregatedDiscoveryServiceServicer_to_server),
            (f"unix:{socket}", sds.add_SecretDiscoveryServiceServicer_to_server),
        ):
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            add(servicer, server)
            server.add_insecure_port(where)
            await server.start()
            self._servers.append(server)
        self.say("info", "", f"starting secure gRPC discovery service at {address}")

    async def end(self) -> None:
        """Hang up on every proxy."""
        if self._worker is not None:
            self._worker.cancel()
        for server in self._servers:
            await server.stop(grace=0)
        self._servers.clear()

    def say(self, level: str, scope: str, message: str) -> None:
        """A line of its log."""
        self.log.append(f"{format_time(now())}\t{level}\t{scope}\t{message}")

    def push(self, pods: Iterable[Pod] | None = None, kinds: Iterable[str] = ORDER) -> None:
        """Send what the objects say now to some proxies, or to all that are connected."""
        self._pushes += 1
        wanted = None if pods is None else {pod.name for pod in pods}
        for name, connection in list(self.connections.items()):
            if wanted is None or name in wanted:
                for kind in kinds:
                    if kind in connection.watches:
                        self._want(connection, kind)

    def push_secrets(self, pods: Iterable[Pod]) -> None:
        """Send certificates and roots as they are now."""
        wanted = {pod.name for pod in pods}
        for stream in self._secrets:
            if stream.pod.name in wanted:
                stream.queue.put_nowait(self._secret(stream))

    def heard(self, connection: Connection, request: Any) -> None:
        """Take in what a proxy asks, acknowledges or rejects."""
        kind = _KINDS.get(request.type_url)
        if kind not in _MADE:
            return
        watch = connection.watches.get(kind)
        names = tuple(sorted(request.resource_names))
        if watch is None or not request.response_nonce:
            connection.watches[kind] = Watch(names=names)
            self._want(connection, kind, asked=True)
            return
        if request.HasField("error_detail"):
            self._refused(connection, kind, watch, request.error_detail.message)
            return
        if request.response_nonce == watch.sent and watch.acked != watch.sent:
            watch.acked, watch.error = watch.sent, ""
        if names != watch.names:
            watch.names = names
            self._want(connection, kind, asked=True)

    def _want(self, connection: Connection, kind: str, *, asked: bool = False) -> None:
        """Send something now, or, where the control plane is slow, when it is its turn."""
        if not self.slow:
            self._send(connection, kind, now(), asked=asked)
            return
        self._waiting.append((connection, kind, now()))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(self.slow)
            connection, kind, since = self._waiting.popleft()
            if self.connections.get(connection.pod.name) is connection:
                self._send(connection, kind, since)
        self._worker = None

    def _refused(self, connection: Connection, kind: str, watch: Watch, why: str) -> None:
        watch.error = why
        self._rejected.labels(URLS[kind]).inc()
        self.say("warn", "ads", f"ADS:{kind}: ACK ERROR {connection.id} Internal:{why}")

    def _send(self, connection: Connection, kind: str, since: datetime, *, asked: bool = False) -> None:
        watch = connection.watches[kind]
        made = _MADE[kind](self.world, connection.pod)
        if watch.names and kind in {"EDS", "RDS"}:
            made = [body for body in made if body.get("cluster_name", body.get("name")) in watch.names]
        resources = [packed(kind, body) for body in made]
        watch.sent, watch.sent_at = str(uuid.uuid4()), now()
        version = f"{format_time(watch.sent_at.replace(microsecond=0))}/{self._pushes}"
        connection.queue.put_nowait(response(kind, resources, version=version, nonce=watch.sent))
        self._pushed.labels(kind.lower()).inc()
        self._converged.observe((now() - since).total_seconds())
        size = sum(len(each.value) for each in resources) / 1000
        pod = connection.pod
        self.say(
            "info",
            "ads",
            f"{kind}: PUSH{' request' if asked else ''} for node:{pod.name}.{pod.place.namespace} "
            f"resources:{len(resources)} size:{size:.1f}kB",
        )

    def connect(self, node: str) -> Connection | None:
        """A stream of the proxy with that node id; None where there is no such pod."""
        pod = self._pod(node)
        if pod is None:
            return None
        self._streams += 1
        connection = Connection(id=f"{pod.name}.{pod.place.namespace}-{self._streams}", pod=pod, at=now())
        self.connections[pod.name] = connection
        self.say("info", "ads", f"ADS: new connection for node:{connection.id}")
        return connection

    def disconnect(self, connection: Connection) -> None:
        """The stream is over."""
        if self.connections.get(connection.pod.name) is connection:
            del self.connections[connection.pod.name]
        self.say("info", "ads", f"ADS: {connection.id} terminated")

    def watch_secret(self, node: str, name: str) -> _SecretStream | None:
        """A stream of one secret, with the secret in it."""
        pod = self._pod(node)
        if pod is None:
            return None
        stream = _SecretStream(pod=pod, name=name)
        stream.queue.put_nowait(self._secret(stream))
        self._secrets.append(stream)
        return stream

    def forget_secret(self, stream: _SecretStream) -> None:
        """The stream is over."""
        if stream in self._secrets:
            self._secrets.remove(stream)

    def _secret(self, stream: _SecretStream) -> Any:
        body = packed("SDS", secret(stream.pod, stream.name))
        return response("SDS", [body], version=str(format_time(now())), nonce=str(uuid.uuid4()))

    def _pod(self, node: str) -> Pod | None:
        parts = node.split("~")
        name = parts[2].partition(".")[0] if len(parts) == 4 else ""
        pod = self.world.pods.get(name)
        return pod if pod is not None and not pod.gone else None


def secret(pod: Pod, name: str) -> Body:
    """A pod's certificate (``default``) or the roots that it trusts (``ROOTCA``)."""
    if name == "ROOTCA":
        roots = "".join(each.pem for each in pod.roots)
        return {"name": name, "validation_context": {"trusted_ca": {"inline_string": roots}}}
    certificate = {
        "certificate_chain": {"inline_string": pod.leaf.chain},
        "private_key": {"inline_string": pod.leaf.key},
    }
    return {"name": name, "tls_certificate": certificate}


class _Servicer:
    """The two services, by the names that gRPC calls them by."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def StreamAggregatedResources(  # noqa: N802 - the name that gRPC gives it
        self, requests: AsyncIterator[Any], _context: object
    ) -> AsyncIterator[Any]:
        """One proxy's ADS stream."""
        first = await anext(requests, None)
        connection = self._plane.connect(first.node.id) if first is not None else None
        if connection is None:
            return
        reader = asyncio.create_task(self._read(connection, first, requests))
        try:
            while (said := await connection.queue.get()) is not None:
                yield said
        finally:
            reader.cancel()
            self._plane.disconnect(connection)

    async def _read(self, connection: Connection, first: Any, requests: AsyncIterator[Any]) -> None:
        self._plane.heard(connection, first)
        async for request in requests:
            self._plane.heard(connection, request)
        connection.queue.put_nowait(None)

    async def StreamSecrets(  # noqa: N802 - the name that gRPC gives it
        self, requests: AsyncIterator[Any], _context: object
    ) -> AsyncIterator[Any]:
        """One secret's SDS stream; what a proxy acknowledges is not asked after."""
        first = await anext(requests, None)
        stream = self._plane.watch_secret(first.node.id, first.resource_names[0]) if first is not None else None
        if stream is None:
            return
        reader = asyncio.create_task(_drain(requests, stream.queue))
        try:
            while (said := await stream.queue.get()) is not None:
                yield said
        finally:
            reader.cancel()
            self._plane.forget_secret(stream)

    async def DeltaAggregatedResources(self, _requests: object, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Not served: the lab speaks state of the world."""
        await context.abort(generated("grpc").StatusCode.UNIMPLEMENTED, "state of the world only")
        yield

    async def DeltaSecrets(self, _requests: object, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Not served."""
        await context.abort(generated("grpc").StatusCode.UNIMPLEMENTED, "state of the world only")
        yield

    async def FetchSecrets(self, _request: object, context: Any) -> None:  # noqa: N802
        """Not served."""
        await context.abort(generated("grpc").StatusCode.UNIMPLEMENTED, "state of the world only")


async def _drain(requests: AsyncIterator[Any], queue: asyncio.Queue[Any]) -> None:
    async for _ in requests:
        pass
    queue.put_nowait(None)
