"""Routes: which request goes to which cluster."""

from collections.abc import Iterable, Iterator

from meshforensics.formats.config_dump import Destination, Route, RouteConfig, VirtualHost
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._xds import INSTANCE, OBJECT, RESOURCE, Held, distinct, instances

_CONFIG = Column("route_config", "category", about="Name of the route configuration.", source="name")


def _rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "route")
    return None if found is None else (row for held in found for row in _routes(held))


def _routes(held: Held) -> Iterator[Row]:
    config = held.resource.record
    assert isinstance(config, RouteConfig)
    for host in config.virtual_hosts:
        for route in host.routes:
            for destination in route.destinations or (Destination(route.pointer, None, None, None),):
                yield _row(held, config, host, route, destination)


def _row(held: Held, config: RouteConfig, host: VirtualHost, route: Route, destination: Destination) -> Row:
    return (
        held.place + destination.pointer,
        held.resource.id,
        config.name,
        host.name,
        route.name,
        route.order,
        route.match,
        destination.cluster,
        destination.weight,
        destination.header,
        route.mirrors,
        route.timeout_s,
        route.retry_on,
        route.retries,
        route.direct_response,
        route.redirect,
        route.object or config.object,
    )


def _host_rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "route")
    return None if found is None else (row for held in found for row in _hosts(held))


def _hosts(held: Held) -> Iterator[Row]:
    config = held.resource.record
    assert isinstance(config, RouteConfig)
    for host in config.virtual_hosts:
        yield (
            held.place + host.pointer,
            held.resource.id,
            config.name,
            host.name,
            host.domains,
            len(host.routes),
            host.require_tls,
            host.object,
        )


routes = Table(
    id="routes",
    about="The routes of each distinct route configuration: one row per route and destination.",
    of="mesh",
    columns=(
        RESOURCE,
        _CONFIG,
        Column("virtual_host", "category", about="Name of the virtual host.", source="virtual_hosts[].name"),
        Column("name", "category", about="Name of the route.", source="routes[].name"),
        Column("order", "Int64", about="Place in the virtual host, from 0; the first match wins.", source="routes"),
        Column("match", "str", about="What a request must have, as one text.", source="routes[].match"),
        Column(
            "cluster",
            "category",
            about="Cluster that it leads to; missing for an answer, a redirect, or one named by a header.",
            source="route.cluster, route.weighted_clusters",
        ),
        Column(
            "weight", "Int64", about="Share among the clusters of a route; missing for the only one.", source="weight"
        ),
        Column("cluster_header", "str", about="Header that names the cluster.", source="route.cluster_header"),
        Column("mirrors", "object", about="Clusters that get a copy, as tuple.", source="request_mirror_policies"),
        Column(
            "timeout_s",
            "Float64",
            unit="s",
            about="Time for the whole answer; 0 for none, missing for Envoy's default, 15 s.",
            source="route.timeout",
        ),
        Column("retry_on", "str", about="What is tried again.", source="retry_policy.retry_on"),
        Column("retries", "Int64", about="How often it is tried again.", source="retry_policy.num_retries"),
        Column("direct_response", "Int64", about="Status that the proxy itself answers.", source="direct_response"),
        Column("redirect", "str", about="What a redirect changes, as one text.", source="redirect"),
        OBJECT,
    ),
    reads={"envoy.config_dump": _rows},
)

virtual_hosts = Table(
    id="virtual_hosts",
    about="The virtual hosts of each distinct route configuration.",
    of="mesh",
    columns=(
        RESOURCE,
        _CONFIG,
        Column("name", "category", about="Name of the virtual host.", source="virtual_hosts[].name"),
        Column("domains", "object", about="Domains it answers for, as tuple.", source="virtual_hosts[].domains"),
        Column("routes", "Int64", unit="routes", about="Number of routes.", source="virtual_hosts[].routes"),
        Column("require_tls", "category", about="Whether it demands TLS.", source="virtual_hosts[].require_tls"),
        OBJECT,
    ),
    reads={"envoy.config_dump": _host_rows},
)

route_instances = Table(
    id="route_instances",
    about="Which proxy holds which route configuration, those inside listeners too.",
    of="pod",
    columns=INSTANCE,
    reads={"envoy.config_dump": instances("route")},
)
