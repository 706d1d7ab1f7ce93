"""CPU of proxies: against limits, requests and siblings; throttling."""

import pandas as pd
import pytest

from meshforensics.checks.proxies_cpu import cpu_above_siblings, cpu_near_limit, cpu_over_profile, throttled
from meshforensics.model import Severity
from meshforensics.profile import load_profile
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _pods(count: int) -> dict[str, list[str]]:
    return {"namespace": ["shop"] * count, "pod": [f"web-{number}" for number in range(count)]}


def _usage(*millicores: int) -> pd.DataFrame:
    count = len(millicores)
    return frame("usage", **_pods(count), container=["istio-proxy"] * count, cpu_m=list(millicores))


@pytest.mark.parametrize(
    ("used", "limit", "severity"),
    [
        pytest.param(1600, 2000, None, id="four-fifths-are-the-limit"),
        pytest.param(1601, 2000, Severity.WARNING, id="above"),
        pytest.param(1950, 2000, Severity.ERROR, id="all-of-it"),
        pytest.param(1950, None, None, id="no-limit"),
        pytest.param(201, 2000, None, id="the-guides-red-flag-is-a-tenth-of-the-limit"),
    ],
)
def test_cpu_near_limit(used: int, limit: int | None, severity: Severity | None) -> None:
    containers = frame("containers", **_pods(1), container=["istio-proxy"], cpu_limit_m=[limit])

    said = outcome(cpu_near_limit, usage=_usage(used), containers=containers).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def _served(requests: int, seconds: float) -> pd.DataFrame:
    return frame(
        "stats",
        namespace=["shop"] * 2,
        pod=["web-0"] * 2,
        name=["istio_requests_total", "envoy_server_uptime"],
        labels=["{}"] * 2,
        value=[requests, int(seconds)],
        real=[float(requests), seconds],
        captured_at=[NOON] * 2,
        item=["envoy.stats_prometheus:shop/web-0@unknown"] * 2,
    )


@pytest.mark.parametrize(
    ("used", "stats", "profile", "severity"),
    [
        pytest.param(200, None, "default", None, id="at-the-level"),
        pytest.param(201, None, "default", Severity.INFO, id="requests-unknown"),
        pytest.param(400, _served(1_000_000, 1000.0), "default", None, id="a-thousand-requests-a-second-explain-it"),
        pytest.param(800, _served(1_000_000, 1000.0), "default", Severity.INFO, id="not-all-of-it"),
        pytest.param(1300, _served(10, 1000.0), "default", Severity.WARNING, id="hardly-any-request"),
        pytest.param(400, _served(1_000_000, 1000.0), "guide", Severity.WARNING, id="the-guides-number-is-absolute"),
    ],
)
def test_cpu_over_profile(used: int, stats: pd.DataFrame | None, profile: str, severity: Severity | None) -> None:
    told = frame("stats") if stats is None else stats

    said = outcome(cpu_over_profile, usage=_usage(used), profile=load_profile(profile), stats=told).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("used", "found"),
    [
        pytest.param((20, 21, 22, 200), 1, id="ten-times-its-siblings"),
        pytest.param((5, 5, 5, 90), 0, id="a-small-difference"),
        pytest.param((100, 100, 100, 300), 0, id="three-times-is-the-limit"),
        pytest.param((20, 200), 0, id="one-sibling-shows-nothing"),
    ],
)
def test_cpu_above_siblings(used: tuple[int, ...], found: int) -> None:
    pods = frame("pods", **_pods(len(used)), workload=["Deployment:shop/web"] * len(used))

    said = outcome(cpu_above_siblings, usage=_usage(*used), pods=pods).findings

    assert [each.subjects for each in said] == [(f"shop/web-{len(used) - 1}",)] * found


def _throttling(*shares: float | None, container: str = "istio-proxy", minutes_ago: int = 1) -> pd.DataFrame:
    count = len(shares)
    return frame(
        "throttling",
        namespace=["shop"] * count,
        pod=["web-0"] * count,
        container=[container] * count,
        at=[NOON - pd.Timedelta(minutes=minutes_ago)] * count,
        share=list(shares),
    )


@pytest.mark.parametrize(
    ("throttling", "severity"),
    [
        pytest.param(_throttling(0.1), None, id="a-tenth-is-the-limit"),
        pytest.param(_throttling(0.2), Severity.INFO, id="bursts"),
        pytest.param(_throttling(0.3, 0.3), Severity.WARNING, id="all-the-time"),
        pytest.param(_throttling(0.0, 0.3, None), Severity.INFO, id="the-mean-counts"),
        pytest.param(_throttling(0.9, minutes_ago=16), None, id="before-the-window"),
        pytest.param(_throttling(0.9, container="discovery"), None, id="istiod-is-no-proxy"),
        pytest.param(_throttling(), None, id="no-sample"),
    ],
)
def test_throttled(throttling: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(throttled, at=NOON, throttling=throttling).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def test_without_their_tables_they_are_not_evaluated() -> None:
    checks = (cpu_near_limit, cpu_over_profile, cpu_above_siblings, throttled)

    assert {check.id: outcome(check, at=NOON).not_evaluated for check in checks} == {
        "proxies.cpu-near-limit": "not captured: usage; not captured: containers",
        "proxies.cpu-over-profile": "not captured: usage",
        "proxies.cpu-above-siblings": "not captured: usage; not captured: pods",
        "proxies.throttled": "not captured: throttling",
    }
