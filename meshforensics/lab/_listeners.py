"""Listeners, named and filled as istiod does it; their addresses are a lab's, because nothing redirects to them."""

import copy
import re
from typing import Any

from meshforensics.lab._clusters import ADS, TYPE, tls
from meshforensics.lab._plan import GATEWAY_PORT, Service
from meshforensics.lab._routes import GATEWAY_ROUTES, inbound_routes, ports
from meshforensics.lab._rules import mode_of, selected
from meshforensics.lab._world import Body, Pod, World

LOG_FORMAT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% '
    '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
_ALPN = ("istio-peer-exchange", "h2", "http/1.1")
_HTTP = "extensions.filters.http."
_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def listeners(world: World, pod: Pod) -> list[Body]:
    """Every listener of a pod's proxy."""
    if pod is world.gateway:
        return [_listener(f"0.0.0.0_{GATEWAY_PORT}", pod, GATEWAY_PORT, "OUTBOUND", [_edge(world, pod)])]
    found = [
        _listener(
            f"0.0.0.0_{port}",
            pod,
            port,
            "OUTBOUND",
            [{"filters": [_manager(f"outbound_0.0.0.0_{port};", rds=str(port))]}],
        )
        for port in ports(world)
    ]
    own = world.service_of(pod)
    return [*found, _inbound(world, pod, own)] if own else found


def _listener(name: str, pod: Pod, port: int, direction: str, chains: list[Body]) -> Body:
    address = pod.inside if direction == "OUTBOUND" and port != GATEWAY_PORT else pod.address
    return {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        "filter_chains": chains,
        "traffic_direction": direction,
        "access_log": access_log({"response_flag_filter": {"flags": ["NR"]}}),
    }


def _edge(world: World, pod: Pod) -> Body:
    filters = _extensions(world, pod, "GATEWAY")
    return {"filters": [_manager("outbound_0.0.0.0_8080;", rds=GATEWAY_ROUTES, filters=filters, edge=True)]}


def _inbound(world: World, pod: Pod, service: Service) -> Body:
    filters = [*_extensions(world, pod, "SIDECAR_INBOUND"), *_access(world, pod)]
    manager = _manager(f"inbound_0.0.0.0_{service.target};", inline=inbound_routes(service), filters=filters)
    mode = mode_of(world, pod)
    match = {"destination_port": service.target}
    name = f"0.0.0.0_{service.target}"
    peers = [{"prefix": f"spiffe://{world.plan.trust_domain}/"}]
    mutual = {
        "name": name,
        "filter_chain_match": {**match, "transport_protocol": "tls"},
        "filters": [manager],
        "transport_socket": tls("Downstream", peers, _ALPN, require_client_certificate=True),
    }
    plain = {"name": name, "filter_chain_match": {**match, "transport_protocol": "raw_buffer"}, "filters": [manager]}
    chains = [*([mutual] if mode != "DISABLE" else []), *([plain] if mode != "STRICT" else [])]
    inspector = {
        "name": "envoy.filters.listener.tls_inspector",
        "typed_config": {"@type": f"{TYPE}extensions.filters.listener.tls_inspector.v3.TlsInspector"},
    }
    return {
        **_listener("virtualInbound", pod, service.target, "INBOUND", chains),
        "listener_filters": [inspector],
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
    }


def access_log(only: Body | None = None) -> list[Body]:
    """Istio's default access log."""
    config = {
        "@type": f"{TYPE}extensions.access_loggers.file.v3.FileAccessLog",
        "path": "/dev/stdout",
        "log_format": {"text_format_source": {"inline_string": LOG_FORMAT}},
    }
    return [{"name": "envoy.access_loggers.file", **({"filter": only} if only else {}), "typed_config": config}]


def _manager(
    prefix: str, *, rds: str = "", inline: Body | None = None, filters: list[Body] | None = None, edge: bool = False
) -> Body:
    routes = {"rds": {"config_source": ADS, "route_config_name": rds}} if rds else {"route_config": inline}
    chain = [*(filters or []), _filter("fault", "HTTPFault"), _filter("cors", "Cors"), _filter("router", "Router")]
    config: dict[str, Any] = {
        "@type": f"{TYPE}{_MANAGER}",
        "stat_prefix": prefix,
        **routes,
        "http_filters": chain,
        "access_log": access_log(),
        "use_remote_address": edge,
        "normalize_path": True,
        "stream_idle_timeout": "0s",
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def _filter(name: str, message: str, **config: Any) -> Body:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{TYPE}{_HTTP}{name}.v3.{message}", **config},
    }


def _extensions(world: World, pod: Pod, context: str) -> list[Body]:
    """The filters that EnvoyFilters insert before the others."""
    return [
        copy.deepcopy(patch["patch"]["value"])
        for each in selected(world, "EnvoyFilter", pod)
        for patch in each["spec"]["configPatches"]
        if patch["applyTo"] == "HTTP_FILTER" and patch["match"]["context"] == context
    ]


def _access(world: World, pod: Pod) -> list[Body]:
    """A filter for the DENY policies of a pod, and one for its ALLOW policies."""
    found: dict[str, Body] = {"DENY": {}, "ALLOW": {}}
    for each in selected(world, "AuthorizationPolicy", pod):
        metadata, spec = each["metadata"], each["spec"]
        for number, rule in enumerate(spec.get("rules", [])):
            name = f"ns[{metadata['namespace']}]-policy[{metadata['name']}]-rule[{number}]"
            found[spec.get("action", "ALLOW")][name] = _policy(rule)
    return [
        _filter("rbac", "RBAC", rules={"action": action, "policies": policies})
        for action, policies in found.items()
        if policies
    ]


def _policy(rule: Body) -> Body:
    """A rule of an AuthorizationPolicy as Envoy has it."""
    names = [name for each in rule.get("from", []) for name in each["source"].get("principals", [])]
    paths = [path for each in rule.get("to", []) for path in each["operation"].get("paths", [])]
    principals = [{"authenticated": {"principal_name": {"exact": f"spiffe://{name}"}}} for name in names]
    permissions = [{"url_path": {"path": _string(path)}} for path in paths]
    return {"principals": principals or [{"any": True}], "permissions": permissions or [{"any": True}]}


def _string(path: str) -> Body:
    return {"prefix": path.removesuffix("*")} if re.search(r"\*$", path) else {"exact": path}
