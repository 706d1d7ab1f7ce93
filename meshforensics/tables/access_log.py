"""Requests as each proxy logged them."""

from collections.abc import Iterable

from meshforensics.formats.access_log import AccessLine
from meshforensics.formats.proxy_log import ProxyLog, decode
from meshforensics.tables._declare import Column, Reading, Row, Table

_COLUMNS = (
    Column("at", "datetime64[us, UTC]", about="Start of the request.", source="START_TIME"),
    Column("method", "category", about="HTTP method; missing for TCP.", source="REQ(:METHOD)"),
    Column("path", "str", about="Path with query, as the client sent it.", source="REQ(X-ENVOY-ORIGINAL-PATH?:PATH)"),
    Column("protocol", "category", about="HTTP/1.1, HTTP/2, …; missing for TCP.", source="PROTOCOL"),
    Column("status", "Int64", about="HTTP status; 0 when no answer was sent.", source="RESPONSE_CODE"),
    Column("flags", "object", about="Response flags in short form, sorted.", source="RESPONSE_FLAGS"),
    Column("details", "str", about="Why the answer is as it is.", source="RESPONSE_CODE_DETAILS"),
    Column("termination_details", "str", about="Why the connection ended.", source="CONNECTION_TERMINATION_DETAILS"),
    Column("failure_reason", "str", about="Why TLS or TCP failed.", source="UPSTREAM_TRANSPORT_FAILURE_REASON"),
    Column("bytes_received", "Int64", unit="bytes", about="Body received.", source="BYTES_RECEIVED"),
    Column("bytes_sent", "Int64", unit="bytes", about="Body sent.", source="BYTES_SENT"),
    Column("duration_ms", "Int64", unit="ms", about="From start to the last byte out.", source="DURATION"),
    Column("upstream_ms", "Int64", unit="ms", about="As the upstream says.", source="X-ENVOY-UPSTREAM-SERVICE-TIME"),
    Column("forwarded_for", "str", about="X-Forwarded-For.", source="REQ(X-FORWARDED-FOR)"),
    Column("user_agent", "str", about="As the client sent it, not escaped.", source="REQ(USER-AGENT)"),
    Column("request_id", "str", about="x-request-id; the same on every hop.", source="REQ(X-REQUEST-ID)"),
    Column("authority", "category", about="Host that was asked for.", source="REQ(:AUTHORITY)"),
    Column("upstream_host", "category", about="Endpoint that was tried last.", source="UPSTREAM_HOST"),
    Column("cluster", "category", about="Envoy cluster, without a trailing ';'.", source="UPSTREAM_CLUSTER_RAW"),
    Column("route", "category", about="Name of the route.", source="ROUTE_NAME"),
    Column("direction", "category", about="inbound or outbound, by cluster or server name.", source="computed"),
    Column("upstream_local", "str", about="Own address towards the upstream.", source="UPSTREAM_LOCAL_ADDRESS"),
    Column("downstream_local", "str", about="Address the client connected to.", source="DOWNSTREAM_LOCAL_ADDRESS"),
    Column("downstream_remote", "str", about="Address of the client.", source="DOWNSTREAM_REMOTE_ADDRESS"),
    Column("sni", "str", about="Server name in TLS.", source="REQUESTED_SERVER_NAME"),
    Column("format", "category", about="Shape of the line; other is read up to its flags.", source="decoder"),
    Column("previous", "boolean", about="Of the container before its last restart.", source="item, log"),
)


def _rows(reading: Reading) -> Iterable[Row] | None:
    """The requests of a log; a log without any is not about requests, for access logging may be off."""
    log = reading.decoded(decode)
    return _requests(reading, log) if log.access else None


def _requests(reading: Reading, log: ProxyLog) -> Iterable[Row]:
    previous = reading.item.kind.endswith(".previous")
    for line in log.access:
        yield _row(line, previous or line.pointer in log.previous_access)


def _row(line: AccessLine, previous: bool) -> Row:
    return (
        line.pointer,
        line.at,
        line.method,
        line.path,
        line.protocol,
        line.status,
        line.flags,
        line.details,
        line.termination_details,
        line.failure_reason,
        line.bytes_received,
        line.bytes_sent,
        line.duration_ms,
        line.upstream_ms,
        line.forwarded_for,
        line.user_agent,
        line.request_id,
        line.authority,
        line.upstream_host,
        line.cluster,
        line.route,
        line.direction,
        line.upstream_local,
        line.downstream_local,
        line.downstream_remote,
        line.sni,
        line.format,
        previous,
    )


access_log = Table(
    id="access_log",
    about="Requests and TCP connections as each proxy logged them.",
    of="pod",
    columns=_COLUMNS,
    reads={"log.istio-proxy*": _rows},
)
