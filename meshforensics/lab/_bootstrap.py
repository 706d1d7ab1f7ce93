"""The bootstrap of a proxy, as istio-proxy writes it: node, statistics, where its control plane is."""

from meshforensics.lab._clusters import http_options
from meshforensics.lab._world import Body, Pod, World

ADMIN = 15000
XDS = 15010
_TAGS = {
    "cluster_name": r"^cluster\.((.+?(\..+?\.svc\.cluster\.local)?);?\.)",
    "tcp_prefix": r"^tcp\.((.*?)\.)\w+?$",
    "response_code": r"(response_code=\.=(.+?);\.;)|_rq(_(\d{3}))$",
    "response_code_class": r"_rq(_(\dxx))$",
    "http_conn_manager_prefix": r"^http\.(((?:outbound|inbound)_[0-9.]+_\d{0,5});?\.)",
    "listener_address": r"^listener\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)",
}
_CALLS = (
    "total|active|none_healthy|connect_fail|connect_timeout|overflow|timeout|per_try_timeout|retry|"
    "retry_limit_exceeded|retry_success|retry_overflow|pending_overflow|pending_active|pending_total|"
    "pending_failure_eject|rx_reset|tx_reset|cancelled|destroy|destroy_remote_with_active_rq|max_requests|"
    "[0-9]xx|[0-9]{3}"
)
_STATE = (
    r"circuit_breakers\.default\..*|outlier_detection\.ejections_.*|membership_.*|"
    r"ssl\.(.*\.)?(handshake|connection_error|fail_verify.*)|lb_healthy_panic|update_.*|init_fetch_timeout|"
    r"warming_state|version"
)
_DOOR = (
    r"downstream_cx_(total|active|destroy)|no_filter_chain_match|downstream_pre_cx_timeout|"
    r"ssl\.(.*\.)?(handshake|connection_error|fail_verify.*|no_certificate)"
)
_MANAGED = (
    r"downstream_(rq|cx)_(total|active|[0-9]xx|rx_reset|tx_reset|time|timeout|http1_total|destroy.*)|no_route|"
    r"no_cluster|rbac\..*|rds\..*(update_.*|init_fetch_timeout|config_reload)"
)
_KEPT = (
    rf"cluster\.(outbound|inbound|Passthrough|BlackHole|InboundPass).*\.upstream_(cx|rq)_({_CALLS})",
    rf"cluster\.(outbound|inbound).*\.({_STATE})",
    rf"listener\..*\.({_DOOR})",
    rf"http\.(inbound|outbound).*\.({_MANAGED})",
    r"cluster\.(outbound|inbound).*\.grpc\..*",
    r".*http_local_rate_limit.*",
    r".*vhost\..*\.route\..*",
    r"sds\..*(update_.*|init_fetch_timeout|version|key_rotation_failed)",
    r"cluster\.xds-grpc\.(upstream_cx_(total|active|connect_fail)|upstream_rq_(total|active)|membership_.*)",
)
_PREFIXES = ("cluster_manager", "listener_manager", "server", "control_plane")
_SUFFIXES = ("rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied", "downstream_cx_active")


def bootstrap(world: World, pod: Pod, *, socket: str, xds: tuple[str, int]) -> Body:
    """The bootstrap of a pod's proxy.

    Args:
        world: the mesh.
        pod: whose proxy it is.
        socket: path of the Unix socket that SDS is served on.
        xds: address and port that lead to the control plane.
    """
    return {
        "node": _node(world, pod),
        "admin": {"address": {"socket_address": {"address": pod.address, "port_value": ADMIN}}},
        "static_resources": {
            "clusters": [
                _cluster("xds-grpc", {"socket_address": {"address": xds[0], "port_value": xds[1]}}),
                _cluster("sds-grpc", {"pipe": {"path": socket}}),
            ]
        },
        "dynamic_resources": {
            "lds_config": {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
            "cds_config": {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
            },
        },
        "cluster_manager": {"upstream_bind_config": {"source_address": {"address": pod.address, "port_value": 0}}},
        "stats_config": _statistics(),
        "layered_runtime": {
            "layers": [{"name": "static", "static_layer": {"re2.max_program_size.error_level": 32768}}]
        },
    }


def _cluster(name: str, address: Body) -> Body:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "typed_extension_protocol_options": http_options("grpc"),
    }


def _node(world: World, pod: Pod) -> Body:
    place = pod.place
    kind = "router" if pod is world.gateway else "sidecar"
    domain = f"{place.namespace}.svc.cluster.local"
    return {
        "id": f"{kind}~{pod.address}~{place.name}.{place.namespace}~{domain}",
        "cluster": f"{place.service}.{place.namespace}",
        "locality": {"region": "lab", "zone": "lab-a"},
        "metadata": {
            "NAME": place.name,
            "NAMESPACE": place.namespace,
            "ISTIO_VERSION": pod.istio,
            "WORKLOAD_NAME": place.workload,
            "CLUSTER_ID": "Kubernetes",
            "MESH_ID": world.plan.trust_domain,
            "NODE_NAME": pod.node,
            "SERVICE_ACCOUNT": pod.account,
            "INSTANCE_IPS": pod.address,
            "INTERCEPTION_MODE": "NONE",
            "OWNER": f"kubernetes://apis/apps/v1/namespaces/{place.namespace}/deployments/{place.workload}",
            "LABELS": labels(pod),
            "PROXY_CONFIG": {"concurrency": 1, "discoveryAddress": "istiod.istio-system.svc:15012"},
        },
    }


def labels(pod: Pod) -> dict[str, str]:
    """The labels of a pod."""
    place = pod.place
    return {
        "app": place.service,
        "version": place.version,
        "pod-template-hash": place.name.removeprefix(f"{place.workload}-").partition("-")[0],
        "service.istio.io/canonical-name": place.service,
        "service.istio.io/canonical-revision": place.version,
        **({} if pod.plain else {"security.istio.io/tlsMode": "istio"}),
    }


def _statistics() -> Body:
    patterns: list[Body] = [{"prefix": each} for each in _PREFIXES]
    patterns += [{"suffix": each} for each in _SUFFIXES]
    patterns += [{"safe_regex": {"regex": each}} for each in _KEPT]
    return {
        "use_all_default_tags": False,
        "stats_tags": [{"tag_name": name, "regex": regex} for name, regex in _TAGS.items()],
        "stats_matcher": {"inclusion_list": {"patterns": patterns}},
    }
