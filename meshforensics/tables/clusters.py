"""Clusters: where proxies send requests."""

from collections.abc import Iterable

from meshforensics.formats.config_dump import Cluster, parts_of
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._xds import INSTANCE, OBJECT, RESOURCE, Held, distinct, instances


def _rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "cluster")
    return None if found is None else map(_row, found)


def _row(held: Held) -> Row:
    cluster = held.resource.record
    assert isinstance(cluster, Cluster)
    parts = parts_of(cluster.name)
    return (
        held.place,
        held.resource.id,
        cluster.name,
        cluster.type,
        cluster.lb_policy,
        parts.direction,
        parts.port,
        parts.subset,
        parts.host,
        cluster.service,
        cluster.connect_timeout_s,
        cluster.max_connections,
        cluster.max_pending_requests,
        cluster.max_requests,
        cluster.max_retries,
        cluster.max_requests_per_connection,
        cluster.idle_timeout_s,
        cluster.tls,
        cluster.sni,
        cluster.sans,
        cluster.outlier,
        cluster.alt_stat_name,
        cluster.object,
    )


clusters = Table(
    id="clusters",
    about="Each distinct cluster that any proxy holds, once.",
    of="mesh",
    columns=(
        RESOURCE,
        Column("name", "category", about="Name of the cluster.", source="name"),
        Column("type", "category", about="How its hosts are found: EDS, STATIC, ORIGINAL_DST, ….", source="type"),
        Column("lb_policy", "category", about="Load balancing; missing for round robin.", source="lb_policy"),
        Column("direction", "category", about="inbound or outbound.", source="name, first part"),
        Column("port", "Int64", about="Port of the service.", source="name, second part"),
        Column("subset", "category", about="Subset of the DestinationRule.", source="name, third part"),
        Column("host", "category", about="Host name of the service.", source="name, fourth part"),
        Column(
            "service",
            "category",
            about="Kubernetes service, as namespace/name.",
            source="metadata.filter_metadata.istio.services",
        ),
        Column("connect_timeout_s", "Float64", unit="s", about="Time to connect.", source="connect_timeout"),
        Column(
            "max_connections",
            "Int64",
            unit="connections",
            about="Breaker of the default priority; missing for Envoy's default, 1024.",
            source="circuit_breakers.thresholds[].max_connections",
        ),
        Column(
            "max_pending_requests",
            "Int64",
            unit="requests",
            about="Breaker of the default priority; missing for Envoy's default, 1024.",
            source="circuit_breakers.thresholds[].max_pending_requests",
        ),
        Column(
            "max_requests",
            "Int64",
            unit="requests",
            about="Breaker of the default priority; missing for Envoy's default, 1024.",
            source="circuit_breakers.thresholds[].max_requests",
        ),
        Column(
            "max_retries",
            "Int64",
            unit="retries",
            about="Breaker of the default priority; missing for Envoy's default, 3.",
            source="circuit_breakers.thresholds[].max_retries",
        ),
        Column(
            "max_requests_per_connection",
            "Int64",
            unit="requests",
            about="Requests after which a connection is closed; missing for no limit.",
            source="max_requests_per_connection, common_http_protocol_options",
        ),
        Column(
            "idle_timeout_s",
            "Float64",
            unit="s",
            about="Time without requests after which a connection is closed, 0 for never; missing for Envoy's hour.",
            source="common_http_protocol_options.idle_timeout",
        ),
        Column("tls", "boolean", about="Whether it has a TLS context.", source="transport_socket(_matches)"),
        Column("sni", "str", about="Server name that it asks for.", source="transport_socket sni"),
        Column(
            "sans",
            "object",
            about="Names of which the peer's certificate must have one, as tuple; empty for any.",
            source="match_subject_alt_names and its ancestors",
        ),
        Column("outlier", "boolean", about="Whether failing hosts are ejected.", source="outlier_detection"),
        Column("alt_stat_name", "str", about="Name in stats, where it differs.", source="alt_stat_name"),
        OBJECT,
    ),
    reads={"envoy.config_dump": _rows},
)

cluster_instances = Table(
    id="cluster_instances",
    about="Which proxy holds which cluster.",
    of="pod",
    columns=INSTANCE,
    reads={"envoy.config_dump": instances("cluster")},
)
