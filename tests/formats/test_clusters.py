"""Envoy's /clusters: hosts with health and counters, as text and in three JSON forms."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.clusters import Clusters, Host, decode, health_of
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/envoy-1.40/clusters.txt"


def test_a_real_answer() -> None:
    made = decode(SAMPLE.read_bytes())

    first, *_ = made.clusters
    assert (first.pointer, first.name, first.added_via_api, first.observability_name) == (
        "L1",
        "xds-grpc",
        False,
        "xds-grpc",
    )
    assert first.limits == {
        "max_connections": 100000,
        "max_pending_requests": 100000,
        "max_requests": 100000,
        "max_retries": 3,
    }
    assert first.hosts == (
        Host(
            pointer="L11-L29",
            cluster="xds-grpc",
            address="./etc/istio/proxy/XDS",
            hostname=None,
            health="HEALTHY",
            flags=(),
            locality=None,
            weight=1,
            priority=0,
            counters={
                "cx_active": 1,
                "cx_total": 1,
                "cx_connect_fail": 0,
                "rq_active": 1,
                "rq_total": 1,
                "rq_success": 0,
                "rq_error": 0,
                "rq_timeout": 0,
            },
        ),
    )


def _host(name: str, address: str, **values: str) -> bytes:
    return "".join(f"{name}::{address}::{key}::{value}\n" for key, value in values.items()).encode()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        pytest.param("10.0.0.1:80", "outbound|80||db.shop.svc.cluster.local", id="ipv4"),
        pytest.param("[fd00::1]:80", "outbound|80|v1|db.shop.svc.cluster.local", id="ipv6"),
        pytest.param("/tmp/sock", "agent", id="pipe"),
        pytest.param("envoy://connect_originate/10.0.0.1:80", "inbound-vip|80|http|a.b", id="internal-listener"),
        pytest.param("envoy://connect_originate/[fd00::1]:80", "inbound-vip|80|http|a.b", id="internal-ipv6"),
        pytest.param("10.0.0.1:80", "a::b", id="a-cluster-name-with-colons"),
    ],
)
def test_addresses_and_names(address: str, name: str) -> None:
    (host,) = decode(_host(name, address, health_flags="healthy", weight="3", priority="1")).hosts

    assert (host.cluster, host.address, host.weight, host.priority, host.pointer) == (name, address, 3, 1, "L1-L3")


@pytest.mark.parametrize(
    ("said", "flags", "health"),
    [
        pytest.param("healthy", (), "HEALTHY", id="healthy"),
        pytest.param("/failed_outlier_check", ("failed_outlier_check",), "UNHEALTHY", id="ejected"),
        pytest.param(
            "/failed_active_hc/degraded_eds_health",
            ("degraded_eds_health", "failed_active_hc"),
            "UNHEALTHY",
            id="worst",
        ),
        pytest.param("/degraded_active_hc", ("degraded_active_hc",), "DEGRADED", id="degraded"),
        pytest.param("/eds_status_draining", ("eds_status_draining",), "DRAINING", id="draining"),
    ],
)
def test_health_flags(said: str, flags: tuple[str, ...], health: str) -> None:
    (host,) = decode(_host("a", "10.0.0.1:80", health_flags=said)).hosts

    assert (host.flags, host.health) == (flags, health)


def test_locality_and_hostname() -> None:
    payload = _host("a", "10.0.0.1:80", hostname="db.example", region="eu", zone="b", sub_zone="")

    (host,) = decode(payload).hosts

    assert (host.hostname, host.locality) == ("db.example", "eu/b")


STATUS: dict[str, Any] = {
    "name": "a",
    "added_via_api": True,
    "circuit_breakers": {
        "thresholds": [{"priority": "HIGH", "max_requests": 1}, {"max_requests": 9, "max_connections": 8}],
    },
    "host_statuses": [
        {
            "address": {"socket_address": {"address": "10.0.0.1", "port_value": 80}},
            "stats": [{"type": "COUNTER", "name": "cx_total", "value": "18"}, {"type": "GAUGE", "name": "rq_active"}],
            "health_status": {"failed_outlier_check": True, "eds_health_status": "DRAINING"},
            "weight": 2,
        }
    ],
}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        pytest.param({"cluster_statuses": [STATUS]}, "/cluster_statuses/0", id="envoy"),
        pytest.param([STATUS], "/0", id="istioctl"),
    ],
)
def test_json(document: Any, pointer: str) -> None:
    (cluster,) = decode(json.dumps(document).encode()).clusters

    assert (cluster.pointer, cluster.added_via_api, cluster.limits) == (
        pointer,
        True,
        {"max_requests": 9, "max_connections": 8},
    )
    (host,) = cluster.hosts
    assert (host.pointer, host.address, host.weight) == (f"{pointer}/host_statuses/0", "10.0.0.1:80", 2)
    assert (host.flags, host.health) == (("eds_status_draining", "failed_outlier_check"), "DRAINING")
    assert host.counters == {"cx_total": 18, "rq_active": 0}


def test_json_of_envoy_1_8_in_camel_case_with_a_map_of_counters() -> None:
    address = {"socketAddress": {"address": "10.0.0.1", "portValue": 80}}
    host = {"address": address, "stats": {"cx_total": {"value": "3"}}, "healthStatus": {"edsHealthStatus": "HEALTHY"}}
    document = {"clusterStatuses": [{"name": "a", "addedViaApi": True, "hostStatuses": [host]}]}

    (made,) = decode(json.dumps(document).encode()).hosts

    assert (made.cluster, made.address, made.counters, made.health) == ("a", "10.0.0.1:80", {"cx_total": 3}, "HEALTHY")


def test_text_that_was_cut_is_read_to_its_last_whole_line() -> None:
    whole = _host("a", "10.0.0.1:80", health_flags="healthy", weight="5")

    (host,) = decode(whole + b"a::10.0.0.1:80::prio").hosts

    assert (host.weight, host.pointer) == (5, "L1-L2")


def test_json_that_was_cut_is_not_read() -> None:
    with pytest.raises(TruncatedError):
        decode(json.dumps({"cluster_statuses": [STATUS]}).encode()[:-9])


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"upstream connect error or disconnect/reset before headers\n", id="error-text"),
        pytest.param(b"<html><body>404</body></html>\n", id="page"),
        pytest.param(b'{"configs": []}', id="another-answer"),
        pytest.param(b"[]", id="empty-list"),
        pytest.param(b"a::10.0.0.1:80::weight::1\nError\nError\nError\n", id="more-errors-than-lines"),
    ],
)
def test_what_is_something_else_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@given(st.binary(max_size=120) | st.text('a:1.[]|\n{}"', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert isinstance(made, Clusters)
    assert all(host.health == health_of(host.flags) for host in made.hosts)
