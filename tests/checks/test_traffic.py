"""Phase 2: calls that fail, by edge, counted once at the caller."""

import pandas as pd
import pytest

from meshforensics.checks.traffic import (
    breaker_open,
    breaker_overflow,
    counted_errors,
    overflow_since_start,
    server_errors,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _calls(
    failed: int, total: int, *, ago_s: int = 60, flags: tuple[str, ...] = ("UF",), status: int = 503
) -> pd.DataFrame:
    bad = [number < failed for number in range(total)]
    return frame(
        "calls",
        namespace=["shop"] * total,
        pod=["web-1"] * total,
        at=[NOON - pd.Timedelta(seconds=ago_s)] * total,
        caller=["shop/web"] * total,
        host=["pay.shop.svc.cluster.local"] * total,
        status=[status if each else 200 for each in bad],
        flags=[flags if each else () for each in bad],
        failed=bad,
        family=["connect-failure" if each else "" for each in bad],
        decided_by=["caller" if each else "nobody" for each in bad],
    )


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        pytest.param(_calls(0, 100), None, id="no-failure"),
        pytest.param(_calls(1, 100), None, id="one-percent-is-the-limit"),
        pytest.param(_calls(2, 100), Severity.WARNING, id="two-percent"),
        pytest.param(_calls(6, 100), Severity.ERROR, id="six-percent"),
        pytest.param(_calls(11, 100), Severity.CRITICAL, id="eleven-percent"),
        pytest.param(_calls(19, 19), None, id="too-few-calls"),
        pytest.param(_calls(20, 20, ago_s=901), None, id="before-the-window"),
        pytest.param(_calls(20, 20, status=403), None, id="a-denial-is-another-check"),
    ],
)
def test_server_errors(calls: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(server_errors, at=NOON, calls=calls)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/web",))] if severity else []
    )


def test_every_failed_line_is_evidence_of_which_twenty_are_kept() -> None:
    finding = outcome(server_errors, at=NOON, calls=_calls(30, 100)).findings[0]

    assert (len(finding.evidence), finding.evidence_total, finding.evidence[0].pointer) == (20, 30, "/0")
    assert finding.observed is not None
    assert (finding.observed.value, finding.observed.unit) == (0.3, "ratio")


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        pytest.param(_calls(0, 100), None, id="none"),
        pytest.param(_calls(1, 200, flags=("UO",)), Severity.WARNING, id="any"),
        pytest.param(_calls(3, 100, flags=("UO", "URX")), Severity.ERROR, id="over-one-percent"),
        pytest.param(_calls(3, 100, flags=("UH",)), None, id="no-healthy-upstream-is-no-breaker"),
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


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(server_errors, at=NOON).not_evaluated == "not captured: calls"
    assert outcome(breaker_overflow, at=NOON).not_evaluated == "not captured: calls"
    assert outcome(breaker_open).not_evaluated == "not captured: stats"
    assert outcome(overflow_since_start).not_evaluated == "not captured: stats"
    assert outcome(server_errors, calls=_calls(1, 1)).not_evaluated == "capture time unknown, give --at"


def _counted(failed: int, *, since_s: int = 600, host: str = "pay.shop.svc.cluster.local") -> pd.DataFrame:
    return frame(
        "counted_calls",
        namespace=["shop"] * 2,
        pod=["web-1"] * 2,
        since=[NOON - pd.Timedelta(seconds=since_s)] * 2,
        at=[NOON] * 2,
        caller=["shop/web"] * 2,
        host=["pay.shop.svc.cluster.local", host],
        family=["", "no-cluster"],
        failed=[False, True],
        calls=[100 - failed, failed],
    )


@pytest.mark.parametrize(
    ("counted", "severity"),
    [
        pytest.param(_counted(0), None, id="no-failure"),
        pytest.param(_counted(6), Severity.ERROR, id="six-percent"),
        pytest.param(_counted(6, host=""), Severity.ERROR, id="of-all-hosts-where-none-is-told"),
        pytest.param(_counted(50, since_s=901), None, id="counted-since-before-the-window"),
    ],
)
def test_counted_errors(counted: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(counted_errors, at=NOON, counted_calls_over_time=counted)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/web",))] if severity else []
    )


def test_what_was_logged_is_not_counted_twice() -> None:
    log = frame("access_log", namespace=["shop"], pod=["web-1"], at=[NOON], status=[200])

    assert outcome(counted_errors, at=NOON, counted_calls_over_time=_counted(50), access_log=log).findings == ()
    assert outcome(counted_errors, at=NOON, access_log=log).not_evaluated == "not captured: counted_calls"
