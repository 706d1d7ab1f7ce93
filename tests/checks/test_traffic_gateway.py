"""Gateways: credentials, listeners, handshakes."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_gateway import (
    gateway_credential_missing,
    gateway_no_listener,
    handshake_failures,
    no_filter_chain,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import NOON, logged, risen
from tests.checks.objects import said_of_frames


def _server(**values: Any) -> pd.DataFrame:
    base = {
        "namespace": "shop",
        "object": "Gateway:shop/edge",
        "group": "networking.istio.io",
        "selector": '{"istio":"edge"}',
        "port": 443,
        "protocol": "HTTPS",
        "credentials": ("cert",),
    }
    return frame("gateway_servers", **{key: [value] for key, value in {**base, **values}.items()})


def _pods(labels: str = '{"istio":"edge","x":"y"}', namespace: str = "ingress") -> pd.DataFrame:
    return frame("pods", namespace=[namespace], pod=["gw-1"], labels=[labels])


def _secrets(*named: tuple[str, str]) -> pd.DataFrame:
    return frame(
        "cluster_secrets",
        namespace=[namespace for namespace, _ in named],
        name=[name for _, name in named],
        object=[f"Secret:{namespace}/{name}" for namespace, name in named],
    )


API = {"group": "gateway.networking.k8s.io", "selector": None, "credentials": ("shop/cert",)}


@pytest.mark.parametrize(
    ("server", "secrets", "found"),
    [
        pytest.param(_server(), _secrets(("ingress", "cert")), 0, id="there"),
        pytest.param(_server(), _secrets(("ingress", "other")), 1, id="not-there"),
        pytest.param(_server(), _secrets(("ingress", "other"), ("shop", "cert")), 1, id="beside-the-gateway-object"),
        pytest.param(_server(), _secrets(("web", "other")), 0, id="its-namespace-was-not-listed"),
        pytest.param(_server(credentials=()), _secrets(("ingress", "other")), 0, id="none-is-needed"),
        pytest.param(_server(**API), _secrets(("shop", "other")), 1, id="of-the-gateway-api"),
        pytest.param(_server(**API), _secrets(("shop", "cert")), 0, id="of-the-gateway-api-and-there"),
    ],
)
def test_gateway_credential_missing(server: pd.DataFrame, secrets: pd.DataFrame, found: int) -> None:
    said = outcome(gateway_credential_missing, gateway_servers=server, cluster_secrets=secrets, pods=_pods())

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


def _ports(target: str = "8443") -> pd.DataFrame:
    return frame(
        "service_ports", port=[443], target=[target], object=["Service:ingress/gw"], item=["kubernetes.services:-@x"]
    )


def _bound(*ports: int) -> pd.DataFrame:
    count = len(ports)
    where = {"namespace": ["ingress"] * count, "pod": ["gw-1"] * count}
    return frame("bound_listeners", **where, address=[f"0.0.0.0:{port}" for port in ports])


@pytest.mark.parametrize(
    ("server", "bound", "ports", "found"),
    [
        pytest.param(_server(), _bound(15021, 8443), _ports(), 0, id="on-the-target-port"),
        pytest.param(_server(), _bound(443), _ports(), 0, id="on-the-port-itself"),
        pytest.param(_server(), _bound(15021), _ports(), 1, id="on-neither"),
        pytest.param(_server(), _bound(), _ports(), 0, id="not-captured"),
        pytest.param(_server(), _bound(15021), _ports("https"), 0, id="a-named-target"),
        pytest.param(_server(protocol="TLS"), _bound(15021), _ports(), 0, id="tls-needs-a-route-first"),
        pytest.param(_server(selector='{"istio":"other"}'), _bound(15021), _ports(), 0, id="of-other-pods"),
    ],
)
def test_gateway_no_listener(server: pd.DataFrame, bound: pd.DataFrame, ports: pd.DataFrame, found: int) -> None:
    given = {"gateway_servers": server, "bound_listeners": bound, "service_ports": ports, "pods": _pods()}

    assert len(said_of_frames(gateway_no_listener, given).findings) == found


@pytest.mark.parametrize(
    ("errors", "done", "severity"),
    [(0, 100, None), (1, 99, None), (2, 98, Severity.INFO), (6, 94, Severity.WARNING), (49, 0, None)],
)
def test_handshake_failures(errors: int, done: int, severity: Severity | None) -> None:
    rises = risen(
        ("ssl_connection_error", errors),
        ("ssl_fail_verify_error", errors),
        ("ssl_handshake", done),
        cluster="",
        listener="0.0.0.0_8443",
    )

    said = outcome(handshake_failures, at=NOON, rises_over_time=rises)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


def test_handshakes_with_a_service_are_told_by_the_log_where_there_is_one() -> None:
    counters = (("ssl_connection_error", 50), ("ssl_handshake", 50))

    assert len(outcome(handshake_failures, at=NOON, rises_over_time=risen(*counters)).findings) == 1
    assert outcome(handshake_failures, at=NOON, rises_over_time=risen(*counters), access_log=logged()).findings == ()


@pytest.mark.parametrize(("rise", "found"), [(1, 1), (0, 0)])
def test_no_filter_chain(rise: int, found: int) -> None:
    rises = risen(("no_filter_chain_match", rise), cluster="", listener="0.0.0.0_8443")

    said = outcome(no_filter_chain, at=NOON, rises_over_time=rises)

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


def test_what_is_logged_of_connections_that_fit_no_chain() -> None:
    lines = frame(
        "access_log",
        namespace=["shop"] * 3,
        pod=["web-1", "web-1", "pay-1"],
        at=[NOON - pd.Timedelta(seconds=ago) for ago in (60, 90, 90)],
        details=["filter_chain_not_found"] * 3,
        downstream_remote=["10.0.0.9:4000", "10.0.0.8:4000", "10.0.0.7:4000"],
        pointer=["L1", "L2", "L3"],
    )
    rises = risen(("no_filter_chain_match", 9), cluster="", listener="0.0.0.0_8443")

    (finding,) = outcome(no_filter_chain, at=NOON, rises_over_time=rises, access_log=lines).findings

    assert finding.detail.endswith("; 2 such are logged there, the first from 10.0.0.8")
    assert (finding.at, finding.evidence_total) == (NOON - pd.Timedelta(seconds=90), 3)


GATEWAY = (gateway_credential_missing, gateway_no_listener, handshake_failures)


@pytest.mark.parametrize("check", [*GATEWAY, no_filter_chain])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check, at=NOON).not_evaluated or "").startswith("not captured: ")
