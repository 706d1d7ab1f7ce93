"""What istiod sent each proxy against what the proxy accepted; who is connected; what was pushed when."""

from collections.abc import Iterable

from meshforensics.formats import adsz, istiod_log, syncz
from meshforensics.tables._declare import Column, Reading, Row, Table

_OF = (
    Column("namespace", "category", about="Namespace of the proxy.", source="proxy"),
    Column("pod", "category", about="Pod of the proxy.", source="proxy"),
    Column("istiod", "category", about="The istiod that says so, as namespace/pod.", source="manifest"),
)
_TYPE = Column("type", "category", about="cds, lds, rds, eds, ecds, …", source="type URL")


def pod(proxy: str | None) -> tuple[str | None, str | None]:
    """Namespace and pod of a proxy that istiod names; a name without namespace is a pod's."""
    namespace, slash, name = (proxy or "").partition("/")
    return (namespace, name) if slash else (None, namespace or None)


def _sync(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(syncz.decode):
        yield (
            each.pointer,
            *pod(each.proxy),
            reading.item.subject,
            each.type,
            each.sent,
            each.acked,
            each.sent_at,
            each.status,
            each.error,
            each.proxy_type,
            each.proxy_version,
            each.cluster_id,
        )


xds_sync = Table(
    id="xds_sync",
    about="Per proxy and type what istiod sent and what the proxy accepted, as istiod tells it.",
    of="mesh",
    columns=(
        *_OF,
        _TYPE,
        Column("sent", "str", about="Nonce of the last push; missing when nothing was sent.", source="*_sent, sent"),
        Column("acked", "str", about="Nonce of the last accepted push.", source="*_acked, acked"),
        Column("sent_at", "datetime64[us, UTC]", about="When it was pushed; Istio 1.24 on.", source="sentTime"),
        Column("status", "category", about="SYNCED, STALE, NOT SENT, NEVER ACKED or NACKED.", source="computed"),
        Column("error", "str", about="Text of the last rejection.", source="lastError"),
        Column("proxy_type", "category", about="sidecar, router, waypoint or ztunnel.", source="proxy_type"),
        Column("proxy_version", "category", about="Istio version of the proxy.", source="istio_version"),
        Column("cluster_id", "category", about="Cluster of the proxy.", source="cluster_id"),
    ),
    reads={"istiod.syncz": _sync},
)


def _connections(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(adsz.decode):
        yield (
            each.pointer,
            *pod(each.proxy),
            reading.item.subject,
            each.connection,
            each.connected_at,
            each.version,
            tuple(sorted(each.watches)),
            sum(len(names) for names in each.watches.values()),
        )


xds_connections = Table(
    id="xds_connections",
    about="Proxies that are connected to an istiod, since when, and what they watch.",
    of="mesh",
    columns=(
        *_OF,
        Column("connection", "str", about="Connection id.", source="connectionId"),
        Column("connected_at", "datetime64[us, UTC]", about="Since when.", source="connectedAt"),
        Column("version", "category", about="Istio version of the proxy.", source="metadata.ISTIO_VERSION"),
        Column("watched_types", "object", about="Types it watches, sorted.", source="watches"),
        Column("watched_names", "Int64", about="Resources it asks for by name.", source="watches"),
    ),
    reads={"istiod.adsz": _connections},
)


def _pushes(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(istiod_log.decode).pushes:
        place = (each.pointer, *pod(each.proxy), reading.item.subject)
        yield (*place, each.at, each.type, each.asked, each.resources, each.size)


pushes = Table(
    id="pushes",
    about="Configuration that istiod pushed, one row per proxy and type.",
    of="mesh",
    columns=(
        *_OF,
        Column("at", "datetime64[us, UTC]", about="Time of the push.", source="log"),
        _TYPE,
        Column("asked", "boolean", about="Whether the proxy had asked for it.", source="PUSH request"),
        Column("resources", "Int64", about="How many resources.", source="resources"),
        Column("size", "str", about="Size of the message, as printed.", source="size"),
    ),
    reads={"log.discovery*": _pushes},
)
