"""Limits of connection pools: reached, open, near."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_limits import (
    active_requests,
    breaker_open,
    breaker_overflow,
    limit_reached,
    overflow_rising,
    overflow_since_start,
    pool_saturated,
)
from meshforensics.model import Severity
from meshforensics.profile import load_profile
from meshforensics.testing import frame, outcome
from tests.checks.calls import CLUSTER, NOON, calls_of, logged, risen


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        pytest.param(calls_of(0, 100), None, id="none"),
        pytest.param(calls_of(1, 200, flags=("UO",)), Severity.WARNING, id="any"),
        pytest.param(calls_of(3, 100, flags=("UO", "URX")), Severity.ERROR, id="over-one-percent"),
        pytest.param(calls_of(3, 100, flags=("UH",)), None, id="no-healthy-upstream-is-no-breaker"),
    ],
)
def test_breaker_overflow(calls: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(breaker_overflow, at=NOON, calls=calls)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


def _stat(name: str, value: int | None) -> pd.DataFrame:
    return frame("stats", namespace=["shop"], pod=["web-1"], name=[name], cluster=["outbound|80||pay"], value=[value])


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("envoy_cluster_circuit_breakers_default_rq_pending_open", 1, 1),
        ("envoy_cluster_circuit_breakers_default_rq_pending_open", 0, 0),
        ("cluster.outbound|80||pay;.circuit_breakers.default.cx_open", 1, 1),
        ("envoy_cluster_circuit_breakers_default_remaining_cx", 5, 0),
        ("envoy_cluster_circuit_breakers_default_cx_open", None, 0),
    ],
)
def test_breaker_open(name: str, value: int | None, found: int) -> None:
    assert len(outcome(breaker_open, stats=_stat(name, value)).findings) == found


def test_one_gauge_in_two_forms_is_one_finding() -> None:
    names = ("envoy_cluster_circuit_breakers_high_cx_open", "cluster.outbound|80||pay;.circuit_breakers.high.cx_open")
    both = pd.concat([_stat(name, 1) for name in names], ignore_index=True)

    (finding,) = outcome(breaker_open, stats=both).findings

    assert finding.detail == "circuit_breakers.high.cx_open of outbound|80||pay is open on 1 proxy"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("envoy_cluster_upstream_rq_pending_overflow", 3, 1),
        ("envoy_cluster_upstream_cx_overflow", 0, 0),
        ("envoy_listener_downstream_cx_overflow", 3, 0),
    ],
)
def test_overflow_since_start_is_only_a_note(name: str, value: int, found: int) -> None:
    said = outcome(overflow_since_start, stats=_stat(name, value))

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("rises", "severity"),
    [
        pytest.param(risen(("upstream_rq_pending_overflow", 0)), None, id="none"),
        pytest.param(
            risen(("upstream_rq_pending_overflow", 1), ("upstream_rq_total", 999)), Severity.WARNING, id="any"
        ),
        pytest.param(risen(("upstream_rq_pending_overflow", 2), ("upstream_rq_total", 98)), Severity.ERROR, id="many"),
        pytest.param(risen(("upstream_rq_pending_overflow", 5)), Severity.ERROR, id="all-of-them"),
        pytest.param(risen(("upstream_rq_active_overflow", 5)), Severity.ERROR, id="active"),
        pytest.param(risen(("upstream_rq_pending_overflow", 5), since_s=901), None, id="counted-from-before"),
        pytest.param(risen(("upstream_rq_pending_overflow", 5), since_s=None), None, id="since-unknown"),
    ],
)
def test_overflow_rising(rises: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(overflow_rising, at=NOON, rises_over_time=rises)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


def test_what_was_logged_is_not_counted_again() -> None:
    rises = risen(("upstream_rq_pending_overflow", 5))

    assert outcome(overflow_rising, at=NOON, rises_over_time=rises, access_log=logged()).findings == ()


@pytest.mark.parametrize(
    ("name", "rise", "found"),
    [
        ("upstream_cx_overflow", 1, 1),
        ("upstream_rq_retry_overflow", 1, 1),
        ("downstream_cx_overload_reject", 1, 1),
        ("upstream_cx_overflow", 0, 0),
        ("upstream_cx_total", 9, 0),
    ],
)
def test_limit_reached(name: str, rise: int, found: int) -> None:
    said = outcome(limit_reached, at=NOON, rises_over_time=risen((name, rise)))

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


def _active(*gauges: tuple[str, int]) -> pd.DataFrame:
    count = len(gauges)
    return frame(
        "stats",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        name=["envoy_http_downstream_rq_active"] * count,
        listener=[listener for listener, _ in gauges],
        value=[value for _, value in gauges],
    )


@pytest.mark.parametrize(
    ("stats", "found"),
    [
        pytest.param(_active(("inbound_0.0.0.0_80", 1000)), 0, id="a-thousand-is-the-limit"),
        pytest.param(_active(("inbound_0.0.0.0_80", 600), ("outbound_0.0.0.0_80", 401)), 1, id="together"),
        pytest.param(_active(("admin", 5000)), 0, id="its-own-admin"),
    ],
)
def test_active_requests(stats: pd.DataFrame, found: int) -> None:
    assert [each.severity for each in outcome(active_requests, stats=stats).findings] == [Severity.WARNING] * found
    guide = outcome(active_requests, stats=stats, profile=load_profile("guide"))
    assert [each.severity for each in guide.findings] == [Severity.CRITICAL] * found


def test_requests_that_two_forms_of_a_page_tell_are_counted_once() -> None:
    forms = ("envoy.stats:shop/web-1@t", "envoy.stats_prometheus:shop/web-1@t")
    both = frame(
        "stats",
        namespace=["shop"] * 2,
        pod=["web-1"] * 2,
        name=["http.outbound.downstream_rq_active", "envoy_http_downstream_rq_active"],
        value=[1216, 1190],
        item=list(forms),
    )

    (finding,) = outcome(active_requests, stats=both).findings

    assert finding.observed is not None
    assert (finding.observed.value, [each.item for each in finding.evidence]) == (1216, [forms[0]])


def _spread(total: int, *, duration_ms: int, protocol: str = "HTTP/1.1") -> pd.DataFrame:
    """Calls of ten seconds, evenly."""
    calls = calls_of(0, total, duration_ms=duration_ms, protocol=protocol)
    step = pd.Timedelta(seconds=10) / (total - 1)
    return calls.assign(at=[NOON - pd.Timedelta(seconds=60) + number * step for number in range(total)])


def _pool(**limits: int | None) -> dict[str, pd.DataFrame]:
    unset = {"max_requests": 2**32 - 1, "max_connections": 2**32 - 1}
    given = {name: [value] for name, value in {**unset, **limits}.items()}
    where = {"namespace": ["shop"], "pod": ["web-1"], "name": [CLUSTER], "resource": ["r"], "state": ["active"]}
    return {
        "clusters": frame("clusters", resource=["r"], name=[CLUSTER], **given),
        "cluster_instances": frame("cluster_instances", **where),
    }


@pytest.mark.parametrize(
    ("calls", "limits", "severity"),
    [
        pytest.param(_spread(100, duration_ms=790), {"max_requests": 10}, None, id="under-eight-of-ten-is-info"),
        pytest.param(_spread(100, duration_ms=900), {"max_requests": 10}, Severity.WARNING, id="nine-of-ten"),
        pytest.param(_spread(100, duration_ms=900), {}, None, id="no-limit"),
        pytest.param(_spread(100, duration_ms=900), {"max_connections": 10}, Severity.WARNING, id="one-a-connection"),
        pytest.param(
            _spread(100, duration_ms=900, protocol="HTTP/2"), {"max_connections": 10}, None, id="many-a-connection"
        ),
        pytest.param(_spread(100, duration_ms=900), {"max_requests": None}, None, id="envoy-s-default"),
        pytest.param(_spread(19, duration_ms=90000), {"max_requests": 10}, None, id="too-few"),
        pytest.param(calls_of(0, 100, duration_ms=900), {"max_requests": 10}, None, id="of-one-instant"),
    ],
)
def test_pool_saturated(calls: pd.DataFrame, limits: dict[str, int | None], severity: Severity | None) -> None:
    """A hundred calls in ten seconds, of 0.9 s each, are nine under way."""
    said = outcome(pool_saturated, at=NOON, calls=calls, **_pool(**limits))  # type: ignore[arg-type]

    assert [each.severity for each in said.findings if each.severity is not Severity.INFO] == (
        [severity] if severity else []
    )


LIMITS = (breaker_overflow, breaker_open, overflow_since_start, overflow_rising, limit_reached, active_requests)


@pytest.mark.parametrize("check", [*LIMITS, pool_saturated])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check, at=NOON).not_evaluated or "").startswith("not captured: ")
