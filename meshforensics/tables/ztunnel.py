"""The mesh as each ztunnel sees it, and the connections it carried."""

from collections.abc import Iterable

from meshforensics.formats import ztunnel, ztunnel_log
from meshforensics.tables._declare import Column, Reading, Row, Table


def _workloads(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(ztunnel.decode).workloads:
        yield (
            each.pointer,
            f"{each.namespace}/{each.name}" if each.namespace else each.name,
            each.addresses,
            each.protocol,
            each.status,
            each.service_account,
            each.trust_domain,
            each.waypoint,
            each.node,
            each.uid,
        )


ztunnel_workloads = Table(
    id="ztunnel_workloads",
    about="Workloads as each ztunnel knows them.",
    of="pod",
    columns=(
        Column("known_pod", "category", about="The workload's pod, as namespace/name.", source="namespace, name"),
        Column("addresses", "object", about="Its addresses.", source="workloadIps"),
        Column("protocol", "category", about="HBONE or TCP.", source="protocol"),
        Column("health", "category", about="Healthy or Unhealthy.", source="status"),
        Column("service_account", "category", about="Its service account.", source="serviceAccount"),
        Column("trust_domain", "category", about="Its trust domain.", source="trustDomain"),
        Column("waypoint", "category", about="Its waypoint.", source="waypoint.destination"),
        Column("node", "category", about="Node it runs on.", source="node"),
        Column("uid", "str", about="Its uid in the mesh.", source="uid"),
    ),
    reads={"ztunnel.config_dump": _workloads},
)


def _identities(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(ztunnel.decode).identities:
        yield (each.pointer, each.identity, each.state, each.reason)


ztunnel_identities = Table(
    id="ztunnel_identities",
    about="Identities for which each ztunnel fetches certificates, and whether it has them.",
    of="pod",
    columns=(
        Column("identity", "category", about="SPIFFE URI.", source="certificates[].identity"),
        Column("state", "category", about="Available, Initializing or Unavailable.", source="certificates[].state"),
        Column("message", "str", about="Why it is unavailable.", source="certificates[].state"),
    ),
    reads={"ztunnel.config_dump": _identities},
)


def _connections(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(ztunnel_log.decode).connections:
        yield (
            each.pointer,
            each.at,
            each.direction,
            each.source,
            each.source_identity,
            each.destination,
            each.destination_identity,
            each.service,
            each.address,
            each.bytes_received,
            each.bytes_sent,
            each.duration_ms,
            each.error,
        )


ztunnel_connections = Table(
    id="ztunnel_connections",
    about="Connections that each ztunnel carried, at their end.",
    of="pod",
    columns=(
        Column("at", "datetime64[us, UTC]", about="End of the connection.", source="log"),
        Column("direction", "category", about="inbound or outbound.", source="direction"),
        Column("caller", "category", about="Pod that called, as namespace/name.", source="src.workload"),
        Column("caller_identity", "category", about="Its SPIFFE URI.", source="src.identity"),
        Column("destination", "category", about="Pod that was called, as namespace/name.", source="dst.workload"),
        Column("destination_identity", "category", about="Its SPIFFE URI.", source="dst.identity"),
        Column("host", "category", about="Host of the service that was called.", source="dst.service"),
        Column("address", "category", about="Address that was called.", source="dst.hbone_addr, dst.addr"),
        Column("bytes_received", "Int64", unit="bytes", about="Bytes received.", source="bytes_recv"),
        Column("bytes_sent", "Int64", unit="bytes", about="Bytes sent.", source="bytes_sent"),
        Column("duration_ms", "Int64", unit="ms", about="How long it was open.", source="duration"),
        Column("error", "str", about="Why it failed.", source="error"),
    ),
    reads={"log.ztunnel*": _connections},
)
