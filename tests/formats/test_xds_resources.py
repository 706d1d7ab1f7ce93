"""What single xDS resources say, in the spellings of every age: the traps behind `/config_dump`'s wrapper."""

import base64
import json
from typing import Any

import pytest

from meshforensics.formats.config_dump import (
    Assignment,
    Cluster,
    Listener,
    RouteConfig,
    Secret,
    decode,
    pems_of,
)

V3 = "type.googleapis.com/envoy.admin.v3."
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
STRUCT = "type.googleapis.com/udpa.type.v1.TypedStruct"
ROOTS = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
LISTS: dict[type, tuple[str, str, str]] = {
    Cluster: ("Clusters", "dynamic_active_clusters", "cluster"),
    Listener: ("Listeners", "static_listeners", "listener"),
    RouteConfig: ("Routes", "dynamic_route_configs", "route_config"),
    Assignment: ("Endpoints", "dynamic_endpoint_configs", "endpoint_config"),
    Secret: ("Secrets", "dynamic_active_secrets", "secret"),
}


def _payload(kind: type, resource: dict[str, Any]) -> bytes:
    section, listed, field = LISTS[kind]
    said = {"@type": f"{V3}{section}ConfigDump", listed: [{field: {"name": "x", **resource}}]}
    return json.dumps({"configs": [said]}).encode()


def _record(kind: type, resource: dict[str, Any]) -> Any:
    (entry,) = decode(_payload(kind, resource)).entries()
    assert entry.resource is not None
    assert isinstance(entry.resource.record, kind)
    return entry.resource.record


def _filter(config: dict[str, Any], field: str = "typed_config") -> dict[str, Any]:
    return {"filters": [{"name": "http", field: config}]}


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param(_filter({"@type": MANAGER, "rds": {"route_config_name": "80"}}), id="typed"),
        pytest.param(_filter({"@type": STRUCT, "type_url": MANAGER, "value": {"rds": {"route_config_name": "80"}}}),
                     id="typed-struct"),
        pytest.param(_filter({"rds": {"route_config_name": "80"}}, "config"), id="v2-config"),
        pytest.param(_filter({"rds": {"routeConfigName": "80"}}, "typedConfig"), id="camel-case"),
    ],
)  # fmt: skip
def test_a_filter_chain_names_its_routes(chain: dict[str, Any]) -> None:
    listener = _record(Listener, {"filter_chains": [chain]})

    assert [(each.rds, each.default) for each in listener.chains] == [("80", False)]


def test_the_default_filter_chain_is_one_of_the_chains() -> None:
    listener = _record(Listener, {"filter_chains": [{"name": "a"}], "default_filter_chain": {"name": "b"}})

    assert [(each.name, each.default, each.pointer) for each in listener.chains] == [
        ("a", False, "/filter_chains/0"),
        ("b", True, "/default_filter_chain"),
    ]


@pytest.mark.parametrize(
    ("status", "health"),
    [(None, "HEALTHY"), ("UNKNOWN", "HEALTHY"), ("DRAINING", "DRAINING"), ("UNHEALTHY", "UNHEALTHY")],
)
def test_health_of_eds(status: str | None, health: str) -> None:
    host = {"endpoint": {"address": {"socket_address": {"address": "fd00::1", "port_value": 80}}}}
    member = host if status is None else {**host, "health_status": status}
    assignment = _record(Assignment, {"cluster_name": "a", "endpoints": [{"lb_endpoints": [member]}]})

    assert [(each.address, each.health) for each in assignment.endpoints] == [("[fd00::1]:80", health)]


def test_only_the_breaker_of_the_default_priority_counts() -> None:
    thresholds = [{"priority": "HIGH", "max_connections": 1}, {"max_connections": 7}]
    cluster = _record(Cluster, {"circuit_breakers": {"thresholds": thresholds}})

    assert (cluster.max_connections, cluster.max_requests, cluster.type) == (7, None, "STATIC")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param({"common_http_protocol_options": {"idle_timeout": "30s"}}, 30.0, id="in-the-cluster"),
        pytest.param(
            {
                "typed_extension_protocol_options": {
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                        "common_http_protocol_options": {"idle_timeout": "0s"}
                    }
                }
            },
            0.0,
            id="in-an-extension",
        ),
        pytest.param({}, None, id="not-set"),
    ],
)
def test_the_time_after_which_an_idle_connection_is_closed(said: dict[str, Any], seconds: float | None) -> None:
    assert _record(Cluster, said).idle_timeout_s == seconds


def test_a_weighted_route_may_name_its_cluster_by_header() -> None:
    clusters = [{"name": "a", "weight": 1}, {"cluster_header": "x-to", "weight": 9}, {"name": "b"}]
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": clusters}}}
    config = _record(RouteConfig, {"virtual_hosts": [{"name": "v", "routes": [route]}]})

    said = config.virtual_hosts[0].routes[0].destinations
    assert [(each.cluster, each.header, each.weight) for each in said] == [
        ("a", None, 1),
        (None, "x-to", 9),
        ("b", None, 0),
    ]


def test_roots_of_a_spiffe_validator_are_trusted() -> None:
    bundle = {"inline_bytes": base64.b64encode(ROOTS.encode()).decode()}
    validator = {
        "name": "envoy.tls.cert_validator.spiffe",
        "typed_config": {"@type": "x/SPIFFECertValidatorConfig", "trust_domains": [{"trust_bundle": bundle}]},
    }
    payload = _payload(Secret, {"validation_context": {"custom_validator_config": validator}})

    (held,) = pems_of(decode(payload))

    assert (held.role, held.text, held.place) == ("trusted_ca", ROOTS, "sds:x")
    assert held.pointer.endswith("/custom_validator_config/typed_config/trust_domains/0/trust_bundle/inline_bytes")


def test_what_envoy_hid_is_no_certificate() -> None:
    hidden = {"certificate_chain": {"inline_bytes": "W3JlZGFjdGVkXQ=="}, "private_key": {"inline_string": "[redacted]"}}

    assert _record(Secret, {"tls_certificate": hidden}).pems == ()


@pytest.mark.parametrize("metadata", [{"ISTIO_VERSION": "1.4.3"}, {"ISTIO_PROXY_VERSION": "1.4.3"}])
def test_the_version_of_a_proxy_in_either_age(metadata: dict[str, str]) -> None:
    said = {"@type": f"{V3}BootstrapConfigDump", "bootstrap": {"node": {"id": "x", "metadata": metadata}}}

    bootstrap = decode(json.dumps({"configs": [said]}).encode()).bootstrap

    assert bootstrap is not None
    assert bootstrap.istio_version == "1.4.3"


def test_a_secret_asked_for_by_resource_waits_while_it_is_uninitialized() -> None:
    said = [
        {"@type": f"{V3}SecretsConfigDump.DynamicSecret", "name": "a", "version_info": "uninitialized"},
        {"@type": f"{V3}SecretsConfigDump.DynamicSecret", "name": "b", "version_info": "1", "secret": {"name": "b"}},
    ]

    dump = decode(json.dumps({"configs": said}).encode())

    assert [(entry.name, entry.state) for entry in dump.entries("secret")] == [("a", "warming"), ("b", None)]


@pytest.mark.parametrize("first", [0, 1], ids=["named-first", "named-last"])
def test_of_two_prints_of_a_rejection_the_one_with_its_time_is_kept(first: int) -> None:
    error = {"details": "bad", "failed_configuration": {"name": "l"}}
    prints = [{"name": "l", "error_state": {**error, "last_update_attempt": "2026-01-01T00:00:00Z"}},
              {"error_state": error}]  # fmt: skip
    said = {"@type": f"{V3}ListenersConfigDump", "dynamic_listeners": [prints[first], prints[1 - first]]}

    dump = decode(json.dumps({"configs": [said]}).encode())

    assert [(each.name, each.last_update_attempt) for each in dump.rejections] == [("l", "2026-01-01T00:00:00Z")]
    assert [entry.state for entry in dump.entries("listener")] == ["error"]


def _outline(address: str, port: int) -> tuple[str, tuple[str, ...]]:
    at = {"socket_address": {"address": address, "port_value": port}}
    (entry,) = decode(_payload(Listener, {"address": at, "stat_prefix": "10.0.0.1:80"})).entries()
    assert entry.resource is not None
    return entry.resource.outline, entry.resource.ips


def test_a_listener_without_the_addresses_in_it() -> None:
    first, ips = _outline("10.0.0.1", 80)

    assert _outline("fd00::1", 80) == (first, ("fd00::1",))
    assert (ips, _outline("10.0.0.1", 81)[0] == first) == (("10.0.0.1",), False)
