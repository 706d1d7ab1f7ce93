"""Pushes: slow, large, rejected, unsent, outdated."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.control_plane_pushes import (
    config_size,
    errors_since_start,
    expired_nonces,
    internal_errors,
    reconnects,
    rejecting_proxies,
    rejects,
    slow_convergence,
    slow_push,
    slow_queue,
    slow_since_start,
    write_timeouts,
)
from meshforensics.investigation import open_evidence
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.objects import NOON, said_of_frames

MINUTE = pd.Timedelta(minutes=1)
CONVERGENCE, QUEUE, PUSH = "pilot_proxy_convergence_time", "pilot_proxy_queue_time", "pilot_xds_push_time"


def counts(
    *rows: tuple[str, str, float | None, int], since: int | None = 10, at: int = 0, basis: str = "two samples"
) -> pd.DataFrame:
    """Rows of (name, labels, le, rose), in a span between so many minutes before noon."""
    number = len(rows)
    return frame(
        "istiod_counts",
        namespace=["istio-system"] * number,
        pod=["istiod-1"] * number,
        since=[None if since is None else NOON - since * MINUTE] * number,
        at=[NOON - at * MINUTE] * number,
        basis=[basis] * number,
        name=[row[0] for row in rows],
        labels=[row[1] for row in rows],
        le=[row[2] for row in rows],
        rose=[row[3] for row in rows],
    )


def _histogram(name: str, within: int, total: int, **span: object) -> pd.DataFrame:
    buckets = [(1.0, 0), (5.0, within), (10.0, within), (30.0, total), (float("inf"), total)]
    return counts(*((name, "{}", le, count) for le, count in buckets), **span)  # type: ignore[arg-type]


SPANS = [
    pytest.param({}, 1, id="two-samples-of-the-window"),
    pytest.param({"since": 59}, 1, id="two-samples-not-far-apart"),
    pytest.param({"since": 61}, 0, id="two-samples-far-apart"),
    pytest.param({"since": 10, "basis": "since start"}, 1, id="started-inside-the-window"),
    pytest.param({"since": 16, "basis": "since start"}, 0, id="started-before-it"),
    pytest.param({"since": None, "basis": "since start"}, 0, id="started-at-an-unknown-time"),
    pytest.param({"since": 30, "at": 20}, 0, id="a-span-that-ended-before-the-window"),
]


@pytest.mark.parametrize(("span", "found"), SPANS)
def test_only_a_span_of_the_window_is_judged(span: dict[str, object], found: int) -> None:
    said = outcome(slow_convergence, at=NOON, istiod_counts_over_time=_histogram(CONVERGENCE, 0, 100, **span))

    assert len(said.findings) == found


def test_all_spans_of_the_window_are_added_up() -> None:
    slow = _histogram(CONVERGENCE, 10, 100, since=10, at=5)
    short = counts((CONVERGENCE, "{}", 10.0, 0), (CONVERGENCE, "{}", float("inf"), 0), since=5, at=4)

    said = outcome(slow_convergence, at=NOON, istiod_counts_over_time=pd.concat([slow, short], ignore_index=True))

    assert [each.detail.partition(" pushes")[0] for each in said.findings] == ["90 of 100"]


@pytest.mark.parametrize(
    ("within", "severity"),
    [
        pytest.param(100, None, id="all-in-time"),
        pytest.param(99, None, id="one-percent-is-the-limit"),
        pytest.param(98, Severity.WARNING, id="two-percent"),
        pytest.param(80, Severity.ERROR, id="a-fifth"),
    ],
)
def test_slow_convergence(within: int, severity: Severity | None) -> None:
    said = outcome(slow_convergence, at=NOON, istiod_counts_over_time=_histogram(CONVERGENCE, within, 100)).findings

    assert [(each.severity, each.subjects, each.evidence_total) for each in said] == (
        [(severity, ("istio-system/istiod-1",), 5)] if severity else []
    )


def test_percentiles_are_said_by_the_bounds_that_they_lie_between() -> None:
    said = outcome(slow_convergence, at=NOON, istiod_counts_over_time=_histogram(CONVERGENCE, 60, 100)).findings

    assert [each.detail.split("; ")[1] for each in said] == ["the median 1 to 5 s, the 99th percentile 10 to 30 s"]


def test_without_pushes_there_is_nothing_to_judge() -> None:
    assert outcome(slow_convergence, at=NOON, istiod_counts_over_time=_histogram(CONVERGENCE, 0, 0)).findings == ()


@pytest.mark.parametrize(("check", "name"), [(slow_queue, QUEUE), (slow_push, PUSH)])
@pytest.mark.parametrize(("within", "found"), [(99, 0), (98, 1)], ids=["one-percent", "two-percent"])
def test_slow_queue_and_push(check: Check, name: str, within: int, found: int) -> None:
    said = outcome(check, at=NOON, istiod_counts_over_time=_histogram(name, within, 100)).findings

    assert [each.severity for each in said] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    ("over_time", "found"),
    [(None, 1), (_histogram(CONVERGENCE, 100, 100), 0)],
    ids=["one-sample", "the-window-is-told"],
)
def test_slow_since_start_is_no_more_than_information(over_time: pd.DataFrame | None, found: int) -> None:
    whole = _histogram(CONVERGENCE, 50, 100, since=600, basis="since start")
    given = {} if over_time is None else {"istiod_counts_over_time": over_time}

    said = said_of_frames(slow_since_start, {"istiod_counts": whole, **given}).findings

    assert [each.severity for each in said] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("buckets", "severity"),
    [
        pytest.param([(1e6, 10), (4e6, 10), (1e7, 10), (float("inf"), 10)], None, id="below-a-megabyte"),
        pytest.param([(1e6, 0), (4e6, 10), (1e7, 10), (float("inf"), 10)], None, id="some-megabytes"),
        pytest.param([(1e6, 0), (4e6, 9), (1e7, 10), (float("inf"), 10)], Severity.INFO, id="above-grpcs-default"),
        pytest.param([(1e6, 0), (4e6, 0), (1e7, 9), (float("inf"), 10)], Severity.WARNING, id="that-strains"),
        pytest.param([(1e6, 0), (4e6, 0), (1e7, 0), (float("inf"), 0)], None, id="none"),
    ],
)
def test_config_size(buckets: list[tuple[float, int]], severity: Severity | None) -> None:
    kind = '{"type":"type.googleapis.com/envoy.config.cluster.v3.Cluster"}'
    sizes = counts(*(("pilot_xds_config_size_bytes", kind, le, count) for le, count in buckets))

    said = outcome(config_size, istiod_counts=sizes).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


RISING = [
    pytest.param(rejects, "pilot_total_xds_rejects", '{"type":"a.b/envoy.Listener"}', id="rejects"),
    pytest.param(write_timeouts, "pilot_xds_write_timeout", "{}", id="write-timeouts"),
    pytest.param(write_timeouts, "pilot_xds_pushes", '{"type":"cds_senderr"}', id="send-errors"),
    pytest.param(internal_errors, "pilot_total_xds_internal_errors", "{}", id="internal-errors"),
]


@pytest.mark.parametrize(("check", "name", "labels"), RISING)
@pytest.mark.parametrize(("rose", "found"), [(1, 1), (0, 0)], ids=["rose", "stands"])
def test_counters_that_rise(check: Check, name: str, labels: str, rose: int, found: int) -> None:
    inside = outcome(check, at=NOON, istiod_counts_over_time=counts((name, labels, None, rose))).findings
    before = outcome(
        check, at=NOON, istiod_counts_over_time=counts((name, labels, None, rose), since=600, basis="since start")
    )

    assert [each.severity for each in inside] == [Severity.WARNING] * found
    assert before.findings == ()


def test_a_push_that_was_sent_is_no_error() -> None:
    sent = counts(("pilot_xds_pushes", '{"type":"cds"}', None, 900))

    assert outcome(write_timeouts, at=NOON, istiod_counts_over_time=sent).findings == ()


@pytest.mark.parametrize(
    ("late", "pushed", "found"),
    [
        pytest.param(30, 1029, 0, id="what-a-real-healthy-istiod-counts"),
        pytest.param(25, 100, 0, id="a-quarter-is-the-limit"),
        pytest.param(26, 100, 1, id="above"),
        pytest.param(10, 19, 0, id="too-few-pushes"),
    ],
)
def test_expired_nonces(late: int, pushed: int, found: int) -> None:
    told = counts(
        ("pilot_xds_expired_nonce", '{"type":"eds"}', None, late), ("pilot_xds_pushes", '{"type":"eds"}', None, pushed)
    )

    assert len(outcome(expired_nonces, at=NOON, istiod_counts_over_time=told).findings) == found


@pytest.mark.parametrize(
    ("name", "rose", "told", "found"),
    [
        pytest.param("citadel_server_csr_sign_err_count", 3, False, 1, id="at-some-time"),
        pytest.param("citadel_server_csr_sign_err_count", 0, False, 0, id="never"),
        pytest.param("citadel_server_csr_sign_err_count", 3, True, 0, id="the-window-is-told"),
        pytest.param("pilot_xds_pushes", 3, False, 0, id="no-trouble"),
    ],
)
def test_errors_since_start(name: str, rose: int, told: bool, found: int) -> None:
    whole = counts((name, "{}", None, rose), since=600, basis="since start")
    given = {"istiod_counts_over_time": counts((name, "{}", None, 0))} if told else {}

    said = said_of_frames(errors_since_start, {"istiod_counts": whole, **given}).findings

    assert [each.severity for each in said] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("item", "value", "found"), [("istiod.metrics", 2.0, 1), ("istiod.metrics", 0.0, 0), ("envoy.stats", 2.0, 0)]
)
def test_rejecting_proxies(item: str, value: float, found: int) -> None:
    stats = frame("stats", name=["pilot_xds_lds_reject"], real=[value], item=[f"{item}:istio-system/istiod-1@unknown"])

    assert len(outcome(rejecting_proxies, stats=stats).findings) == found


@pytest.mark.parametrize(
    ("young", "total", "found"),
    [
        pytest.param(6, 10, 1, id="most"),
        pytest.param(5, 10, 0, id="half-is-the-limit"),
        pytest.param(9, 9, 0, id="too-few-proxies"),
        pytest.param(0, 10, 0, id="none"),
    ],
)
def test_reconnects(young: int, total: int, found: int) -> None:
    ages = [30 if number < young else 600 for number in range(total)]
    connections = frame(
        "xds_connections",
        istiod=["istio-system/istiod-1"] * total,
        captured_at=[NOON] * total,
        connected_at=[NOON - pd.Timedelta(seconds=age) for age in ages],
    )

    said = outcome(reconnects, xds_connections=connections).findings

    assert [(each.subjects, each.evidence_total) for each in said] == [(("istio-system/istiod-1",), young)] * found


def test_a_rejection_between_two_real_captures_is_seen(examples: Path) -> None:
    found = [each for each in open_evidence(examples / "05-upgrade-503").findings if each.check.startswith("control-")]

    said = "proxies rejected 1 response of istio-system/istiod-6f9c7d5b8d-5c362 since 2026-11-23T18:49:58.845490Z"
    assert [(each.check, each.detail) for each in found] == [("control-plane.rejects", f"{said}: Listener")]


def test_without_their_tables_they_are_not_evaluated() -> None:
    over_time = (slow_convergence, slow_queue, slow_push, rejects, write_timeouts, internal_errors, expired_nonces)
    since = (slow_since_start, errors_since_start, config_size)

    assert {outcome(check, at=NOON).not_evaluated for check in over_time} == {"not captured: istiod_counts"}
    assert {outcome(check, at=NOON).not_evaluated for check in since} == {"not captured: istiod_counts"}
    assert outcome(rejecting_proxies).not_evaluated == "not captured: stats"
    assert outcome(reconnects).not_evaluated == "not captured: xds_connections"
