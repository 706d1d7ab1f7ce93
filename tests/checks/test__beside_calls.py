"""What hosts, limits, timeouts and the proxy itself tell of calls that failed."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING
from tests.checks.signature_lines import CLUSTER, NOON, behind, counts, frame, lines_of, own, said_of

NONE = 2**32 - 1


def _connected(*failed: int | None) -> pd.DataFrame:
    count = len(failed)
    addresses = [f"10.0.0.{number}:80" for number in range(count)]
    return own("endpoints", cluster=[CLUSTER] * count, address=addresses, cx_connect_fail=list(failed))


def _hosts(*health: str) -> pd.DataFrame:
    addresses = [f"10.0.0.{number}:80" for number, _ in enumerate(health)]
    return own("endpoints", cluster=[CLUSTER] * len(health), address=addresses, health=list(health))


def _limits(**limits: list[Any]) -> pd.DataFrame:
    return frame("clusters", name=[CLUSTER], **limits)


def _finished(minutes_ago: float) -> pd.DataFrame:
    at = NOON - pd.Timedelta(minutes=minutes_ago)
    return frame("containers", namespace=["shop"], pod=["pay-1"], container=["pay"], last_finished_at=[at])


def _port(name: str | None, app: str | None = None) -> pd.DataFrame:
    return frame("service_ports", namespace=["shop"], service=["pay"], port=[80], port_name=[name], app_protocol=[app])


def _log(status: int, details: str) -> pd.DataFrame:
    return own("access_log", at=[NOON], status=[status], details=[details], item=["log.b"])


def _known(*clusters: str) -> pd.DataFrame:
    return frame("clusters", name=list(clusters))


@pytest.mark.parametrize(
    ("family", "frames", "said"),
    [
        pytest.param(
            "no-cluster", {"clusters": _known("other")}, f"confirmed: no proxy has {CLUSTER}", id="no-cluster"
        ),
        pytest.param(
            "no-cluster",
            {"clusters": _known(CLUSTER)},
            f"refuted as of the capture: {CLUSTER} is there by now",
            id="by-now-there",
        ),
        pytest.param(
            "no-healthy-upstream",
            {"endpoints": _hosts("UNHEALTHY")},
            f"confirmed: {CLUSTER} has 1 host, none of them healthy",
            id="no-healthy-host",
        ),
        pytest.param(
            "no-healthy-upstream",
            {"endpoints": _hosts("HEALTHY", "UNHEALTHY")},
            f"refuted as of the capture: 1 of 2 hosts of {CLUSTER} is healthy",
            id="healthy-by-now",
        ),
        pytest.param(
            "no-healthy-upstream",
            {"stats": counts("outbound_http_balancer_endpoints", 0, 2, labels='{"endpoint_state":"ready"}')},
            "confirmed: 1 of 2 balancers of who logged it has no ready",
            id="of-linkerd",
        ),
        pytest.param(
            "no-healthy-upstream",
            {"stats": counts("outbound_http_balancer_endpoints", 2, labels='{"endpoint_state":"ready"}')},
            NOTHING,
            id="of-linkerd-and-ready",
        ),
        pytest.param(
            "overflow", {"clusters": _limits(max_requests=[2])}, f"confirmed: {CLUSTER} has a limit of 2", id="a-limit"
        ),
        pytest.param(
            "overflow", {"clusters": _limits()}, f"confirmed: {CLUSTER} has a limit of 1024", id="the-default"
        ),
        pytest.param(
            "overflow",
            {"clusters": _limits(max_requests=[NONE], max_connections=[NONE], max_pending_requests=[NONE])},
            "refuted: its limits are as good as none",
            id="no-limit",
        ),
        pytest.param(
            "upstream-timeout",
            {"routes": frame("routes", cluster=[CLUSTER] * 2, timeout_s=[9.0, 0.5])},
            f"confirmed: a route to {CLUSTER} has a timeout of 0.5 s",
            id="timeout",
        ),
        pytest.param(
            "upstream-timeout",
            {"routes": frame("routes", cluster=[CLUSTER], timeout_s=[0.0])},
            NOTHING,
            id="no-timeout-of-the-route",
        ),
        pytest.param(
            "connect-failure",
            {"endpoints": _connected(0, 3)},
            "confirmed: failed connections are counted at 1 of 2 hosts, 10.0.0.1:80 first",
            id="unconnected",
        ),
        pytest.param(
            "connect-failure",
            {"endpoints": _connected(0, 0)},
            "no proxy counts a failed connection to the 2",
            id="connected",
        ),
        pytest.param("connect-failure", {"endpoints": _connected(None)}, NOTHING, id="not-counted"),
        pytest.param(
            "upstream-reset",
            {**behind(), "containers": _finished(5)},
            "confirmed: pay of shop/pay-1 ended at 2026-01-01T11:55:00Z",
            id="ended-upstream",
        ),
        pytest.param(
            "upstream-reset",
            {**behind(), "containers": _finished(0.5)},
            "no container of its 1 pod ended",
            id="ended-after-the-lines",
        ),
        pytest.param("upstream-reset", {"containers": _finished(5)}, NOTHING, id="whose-pods-are-not-known"),
        pytest.param(
            "protocol",
            {"service_ports": _port("tcp-x")},
            "port 80 of Service shop/pay is declared as tcp-x",
            id="by-its-name",
        ),
        pytest.param(
            "protocol",
            {"service_ports": _port("x", "grpc")},
            "port 80 of Service shop/pay is declared as grpc",
            id="by-app-protocol",
        ),
        pytest.param(
            "protocol", {"service_ports": _port(None)}, "port 80 of Service shop/pay has no name", id="unnamed"
        ),
        pytest.param(
            "dns",
            {"clusters": frame("clusters", name=[CLUSTER], type=["STRICT_DNS"])},
            f"{CLUSTER} is resolved by DNS (STRICT_DNS)",
            id="by-dns",
        ),
        pytest.param("dns", {"clusters": frame("clusters", name=[CLUSTER], type=["EDS"])}, NOTHING, id="not-by-dns"),
        pytest.param(
            "maintenance",
            {"runtime_keys": own("runtime_keys", name=["upstream.maintenance_mode.pay"], setting=["100"])},
            "confirmed: upstream.maintenance_mode.pay is 100 at shop/web-1",
            id="maintained",
        ),
        pytest.param(
            "maintenance", {"runtime_keys": own("runtime_keys", name=["overload.x"])}, NOTHING, id="other-key"
        ),
        pytest.param(
            "overload",
            {"stats": counts("envoy_overload_envoy_overload_actions_stop_accepting_requests_active", 1)},
            "confirmed: envoy_overload_envoy_overload_actions_stop_accepting_requests_active is 1 at",
            id="overloaded",
        ),
        pytest.param(
            "overload",
            {"stats": counts("overload.envoy.overload_actions.shrink_heap.active", 0)},
            "over as of the capture: no action of the overload manager is active",
            id="no-longer",
        ),
        pytest.param(
            "overload",
            {"stats": counts("overload.envoy.overload_actions.shrink_heap.scale_percent", 9)},
            NOTHING,
            id="another-gauge",
        ),
        pytest.param(
            "not-of-the-mesh",
            {"access_log": _log(503, "via_upstream")},
            "confirmed: 1 call that these proxies logged was answered 503 by the upstream itself",
            id="passed-on",
        ),
        pytest.param("not-of-the-mesh", {"access_log": _log(503, "no_healthy_upstream")}, NOTHING, id="of-envoy"),
        pytest.param(
            "tls-detection",
            {"pods": own("pods", annotations=["{}"])},
            "1 of 1 pod that logged it declare no opaque port",
            id="no-opaque-port",
        ),
    ],
)
def test_what_else_tells(family: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of(family, **frames).startswith(said)


@pytest.mark.parametrize(
    ("known", "said"), [("b", "confirmed: route configuration 80 names a, which no proxy has"), ("a", NOTHING)]
)
def test_a_missing_cluster_that_no_line_names_is_looked_for_in_routes(known: str, said: str) -> None:
    clusters, routes = frame("clusters", name=[known]), frame("routes", cluster=["a"], route_config=["80"])

    assert said_of("no-cluster", lines_of("no-cluster", cluster="-"), clusters=clusters, routes=routes) == said


def test_hosts_are_those_that_who_logged_it_sees() -> None:
    others = frame("endpoints", namespace=["shop"], pod=["web-2"], cluster=[CLUSTER], health=["HEALTHY"])
    seen = pd.concat([_hosts("UNHEALTHY"), others], ignore_index=True)

    assert said_of("no-healthy-upstream", endpoints=seen).startswith(f"confirmed: {CLUSTER} has 1 host, none")
    assert said_of("no-healthy-upstream", endpoints=others).startswith("refuted as of the capture: 1 of 1")


def test_behind_an_inbound_cluster_is_the_application_of_the_proxy_itself() -> None:
    at = NOON - pd.Timedelta(minutes=5)
    containers = own("containers", container=["app"], last_finished_at=[at])

    said = said_of("upstream-reset", lines_of("upstream-reset", cluster="inbound|80||"), containers=containers)

    assert said == "confirmed: app of shop/web-1 ended at 2026-01-01T11:55:00Z"
