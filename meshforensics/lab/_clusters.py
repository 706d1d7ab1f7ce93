"""Clusters and endpoints, named and filled as istiod does it."""

from typing import Any

from meshforensics.lab._plan import APPLICATION, Service
from meshforensics.lab._rules import made_of, path_of, policy_of, rule_of, subsets_of
from meshforensics.lab._world import Body, Pod, World

TYPE = "type.googleapis.com/envoy."
ADS = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
SDS = {
    "api_config_source": {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}],
    },
    "initial_fetch_timeout": "0s",
    "resource_api_version": "V3",
}
UNLIMITED = 2**32 - 1
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_TLS = "extensions.transport_sockets.tls.v3."
_OUTLIERS = {
    "consecutive5xxErrors": "consecutive_5xx",
    "interval": "interval",
    "baseEjectionTime": "base_ejection_time",
    "maxEjectionPercent": "max_ejection_percent",
}


def cluster_name(service: Service, subset: str = "") -> str:
    """Istiod's name of an outbound cluster."""
    return f"outbound|{service.port}|{subset}|{service.host}"


def clusters(world: World, pod: Pod) -> list[Body]:
    """Every cluster of a pod's proxy."""
    found = [
        _plain("BlackHoleCluster", type="STATIC"),
        _plain("PassthroughCluster", type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED"),
    ]
    for service in world.plan.services.values():
        found += [_outbound(world, service, subset) for subset in ("", *dict(subsets_of(world, service)))]
    found += [_tenant(number) for number in range(world.extra_clusters)]
    own = world.service_of(pod)
    return found + ([_inbound(pod, own)] if own else [])


def assignments(world: World, _pod: Pod) -> list[Body]:
    """The endpoints of every cluster that takes them from EDS."""
    found = []
    for service in world.plan.services.values():
        for subset, version in (("", ""), *subsets_of(world, service)):
            pods = world.endpoints_of(service, version) if not subset or version else []
            found.append(_assignment(cluster_name(service, subset), service, pods))
    return found


def tls(kind: str, matchers: list[Body], alpn: tuple[str, ...], **more: Any) -> Body:
    """A TLS context that takes its certificate and its roots from SDS; `kind` is Upstream or Downstream."""
    common = {
        "alpn_protocols": list(alpn),
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificate_sds_secret_configs": [{"name": "default", "sds_config": SDS}],
        "combined_validation_context": {
            "default_validation_context": {
                "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": each} for each in matchers]
            },
            "validation_context_sds_secret_config": {"name": "ROOTCA", "sds_config": SDS},
        },
    }
    config = {"@type": f"{TYPE}{_TLS}{kind}TlsContext", "common_tls_context": common, **more}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


def http_options(protocol: str, requests: int = 0) -> Body:
    """The protocol that is spoken to a cluster; `requests` are all that a connection may carry."""
    explicit: Body = {"http2_protocol_options": {}} if protocol == "grpc" else {"http_protocol_options": {}}
    common = {"common_http_protocol_options": {"max_requests_per_connection": requests}} if requests else {}
    return {_HTTP: {"@type": f"type.googleapis.com/{_HTTP}", "explicit_http_config": explicit, **common}}


def _plain(name: str, **more: Any) -> Body:
    return {"name": name, "connect_timeout": "10s", "alt_stat_name": f"{name};", **more}


def _outbound(world: World, service: Service, subset: str) -> Body:
    name, rule, policy = cluster_name(service, subset), rule_of(world, service), policy_of(world, service)
    pool = policy.get("connectionPool", {})
    services = [{"namespace": service.namespace, "host": service.host, "name": service.name}]
    about = {"services": services, **({"subset": subset} if subset else {})}
    return {
        **_plain(name, type="EDS", lb_policy="LEAST_REQUEST"),
        "eds_cluster_config": {"eds_config": ADS, "service_name": name},
        "connect_timeout": pool.get("tcp", {}).get("connectTimeout", "10s"),
        "metadata": made_of(path_of(rule) if rule else "", **about),
        "common_lb_config": {"healthy_panic_threshold": {}},
        "circuit_breakers": {"thresholds": [_limits(pool)]},
        "typed_extension_protocol_options": http_options(
            service.protocol, pool.get("http", {}).get("maxRequestsPerConnection", 0)
        ),
        **_outliers(policy),
        **_security(world, service, subset, policy.get("tls", {})),
    }


def _limits(pool: Body) -> Body:
    http, tcp = pool.get("http", {}), pool.get("tcp", {})
    return {
        "max_connections": tcp.get("maxConnections", UNLIMITED),
        "max_pending_requests": http.get("http1MaxPendingRequests", UNLIMITED),
        "max_requests": http.get("http2MaxRequests", UNLIMITED),
        "max_retries": http.get("maxRetries", UNLIMITED),
        "track_remaining": True,
    }


def _outliers(policy: Body) -> Body:
    said = policy.get("outlierDetection")
    if not said:
        return {}
    detection = {_OUTLIERS[key]: value for key, value in said.items()}
    return {"outlier_detection": {**detection, "enforcing_consecutive_5xx": 100, "enforcing_success_rate": 0}}


def _security(world: World, service: Service, subset: str, said: Body) -> Body:
    """MTLS where the endpoint says that it speaks it, else plaintext; a rule may force one of them."""
    names = said.get("subjectAltNames") or [world.spiffe(service.namespace, service.name)]
    sni = f"outbound_.{service.port}_.{subset}_.{service.host}"
    alpn = ("istio", "h2") if service.protocol == "grpc" else ("istio-peer-exchange", "istio")
    mutual = tls("Upstream", [{"exact": name} for name in names], alpn, sni=sni)
    if said.get("mode") == "DISABLE":
        return {}
    if said.get("mode"):
        return {"transport_socket": mutual}
    raw = {
        "name": "envoy.transport_sockets.raw_buffer",
        "typed_config": {"@type": f"{TYPE}extensions.transport_sockets.raw_buffer.v3.RawBuffer"},
    }
    return {
        "transport_socket_matches": [
            {"name": "tlsMode-istio", "match": {"tlsMode": "istio"}, "transport_socket": mutual},
            {"name": "tlsMode-disabled", "match": {}, "transport_socket": raw},
        ]
    }


def _inbound(pod: Pod, service: Service) -> Body:
    name = f"inbound|{service.target}||"
    services = [{"namespace": service.namespace, "host": service.host, "name": service.name}]
    return {
        **_plain(name, type="STATIC"),
        "upstream_bind_config": {"source_address": {"address": "127.0.0.6", "port_value": 0}},
        "circuit_breakers": {"thresholds": [_limits({})]},
        "metadata": made_of("", services=services),
        "typed_extension_protocol_options": http_options(service.protocol),
        "load_assignment": _load(name, [(pod.address, service.target + APPLICATION, {})]),
    }


def _tenant(number: int) -> Body:
    """A service of somebody else: configuration that grows."""
    name = f"outbound|{8000 + number % 40}||app-{number}.tenant-{number % 9}.svc.cluster.local"
    return {
        **_plain(name, type="STATIC"),
        "load_assignment": _load(name, [(f"10.99.{number % 200}.{number % 250 + 1}", 8080, {})]),
    }


def _assignment(name: str, service: Service, pods: list[Pod]) -> Body:
    about = [(pod.address, service.target, _endpoint_metadata(service, pod)) for pod in pods]
    return _load(name, about)


def _endpoint_metadata(service: Service, pod: Pod) -> Body:
    place = pod.place
    workload = f"{place.workload};{place.namespace};{service.name};{place.version};Kubernetes"
    match = {} if pod.plain else {"envoy.transport_socket_match": {"tlsMode": "istio"}}
    return {"filter_metadata": {**match, "istio": {"workload": workload}}}


def _load(name: str, endpoints: list[tuple[str, int, Body]]) -> Body:
    listed = [
        {
            "endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}},
            **({"metadata": metadata} if metadata else {}),
            "load_balancing_weight": 1,
        }
        for address, port, metadata in endpoints
    ]
    locality = {"region": "lab", "zone": "lab-a"}
    group = [{"locality": locality, "lb_endpoints": listed, "load_balancing_weight": len(listed)}] if listed else []
    return {"cluster_name": name, "endpoints": group}
