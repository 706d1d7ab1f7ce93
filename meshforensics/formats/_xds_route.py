"""Route configurations: which request goes to which cluster."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from meshforensics.formats._xds_message import Message
from meshforensics.formats._xds_object import object_of


class Destination(NamedTuple):
    """Where a route leads: a cluster with its weight, or the header that names the cluster."""

    pointer: str
    cluster: str | None
    weight: int | None
    header: str | None


class Route(msgspec.Struct, frozen=True, gc=False):
    """One route of a virtual host, `order` from 0; pointers are relative to the resource."""

    pointer: str
    order: int
    name: str | None
    match: str
    destinations: tuple[Destination, ...]
    mirrors: tuple[str, ...]
    timeout_s: float | None
    retry_on: str | None
    retries: int | None
    direct_response: int | None
    redirect: str | None
    object: str | None


class VirtualHost(msgspec.Struct, frozen=True, gc=False):
    """One virtual host: domains and routes."""

    pointer: str
    name: str | None
    domains: tuple[str, ...]
    routes: tuple[Route, ...]
    require_tls: str | None
    object: str | None


class RouteConfig(msgspec.Struct, frozen=True, gc=False):
    """One route configuration, from RDS or written inside an HTTP connection manager."""

    name: str | None
    virtual_hosts: tuple[VirtualHost, ...]
    validate_clusters: bool | None
    object: str | None


def read_route_config(resource: Message) -> RouteConfig:
    """The routes of `envoy.config.route.v3.RouteConfiguration` and of its v2 ancestor."""
    validates = resource.find("validate_clusters")[1]
    return RouteConfig(
        name=resource.text("name"),
        virtual_hosts=tuple(_virtual_host(each) for each in resource.messages("virtual_hosts")),
        validate_clusters=validates if isinstance(validates, bool) else None,
        object=object_of(resource),
    )


def _virtual_host(host: Message) -> VirtualHost:
    routes = enumerate(host.messages("routes"))
    return VirtualHost(
        pointer=host.pointer,
        name=host.text("name"),
        domains=host.texts("domains"),
        routes=tuple(_route(order, route, host) for order, route in routes),
        require_tls=host.text("require_tls"),
        object=object_of(host),
    )


def _route(order: int, route: Message, host: Message) -> Route:
    action = route.message("route")
    retry = action.message("retry_policy") if action.has("retry_policy") else host.message("retry_policy")
    return Route(
        pointer=route.pointer,
        order=order,
        name=route.text("name"),
        match=match_of(route.message("match")),
        destinations=tuple(_destinations(action)),
        mirrors=tuple(_mirrors(action)),
        timeout_s=action.seconds("timeout"),
        retry_on=retry.text("retry_on"),
        retries=retry.whole("num_retries"),
        direct_response=route.whole("direct_response", "status"),
        redirect=_redirect(route.message("redirect")) if route.has("redirect") else None,
        object=object_of(route),
    )


def _destinations(action: Message) -> Iterator[Destination]:
    key, cluster = action.find("cluster")
    if isinstance(cluster, str) and cluster:
        yield Destination(f"{action.pointer}/{key}", cluster, None, None)
    for member in action.messages("weighted_clusters", "clusters"):
        name, header = member.text("name"), member.text("cluster_header")
        yield Destination(member.pointer, name, member.whole("weight") or 0, header)
    key, header = action.find("cluster_header")
    if isinstance(header, str) and header:
        yield Destination(f"{action.pointer}/{key}", None, None, header)


def _mirrors(action: Message) -> Iterator[str]:
    """Clusters that get a copy of the request; xDS v2 knew one of them."""
    for policy in (*action.messages("request_mirror_policies"), action.message("request_mirror_policy")):
        cluster = policy.text("cluster")
        if cluster:
            yield cluster


def _redirect(redirect: Message) -> str:
    """What a redirect changes, as one text: ``https code=MOVED_PERMANENTLY host=shop.example``."""
    parts = ["https"] if redirect.flag("https_redirect") else []
    names = ("scheme", "host", "port", "path", "prefix", "code")
    fields = ("scheme_redirect", "host_redirect", "port_redirect", "path_redirect", "prefix_rewrite")
    for name, field in zip(names, (*fields, "response_code"), strict=True):
        value = redirect.text(field)
        if value is not None:
            parts.append(f"{name}={value}")
    return " ".join(parts) or "redirect"


def match_of(match: Message) -> str:
    """A route match as one text: ``prefix /api header end-user exact jason``."""
    said = [*_path(match)]
    said += [_named("header", header) for header in match.messages("headers")]
    said += [_named("query", parameter) for parameter in match.messages("query_parameters")]
    if match.has("grpc"):
        said.append("grpc")
    if match.has("runtime_fraction") or match.has("runtime"):
        said.append("fraction")
    return " ".join(said)


def _named(what: str, matcher: Message) -> str:
    invert = "not " if matcher.flag("invert_match") else ""
    return f"{invert}{what} {matcher.text('name') or ''} {_value(matcher)}"


def _path(match: Message) -> Iterator[str]:
    for kind in ("prefix", "path", "path_separated_prefix", "regex"):
        value = match.text(kind)
        if value is not None:
            yield f"{kind} {value}"
    regex = match.text("safe_regex", "regex")
    if regex is not None:
        yield f"regex {regex}"
    if match.has("connect_matcher"):
        yield "connect"
    template = match.text("path_match_policy", "typed_config", "path_template")
    if template is not None:
        yield f"template {template}"


def _value(matcher: Message) -> str:
    """How a header or query parameter is compared, in the spelling of any age."""
    string = matcher.message("string_match")
    for held, prefix in ((string, ""), (matcher, ""), (matcher, "_match")):
        for kind in ("exact", "prefix", "suffix", "contains", "regex"):
            value = held.text(f"{kind}{prefix}")
            if value is not None:
                return f"{kind} {value}"
    for holder in (string.message("safe_regex"), matcher.message("safe_regex_match")):
        regex = holder.text("regex")
        if regex is not None:
            return f"regex {regex}"
    if matcher.flag("present_match") or not matcher.has("string_match"):
        return "present"
    return "custom"
