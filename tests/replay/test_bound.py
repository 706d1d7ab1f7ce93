"""``/clusters`` and ``/listeners`` as JSON out of text."""

import json
from typing import Any

import pytest

from meshforensics.replay._answer import NoAnswerError
from meshforensics.replay._bound import clusters, listeners

HOST = """\
a|80::{address}::cx_total::7
a|80::{address}::cx_active::0
a|80::{address}::hostname::
a|80::{address}::health_flags::{flags}
a|80::{address}::weight::1
a|80::{address}::region::{region}
a|80::{address}::priority::{priority}
a|80::{address}::success_rate::{rate}
"""
CLUSTER = """\
a|80::observability_name::a
a|80::outlier::success_rate_ejection_threshold::-1
a|80::outlier::local_origin_success_rate_ejection_threshold::62.5
a|80::default_priority::max_connections::1024
a|80::high_priority::max_connections::4294967295
a|80::added_via_api::true
a|80::eds_service_name::svc-a
"""


def host(
    address: str = "10.0.0.1:80", *, flags: str = "healthy", region: str = "", priority: str = "0", rate: str = "-1"
) -> str:
    """The lines of one host."""
    return HOST.format(address=address, flags=flags, region=region, priority=priority, rate=rate)


def statuses(text: str) -> list[dict[str, Any]]:
    """The clusters of the answer."""
    made: list[dict[str, Any]] = json.loads(clusters(text.encode(), {"format": "json"}).body)["cluster_statuses"]
    return made


def hosts(text: str) -> list[dict[str, Any]]:
    """The hosts of its only cluster."""
    (cluster,) = statuses(text)
    made: list[dict[str, Any]] = cluster["host_statuses"]
    return made


def test_a_cluster() -> None:
    assert statuses(CLUSTER + "b::added_via_api::false\n") == [
        {
            "name": "a|80",
            "added_via_api": True,
            "local_origin_success_rate_ejection_threshold": {"value": 62.5},
            "circuit_breakers": {
                "thresholds": [{"max_connections": 1024}, {"priority": "HIGH", "max_connections": 4294967295}]
            },
            "observability_name": "a",
            "eds_service_name": "svc-a",
        },
        {"name": "b", "circuit_breakers": {"thresholds": [{}, {"priority": "HIGH"}]}},
    ]


def test_a_host() -> None:
    assert hosts(host(region="eu", priority="2", rate="99.5")) == [
        {
            "address": {"socket_address": {"address": "10.0.0.1", "port_value": 80}},
            "stats": [{"value": "7", "name": "cx_total"}, {"type": "GAUGE", "name": "cx_active"}],
            "health_status": {"eds_health_status": "HEALTHY"},
            "success_rate": {"value": 99.5},
            "weight": 1,
            "priority": 2,
            "locality": {"region": "eu"},
        }
    ]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("[::1]:80", {"socket_address": {"address": "::1", "port_value": 80}}),
        ("/var/run/x.sock", {"pipe": {"path": "/var/run/x.sock"}}),
        (
            "envoy://connect_originate/10.0.0.1:80",
            {
                "envoy_internal_address": {
                    "server_listener_name": "connect_originate",
                    "endpoint_id": "10.0.0.1:80",
                }
            },
        ),
    ],
)
def test_addresses(address: str, said: dict[str, Any]) -> None:
    assert hosts(host(address))[0]["address"] == said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("/failed_eds_health", {"eds_health_status": "UNHEALTHY"}),
        ("/degraded_eds_health", {"eds_health_status": "DEGRADED"}),
        ("/eds_status_draining", {"eds_health_status": "DRAINING"}),
        (
            "/failed_active_hc/failed_outlier_check",
            {"failed_active_health_check": True, "failed_outlier_check": True, "eds_health_status": "HEALTHY"},
        ),
    ],
)
def test_health(flags: str, said: dict[str, Any]) -> None:
    assert hosts(host(flags=flags))[0]["health_status"] == said


def test_hosts_of_one_address_stay_apart() -> None:
    assert [each.get("priority", 0) for each in hosts(host() + host(priority="1") + host("10.0.0.2:80"))] == [0, 1, 0]


def test_another_format_is_text_and_json_stays_json() -> None:
    assert clusters(CLUSTER.encode(), {"format": "nope"}).body == CLUSTER.encode()
    assert clusters(b'{"cluster_statuses": []}', {"format": "json"}).body == b'{"cluster_statuses": []}'


def test_listeners() -> None:
    said = listeners(b"in::10.0.0.1:80\nin::[::]:81\nadmin::0.0.0.0:15000\n", {"format": "json"})

    def bound(address: str, port: int) -> dict[str, Any]:
        return {"socket_address": {"address": address, "port_value": port}}

    assert json.loads(said.body) == {
        "listener_statuses": [
            {
                "name": "in",
                "local_address": bound("10.0.0.1", 80),
                "additional_local_addresses": [bound("::", 81)],
            },
            {"name": "admin", "local_address": bound("0.0.0.0", 15000)},
        ]
    }


def test_of_what_is_something_else_there_is_no_json() -> None:
    for read in (clusters, listeners):
        with pytest.raises(NoAnswerError) as refused:
            read(b"upstream connect error\n" * 3, {"format": "json"})

        assert refused.value.status == 501
