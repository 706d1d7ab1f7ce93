"""Clusters: where a proxy sends requests, and how much of them it lets through."""

from collections.abc import Iterator

import msgspec

from meshforensics.formats._xds_message import Message, extension
from meshforensics.formats._xds_object import object_of
from meshforensics.formats._xds_secret import Pem, Tls, read_tls


class Cluster(msgspec.Struct, frozen=True, gc=False):
    """One cluster, with the fields that checks read; None where the dump leaves Envoy's default."""

    name: str | None
    type: str | None
    lb_policy: str | None
    service: str | None
    connect_timeout_s: float | None
    max_connections: int | None
    max_pending_requests: int | None
    max_requests: int | None
    max_retries: int | None
    tls: bool
    sni: str | None
    sans: tuple[str, ...]
    secrets: tuple[str, ...]
    outlier: bool
    max_requests_per_connection: int | None
    idle_timeout_s: float | None
    alt_stat_name: str | None
    object: str | None
    pems: tuple[Pem, ...]


class ClusterName(msgspec.Struct, frozen=True):
    """The parts of an Istio cluster name; all None for a name of another form."""

    direction: str | None = None
    port: int | None = None
    subset: str | None = None
    host: str | None = None


def parts_of(name: str | None) -> ClusterName:
    """The parts of ``outbound|8080|v1|user.shop.svc.cluster.local``, or of its SNI form.

    >>> parts_of("outbound_.80_._.user.shop.svc.cluster.local").host
    'user.shop.svc.cluster.local'
    """
    text = (name or "").rstrip(";")
    parts = text.split("|")
    if len(parts) != 4:
        parts = text.split("_.", 3)
    if len(parts) != 4 or not (parts[0].isalpha() or parts[0] == "inbound-vip"):
        return ClusterName()
    direction, port, subset, host = parts
    return ClusterName(
        direction=direction,
        port=int(port) if port.isdecimal() and len(port) < 6 else None,
        subset=subset or None,
        host=host or None,
    )


def read_cluster(resource: Message) -> Cluster:
    """The cluster of `envoy.config.cluster.v3.Cluster` and of `envoy.api.v2.Cluster`."""
    limits = _thresholds(resource)
    contexts = list(_tls(resource))
    return Cluster(
        name=resource.text("name"),
        type=_type(resource),
        lb_policy=resource.text("lb_policy"),
        service=_service(resource),
        connect_timeout_s=resource.seconds("connect_timeout"),
        max_connections=limits.whole("max_connections"),
        max_pending_requests=limits.whole("max_pending_requests"),
        max_requests=limits.whole("max_requests"),
        max_retries=limits.whole("max_retries"),
        tls=bool(contexts),
        sni=next((context.sni for context in contexts if context.sni), None),
        sans=_each(san for context in contexts for san in context.sans),
        secrets=_each(secret for context in contexts for secret in context.secrets),
        outlier=resource.has("outlier_detection"),
        max_requests_per_connection=_per_connection(resource),
        idle_timeout_s=_idle(resource),
        alt_stat_name=resource.text("alt_stat_name"),
        object=object_of(resource),
        pems=tuple(pem for context in contexts for pem in context.pems),
    )


def _each(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _type(resource: Message) -> str | None:
    """The discovery type; STATIC is the default that protobuf leaves out."""
    custom = resource.text("cluster_type", "name")
    return resource.text("type") or custom or "STATIC"


def _service(resource: Message) -> str | None:
    """``namespace/name`` of the Kubernetes service that Istio notes in the metadata."""
    istio = resource.message("metadata", "filter_metadata", "istio")
    for service in istio.messages("services"):
        namespace, name = service.text("namespace"), service.text("name")
        if namespace and name:
            return f"{namespace}/{name}"
    return None


def _thresholds(resource: Message) -> Message:
    """The circuit breaker of the default priority."""
    for limits in resource.messages("circuit_breakers", "thresholds"):
        if limits.text("priority") in (None, "DEFAULT"):
            return limits
    return Message({}, resource.pointer)


def _tls(resource: Message) -> Iterator[Tls]:
    """Every TLS context of the cluster: its own, those it matches by endpoint, and that of xDS v2."""
    sockets = [resource.message("transport_socket")]
    sockets += [match.message("transport_socket") for match in resource.messages("transport_socket_matches")]
    for socket in sockets:
        _, config = extension(socket)
        if config.has("common_tls_context") or "tls" in (socket.text("name") or ""):
            yield read_tls(config)
    if resource.has("tls_context"):
        yield read_tls(resource.message("tls_context"))


def _per_connection(resource: Message) -> int | None:
    name = "max_requests_per_connection"
    direct = resource.whole(name)
    if direct is not None:
        return direct
    said = (each.whole(name) for each in _common(resource))
    return next((count for count in said if count is not None), None)


def _idle(resource: Message) -> float | None:
    """Seconds after which a connection without requests is closed."""
    said = (each.seconds("idle_timeout") for each in _common(resource))
    return next((seconds for seconds in said if seconds is not None), None)


def _common(resource: Message) -> Iterator[Message]:
    """The options of HTTP that do not depend on its version: in an extension today, in the cluster itself before."""
    for _, options in resource.entries("typed_extension_protocol_options"):
        yield options.message("common_http_protocol_options")
    yield resource.message("common_http_protocol_options")
