"""Traffic of meshes without Envoy sidecars."""

import json

import pandas as pd
import pytest

from meshforensics.checks.traffic_other import linkerd_failures, ztunnel_failures
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import NOON


def _connections(error: str | None, *, direction: str = "outbound", ago_s: int = 60, count: int = 1) -> pd.DataFrame:
    return frame(
        "ztunnel_connections",
        namespace=["istio-system"] * count,
        pod=["ztunnel-1"] * count,
        at=[NOON - pd.Timedelta(seconds=ago_s)] * count,
        direction=[direction] * count,
        caller=["shop/web-1"] * count,
        host=["pay.shop.svc.cluster.local"] * count,
        error=[error] * count,
    )


BLOCKED = "connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: 10.0.0.7:15008"


@pytest.mark.parametrize(
    ("connections", "found"),
    [
        pytest.param(_connections(BLOCKED, count=3), 1, id="blocked"),
        pytest.param(_connections(None), 0, id="went-well"),
        pytest.param(_connections(BLOCKED, direction="inbound"), 0, id="the-server-s-side-of-it"),
        pytest.param(_connections(BLOCKED, ago_s=901), 0, id="before-the-window"),
        pytest.param(_connections("connection closed due to policy rejection: x"), 0, id="a-denial-is-access"),
    ],
)
def test_ztunnel_failures(connections: pd.DataFrame, found: int) -> None:
    said = outcome(ztunnel_failures, at=NOON, ztunnel_connections=connections)

    assert [(each.severity, each.subjects, each.evidence_total) for each in said.findings] == [
        (Severity.WARNING, ("shop/web-1",), 3)
    ] * found


def test_one_reason_at_several_addresses_is_one_cause() -> None:
    both = [_connections(BLOCKED), _connections(BLOCKED.replace("10.0.0.7", "10.0.0.8"))]

    said = outcome(ztunnel_failures, at=NOON, ztunnel_connections=pd.concat(both, ignore_index=True))

    assert len(said.findings) == 1


def _responses(
    failures: int, successes: int, *, direction: str = "outbound", kind: str = "linkerd.metrics"
) -> pd.DataFrame:
    labels = {"direction": direction, "dst_service": "pay", "dst_namespace": "shop"}
    said = [json.dumps({**labels, "classification": each}) for each in ("failure", "success")]
    return frame(
        "stats",
        namespace=["shop"] * 2,
        pod=["web-1"] * 2,
        name=["response_total"] * 2,
        labels=said,
        value=[failures, successes],
        item=[f"{kind}:shop/web-1@x"] * 2,
    )


@pytest.mark.parametrize(
    ("stats", "found"),
    [
        pytest.param(_responses(2, 98), 1, id="two-percent"),
        pytest.param(_responses(1, 99), 0, id="one-percent"),
        pytest.param(_responses(19, 0), 0, id="too-few"),
        pytest.param(_responses(50, 50, direction="inbound"), 0, id="counted-by-the-caller"),
        pytest.param(_responses(50, 50, kind="envoy.stats_prometheus"), 0, id="of-envoy"),
    ],
)
def test_linkerd_failures(stats: pd.DataFrame, found: int) -> None:
    said = outcome(linkerd_failures, stats=stats)

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(ztunnel_failures, at=NOON).not_evaluated == "not captured: ztunnel_connections"
    assert outcome(linkerd_failures).not_evaluated == "not captured: stats"
