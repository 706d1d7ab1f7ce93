"""How calls failed, by kind."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_failures import (
    connect_failure_share,
    connect_failures,
    counted_kinds,
    no_healthy_upstream,
    no_route,
    retries_exhausted,
    retry_share,
    timeouts,
    too_many_requests,
)
from meshforensics.model import Severity
from meshforensics.testing import outcome
from tests.checks.calls import HOST, NOON, calls_of, logged, risen


@pytest.mark.parametrize(
    ("check", "flags", "family", "found"),
    [
        pytest.param(retries_exhausted, ("UF", "URX"), "connect-failure", 1, id="every-try-failed"),
        pytest.param(retries_exhausted, ("UF",), "connect-failure", 0, id="not-tried-again"),
        pytest.param(timeouts, ("UT",), "upstream-timeout", 1, id="of-the-route"),
        pytest.param(timeouts, ("SI",), "idle-timeout", 1, id="of-an-idle-stream"),
        pytest.param(timeouts, (), "max-duration", 1, id="of-a-stream"),
        pytest.param(timeouts, ("DC",), "client-gone", 0, id="the-client-gave-up"),
        pytest.param(no_healthy_upstream, ("UH",), "no-healthy-upstream", 1, id="no-host"),
        pytest.param(no_healthy_upstream, ("UO",), "overflow", 0, id="a-breaker-is-no-host"),
        pytest.param(connect_failures, ("UF",), "connect-failure", 1, id="refused"),
        pytest.param(connect_failures, ("UF",), "tls-unknown-root", 0, id="tls-is-no-connection"),
    ],
)
def test_a_kind_of_failure(check: Check, flags: tuple[str, ...], family: str, found: int) -> None:
    failed = family != "client-gone"
    calls = calls_of(3, 30, flags=flags, family=family).assign(failed=[failed] * 3 + [False] * 27)

    said = outcome(check, at=NOON, calls=calls)

    assert [(each.severity, each.subjects) for each in said.findings] == [(Severity.WARNING, ("shop/web",))] * found
    assert all("3 of 30" in each.detail or "3 calls" in each.detail for each in said.findings)


@pytest.mark.parametrize("check", [retries_exhausted, timeouts, no_healthy_upstream, connect_failures])
def test_what_failed_before_the_window_is_not_told(check: Check) -> None:
    calls = calls_of(3, 30, flags=("UF", "URX", "UT", "UH"), ago_s=901)

    assert outcome(check, at=NOON, calls=calls).findings == ()


def test_connections_fail_by_endpoint() -> None:
    both = [calls_of(3, 3, upstream_host="10.0.0.1:80"), calls_of(2, 2, upstream_host="10.0.0.2:80")]

    said = outcome(connect_failures, at=NOON, calls=pd.concat(both, ignore_index=True))

    assert [each.evidence_total for each in said.findings] == [3, 2]


@pytest.mark.parametrize(
    ("failed", "total", "severity"),
    [(0, 100, None), (5, 100, Severity.INFO), (6, 100, Severity.WARNING), (19, 19, None)],
)
def test_no_route(failed: int, total: int, severity: Severity | None) -> None:
    calls = calls_of(failed, total, flags=("NR",), status=404, family="no-route").assign(failed=False)

    said = outcome(no_route, at=NOON, calls=calls)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("rises", "severity"),
    [
        pytest.param(risen(("upstream_rq_retry", 21), ("upstream_rq_total", 100)), Severity.WARNING, id="a-fifth"),
        pytest.param(risen(("upstream_rq_retry", 20), ("upstream_rq_total", 100)), None, id="just-a-fifth"),
        pytest.param(risen(("upstream_rq_retry", 19), ("upstream_rq_total", 19)), None, id="too-few"),
        pytest.param(risen(("upstream_rq_retry", 19)), None, id="too-few-without-requests"),
        pytest.param(risen(("upstream_rq_retry", 99), ("upstream_rq_total", 9)), Severity.WARNING, id="no-connection"),
    ],
)
def test_retry_share(rises: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(retry_share, at=NOON, rises_over_time=rises)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


def test_tries_that_got_no_connection_are_tries() -> None:
    """Three tries a call, none of which was connected: two of three are retries."""
    counters = (("upstream_rq_retry", 60), ("upstream_rq_total", 10), ("upstream_rq_pending_failure_eject", 90))

    (finding,) = outcome(retry_share, at=NOON, rises_over_time=risen(*counters)).findings

    assert finding.observed is not None
    assert finding.observed.value == 0.6
    assert "60 retries" in finding.detail
    assert "of 100 tries; no call was logged" in finding.detail


@pytest.mark.parametrize(
    ("counted", "more", "severity"),
    [
        pytest.param((1, 100), {}, None, id="one-percent-is-the-limit"),
        pytest.param((2, 100), {}, Severity.WARNING, id="two-percent"),
        pytest.param((11, 100), {}, Severity.ERROR, id="eleven-percent"),
        pytest.param((49, 49), {}, None, id="too-few"),
        pytest.param((90, 100), {"cluster": "xds-grpc"}, None, id="not-of-the-mesh"),
        pytest.param((90, 100), {"since_s": 901}, None, id="counted-from-before"),
        pytest.param((90, 100), {"since_s": None}, None, id="since-unknown"),
    ],
)
def test_connect_failure_share(counted: tuple[int, int], more: dict[str, Any], severity: Severity | None) -> None:
    rises = risen(("upstream_cx_connect_fail", counted[0]), ("upstream_cx_total", counted[1]), **more)

    said = outcome(connect_failure_share, at=NOON, rises_over_time=rises)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("name", "rise", "found"),
    [("upstream_rq_timeout", 1, 1), ("upstream_rq_retry_limit_exceeded", 1, 1), ("upstream_rq_timeout", 0, 0)],
)
def test_counted_kinds(name: str, rise: int, found: int) -> None:
    rises = risen((name, rise))

    assert len(outcome(counted_kinds, at=NOON, rises_over_time=rises).findings) == found
    assert outcome(counted_kinds, at=NOON, rises_over_time=rises, access_log=logged()).findings == ()


KINDS = (retries_exhausted, timeouts, no_healthy_upstream, connect_failures, no_route)


@pytest.mark.parametrize("check", [*KINDS, retry_share, connect_failure_share, counted_kinds])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    table = next(each.name for each in check.parameters if each.table)

    assert outcome(check, at=NOON).not_evaluated == f"not captured: {table.removesuffix('_over_time')}"


def test_a_host_is_named() -> None:
    (finding,) = outcome(timeouts, at=NOON, calls=calls_of(1, 1, flags=("UT",))).findings

    assert finding.detail.startswith(f"shop/web to {HOST}: 1 of 1 call was ended by a timeout")


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        pytest.param(calls_of(1, 100, status=429), Severity.INFO, id="a-few"),
        pytest.param(calls_of(6, 100, status=429), Severity.WARNING, id="many-are-no-error-either"),
        pytest.param(calls_of(6, 100, status=503), None, id="failed-otherwise"),
        pytest.param(calls_of(19, 19, status=429), None, id="too-few-calls"),
        pytest.param(calls_of(6, 100, status=429, ago_s=901), None, id="before-the-window"),
    ],
)
def test_too_many_requests(calls: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(too_many_requests, at=NOON, calls=calls)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])
    assert outcome(too_many_requests, at=NOON).not_evaluated == "not captured: calls"
