"""Phase 2: calls that fail, by edge, counted once at the caller."""

import pandas as pd
import pytest

from meshforensics.checks.traffic import counted_errors, server_errors
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import NOON, calls_of


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        pytest.param(calls_of(0, 100), None, id="no-failure"),
        pytest.param(calls_of(1, 100), None, id="one-percent-is-the-limit"),
        pytest.param(calls_of(2, 100), Severity.WARNING, id="two-percent"),
        pytest.param(calls_of(6, 100), Severity.ERROR, id="six-percent"),
        pytest.param(calls_of(11, 100), Severity.CRITICAL, id="eleven-percent"),
        pytest.param(calls_of(19, 19), None, id="too-few-calls"),
        pytest.param(calls_of(20, 20, ago_s=901), None, id="before-the-window"),
        pytest.param(calls_of(20, 20, status=403), None, id="a-denial-is-another-check"),
        pytest.param(calls_of(20, 20, status=429), None, id="a-limit-is-another-check"),
    ],
)
def test_server_errors(calls: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(server_errors, at=NOON, calls=calls)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/web",))] if severity else []
    )


def test_failures_are_told_by_status_flags_and_details() -> None:
    calls = pd.concat(
        [
            calls_of(14, 100, details="upstream_reset_before_response_started{connection_failure}"),
            calls_of(2, 2, flags=(), status=500, details="via_upstream"),
        ],
        ignore_index=True,
    )

    (finding,) = outcome(server_errors, at=NOON, calls=calls).findings

    assert "(connect-failure, decided by caller; 503 UF upstream_reset_before_response_started: 14, " in finding.detail
    assert "500 - via_upstream: 2)" in finding.detail


def test_every_failed_line_is_evidence_of_which_twenty_are_kept() -> None:
    finding = outcome(server_errors, at=NOON, calls=calls_of(30, 100)).findings[0]

    assert (len(finding.evidence), finding.evidence_total, finding.evidence[0].pointer) == (20, 30, "/0")
    assert finding.observed is not None
    assert (finding.observed.value, finding.observed.unit) == (0.3, "ratio")


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(server_errors, at=NOON).not_evaluated == "not captured: calls"
    assert outcome(server_errors, calls=calls_of(1, 1)).not_evaluated == "capture time unknown, give --at"


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
        pytest.param(_counted(50).assign(status=[200, 429]), None, id="a-limit-is-another-check"),
        pytest.param(_counted(50, host="").assign(family=["", "rate-limited"]), None, id="of-its-own-proxy-too"),
        pytest.param(_counted(50, host="").assign(family=["", "rbac-denied"]), None, id="a-policy-is-another-check"),
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
