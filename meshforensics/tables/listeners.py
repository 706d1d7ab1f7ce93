"""Listeners and their filter chains: what proxies accept."""

from collections.abc import Iterable, Iterator

from meshforensics.formats.config_dump import Listener
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._xds import INSTANCE, OBJECT, RESOURCE, Held, distinct, instances


def _rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "listener")
    return None if found is None else map(_row, found)


def _row(held: Held) -> Row:
    listener = held.resource.record
    assert isinstance(listener, Listener)
    return (
        held.place,
        held.resource.id,
        listener.name,
        listener.address,
        listener.addresses,
        listener.direction,
        len(listener.chains),
        listener.bind_to_port,
        listener.use_original_dst,
        held.resource.outline,
        held.resource.ips,
        listener.object,
    )


def _chain_rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "listener")
    return None if found is None else (row for held in found for row in _chains(held))


def _chains(held: Held) -> Iterator[Row]:
    listener = held.resource.record
    assert isinstance(listener, Listener)
    for order, chain in enumerate(listener.chains):
        yield (
            held.place + chain.pointer,
            held.resource.id,
            listener.name,
            chain.name,
            order,
            chain.destination_port,
            chain.destinations,
            chain.server_names,
            chain.transport_protocol,
            chain.application_protocols,
            chain.filters,
            chain.http_filters,
            chain.rds,
            chain.clusters,
            chain.tls_mode,
            chain.secrets,
            chain.sans,
            chain.default,
        )


listeners = Table(
    id="listeners",
    about="Each distinct listener that any proxy holds, once.",
    of="mesh",
    columns=(
        RESOURCE,
        Column("name", "category", about="Name of the listener.", source="name"),
        Column("address", "category", about="Address and port; internal for one without.", source="address"),
        Column("addresses", "object", about="Further addresses, as tuple.", source="additional_addresses"),
        Column("direction", "category", about="INBOUND or OUTBOUND.", source="traffic_direction"),
        Column("chains", "Int64", unit="filter chains", about="Number of filter chains.", source="filter_chains"),
        Column(
            "bind_to_port",
            "boolean",
            about="Whether it opens its port; if not, another listener hands connections over.",
            source="bind_to_port, deprecated_v1.bind_to_port",
        ),
        Column(
            "use_original_dst",
            "boolean",
            about="Whether it hands connections to the listener of their first destination.",
            source="use_original_dst",
        ),
        Column(
            "outline",
            "category",
            about="Hash of its content without the IP addresses in it.",
            source="sha256 of the resource, keys sorted; 16 hex digits",
        ),
        Column("ips", "object", about="The IP addresses in its content, in order, as tuple.", source="the resource"),
        OBJECT,
    ),
    reads={"envoy.config_dump": _rows},
)

filter_chains = Table(
    id="filter_chains",
    about="The filter chains of each distinct listener.",
    of="mesh",
    columns=(
        RESOURCE,
        Column("listener", "category", about="Name of the listener.", source="name"),
        Column("name", "category", about="Name of the chain.", source="filter_chains[].name"),
        Column("order", "Int64", about="Place in the listener, from 0.", source="filter_chains"),
        Column(
            "destination_port",
            "Int64",
            about="Port that a connection must be for.",
            source="filter_chain_match.destination_port",
        ),
        Column(
            "destinations",
            "object",
            about="Networks that a connection must be for, as tuple.",
            source="filter_chain_match.prefix_ranges",
        ),
        Column(
            "server_names",
            "object",
            about="Server names that a TLS client must ask for, as tuple.",
            source="filter_chain_match.server_names",
        ),
        Column(
            "transport_protocol",
            "category",
            about="tls or raw_buffer.",
            source="filter_chain_match.transport_protocol",
        ),
        Column(
            "application_protocols",
            "object",
            about="ALPN protocols, as tuple.",
            source="filter_chain_match.application_protocols",
        ),
        Column("filters", "object", about="Names of network filters, as tuple.", source="filters[].name"),
        Column("http_filters", "object", about="Names of HTTP filters, as tuple.", source="http_filters[].name"),
        Column("rds", "category", about="Route configuration it asks for.", source="rds.route_config_name"),
        Column("clusters", "object", about="Clusters that its TCP filters name, as tuple.", source="tcp_proxy"),
        Column(
            "tls_mode",
            "category",
            about="none, simple, or mutual where a client certificate is required.",
            source="transport_socket, tls_context",
        ),
        Column("secrets", "object", about="Secrets that its TLS context waits for, as tuple.", source="sds_secret"),
        Column("sans", "object", about="Names accepted in a client certificate, as tuple.", source="match_*_san"),
        Column("default", "boolean", about="Whether it is for what no other matches.", source="default_filter_chain"),
    ),
    reads={"envoy.config_dump": _chain_rows},
)

listener_instances = Table(
    id="listener_instances",
    about="Which proxy holds which listener, and which it refused.",
    of="pod",
    columns=INSTANCE,
    reads={"envoy.config_dump": instances("listener")},
)
