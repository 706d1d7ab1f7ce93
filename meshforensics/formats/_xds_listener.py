"""Listeners: what a proxy accepts, and through which filters it goes."""

from collections.abc import Iterator

import msgspec

from meshforensics.formats._xds_message import Message, address_of, extension
from meshforensics.formats._xds_object import object_of
from meshforensics.formats._xds_secret import Pem, Tls, read_tls


class FilterChain(msgspec.Struct, frozen=True, gc=False):
    """One filter chain; `pointer` is relative to the resource."""

    pointer: str
    name: str | None
    destination_port: int | None
    destinations: tuple[str, ...]
    server_names: tuple[str, ...]
    transport_protocol: str | None
    application_protocols: tuple[str, ...]
    filters: tuple[str, ...]
    http_filters: tuple[str, ...]
    rds: str | None
    clusters: tuple[str, ...]
    tls_mode: str
    secrets: tuple[str, ...]
    sans: tuple[str, ...]
    default: bool


class Listener(msgspec.Struct, frozen=True, gc=False):
    """One listener, with the fields that checks read."""

    name: str | None
    address: str | None
    addresses: tuple[str, ...]
    direction: str | None
    bind_to_port: bool
    use_original_dst: bool
    chains: tuple[FilterChain, ...]
    object: str | None
    pems: tuple[Pem, ...]


def read_listener(resource: Message) -> Listener:
    """The listener of `envoy.config.listener.v3.Listener` and of `envoy.api.v2.Listener`."""
    chains = [(chain, False) for chain in resource.messages("filter_chains")]
    if resource.has("default_filter_chain"):
        chains.append((resource.message("default_filter_chain"), True))
    contexts = [_tls(chain) for chain, _ in chains]
    more = tuple(
        address
        for held in resource.messages("additional_addresses")
        if (address := address_of(held.message("address")))
    )
    return Listener(
        name=resource.text("name"),
        address=_address(resource),
        addresses=more,
        direction=resource.text("traffic_direction"),
        bind_to_port=_binds(resource),
        use_original_dst=resource.flag("use_original_dst"),
        chains=tuple(_chain(chain, tls, default) for (chain, default), tls in zip(chains, contexts, strict=True)),
        object=object_of(resource),
        pems=tuple(pem for tls in contexts if tls for pem in tls.pems),
    )


def _address(resource: Message) -> str | None:
    held = address_of(resource.message("address"))
    return held or ("internal" if resource.has("internal_listener") else None)


def _binds(resource: Message) -> bool:
    old = resource.message("deprecated_v1")
    return resource.flag("bind_to_port", default=old.flag("bind_to_port", default=True))


def _chain(chain: Message, tls: Tls | None, default: bool) -> FilterChain:
    match = chain.message("filter_chain_match")
    filters = list(chain.messages("filters"))
    managers = [config for _, config in map(extension, filters) if _is_http(config)]
    return FilterChain(
        pointer=chain.pointer,
        name=chain.text("name"),
        destination_port=match.whole("destination_port"),
        destinations=tuple(_ranges(match)),
        server_names=match.texts("server_names") or match.texts("sni_domains"),
        transport_protocol=match.text("transport_protocol"),
        application_protocols=match.texts("application_protocols"),
        filters=tuple(each.text("name") or "" for each in filters),
        http_filters=tuple(
            each.text("name") or "" for manager in managers for each in manager.messages("http_filters")
        ),
        rds=next((name for manager in managers if (name := manager.text("rds", "route_config_name"))), None),
        clusters=tuple(name for each in filters for name in _tcp_clusters(extension(each)[1])),
        tls_mode="none" if tls is None else "mutual" if tls.mutual else "simple",
        secrets=tls.secrets if tls else (),
        sans=tls.sans if tls else (),
        default=default,
    )


def _ranges(match: Message) -> Iterator[str]:
    for held in match.messages("prefix_ranges"):
        size = held.whole("prefix_len")
        yield f"{held.text('address_prefix') or ''}/{0 if size is None else size}"


def _is_http(config: Message) -> bool:
    return any(config.has(name) for name in ("http_filters", "rds", "route_config", "scoped_routes"))


def _tcp_clusters(config: Message) -> Iterator[str]:
    """The clusters that a network filter of the TCP kind names."""
    direct = config.find("cluster")[1]
    if isinstance(direct, str) and direct:
        yield direct
    weighted = config.find("weighted_clusters")[1]
    if isinstance(weighted, dict):
        for member in config.messages("weighted_clusters", "clusters"):
            name = member.text("name")
            if name:
                yield name


def inline_routes(resource: Message) -> Iterator[Message]:
    """Route configurations inside HTTP connection managers, the API listener's too."""
    chains = [*resource.messages("filter_chains"), resource.message("default_filter_chain")]
    configs = [extension(each)[1] for chain in chains for each in chain.messages("filters")]
    configs.append(resource.message("api_listener", "api_listener"))
    for config in configs:
        key, held = config.find("route_config")
        if isinstance(held, dict):
            yield Message(held, f"{config.pointer}/{key}")


def _tls(chain: Message) -> Tls | None:
    if chain.has("tls_context"):
        return read_tls(chain.message("tls_context"))
    _, config = extension(chain.message("transport_socket"))
    return read_tls(config) if config.has("common_tls_context") else None
