"""Known error texts inside the window: how many, how fast, and what else tells."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.signatures import delivery, pods, roots, seen, streams, tls
from meshforensics.formats.signatures import SIGNATURES
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.signature_lines import CLUSTER, NOON, lines_of


@pytest.mark.parametrize(
    ("check", "lines", "found"),
    [
        pytest.param(tls, lines_of("tls-unknown-root"), [3], id="tls"),
        pytest.param(tls, lines_of("tls-unknown-root", ago_s=901), [], id="tls-before-the-window"),
        pytest.param(tls, lines_of("no-cluster"), [], id="not-about-tls"),
        pytest.param(delivery, lines_of("config-rejected"), [3], id="delivery"),
        pytest.param(delivery, lines_of("tls-verify"), [], id="not-about-delivery"),
        pytest.param(roots, lines_of("root-refused"), [3], id="roots"),
        pytest.param(roots, lines_of("signing"), [], id="not-about-roots"),
        pytest.param(seen, lines_of("no-cluster"), [3], id="any-other"),
        pytest.param(seen, lines_of("tls-verify"), [], id="one-that-another-check-has"),
        pytest.param(seen, lines_of("no-cluster", ago_s=901), [], id="before-the-window"),
        pytest.param(seen, lines_of("not-declared"), [3], id="of-no-family-that-is-known"),
        pytest.param(streams, lines_of("push-failed"), [3], id="streams"),
        pytest.param(streams, lines_of("no-cluster"), [], id="not-about-streams"),
        pytest.param(streams, lines_of("xds-stream-closed"), [], id="streams-end-now-and-then"),
        pytest.param(streams, lines_of("xds-stream-closed", 4), [4], id="streams-end-all-the-time"),
        pytest.param(pods, lines_of("crash-loop"), [3], id="pods"),
        pytest.param(pods, lines_of("signing"), [], id="not-about-pods"),
    ],
)
def test_lines_of_a_family(check: Check, lines: pd.DataFrame, found: list[int]) -> None:
    said = outcome(check, at=NOON, signatures=lines)

    assert [each.evidence_total for each in said.findings] == found


def test_every_family_of_the_catalogue_is_told_by_one_check() -> None:
    families = sorted({each.family for each in SIGNATURES})
    lines = pd.concat([lines_of(family, 4) for family in families], ignore_index=True)

    told = [
        family
        for check in (tls, delivery, roots, seen, streams, pods)
        for finding in outcome(check, at=NOON, signatures=lines).findings
        for family in families
        if f"({family})" in finding.detail or f"({family}," in finding.detail
    ]

    assert sorted(told) == families


def test_who_judged_is_told_apart() -> None:
    both = pd.concat([lines_of("tls-unknown-root"), lines_of("tls-unknown-root", who="peer")], ignore_index=True)

    assert len(outcome(tls, at=NOON, signatures=both).findings) == 2


def _detail(check: Check, lines: pd.DataFrame, **frames: Any) -> str:
    (finding,) = outcome(check, at=NOON, signatures=lines, **frames).findings
    return finding.detail


def test_it_says_when_and_shows_a_line() -> None:
    said = _detail(seen, lines_of("no-cluster"))

    assert said.startswith("3 lines from 2026-01-01T11:58:58Z to 2026-01-01T11:59:00Z, ")
    assert said.endswith("e.g. line 2")


@pytest.mark.parametrize(
    ("lines", "reaches_s", "trend"),
    [
        pytest.param([lines_of("dns", 30)], 3600, "2 a minute, 0 before", id="begins-in-the-window"),
        pytest.param(
            [lines_of("dns", 30), lines_of("dns", 90, 1000)], 3600, "2 a minute, 2 before", id="goes-on-as-before"
        ),
        pytest.param(
            [lines_of("dns", 30)],
            900,
            "4 a minute in the second half of the log, 0 in the first",
            id="no-log-reaches-back",
        ),
        pytest.param(
            [lines_of("dns", 60, 0)],
            60,
            "62 a minute in the second half of the log, 58 in the first",
            id="the-log-is-short",
        ),
        pytest.param(
            [lines_of("dns", 1, times=[30_000])],
            3600,
            "2,000 a minute, 0 before",
            id="in-thousands",
        ),
    ],
)
def test_how_the_rate_changed(lines: list[pd.DataFrame], reaches_s: int, trend: str) -> None:
    coverage = frame("log_coverage", first_at=[NOON - pd.Timedelta(seconds=reaches_s)])

    assert f", {trend}: " in _detail(seen, pd.concat(lines, ignore_index=True), log_coverage=coverage)


def test_what_is_told_of_all_other_families_is_a_fact() -> None:
    (finding,) = outcome(seen, at=NOON, signatures=lines_of("no-cluster")).findings

    assert finding.severity is Severity.INFO


@pytest.mark.parametrize("check", [tls, delivery, roots, seen, streams, pods])
def test_without_logs_it_is_not_evaluated(check: Check) -> None:
    assert outcome(check, at=NOON).not_evaluated == "not captured: signatures"


def test_what_else_tells_stands_beside_it() -> None:
    clusters = frame("clusters", name=["other"])

    assert f"; confirmed: no proxy has {CLUSTER}; " in _detail(
        seen, lines_of("no-cluster", cluster=CLUSTER), clusters=clusters
    )


def test_that_another_log_reaches_further_back_says_nothing_of_this_one() -> None:
    coverage = frame(
        "log_coverage",
        first_at=[NOON - pd.Timedelta(hours=3), NOON - pd.Timedelta(minutes=10)],
        item=["log.discovery:a@noon", "test:-@unknown"],
    )

    said = _detail(seen, lines_of("dns", 30), log_coverage=coverage)

    assert ", 6 a minute in the second half of the log, 0 in the first: " in said


def _event(first_s: int, last_s: int, times: int) -> pd.DataFrame:
    first = NOON - pd.Timedelta(seconds=first_s)
    return lines_of("crash-loop", 1, last_s, first_at=[first], times=[times])


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param(
            _event(1800, 0, 60),
            "60 lines from 2026-01-01T11:30:00Z to 2026-01-01T12:00:00Z, 2 a minute, 2 before: ",
            id="as-often-as-before",
        ),
        pytest.param(
            _event(600, 0, 20),
            "20 lines from 2026-01-01T11:50:00Z to 2026-01-01T12:00:00Z, 2 a minute in the second half of the log, "
            "2 in the first: ",
            id="begun-in-the-window",
        ),
        pytest.param(
            _event(60, 60, 1),
            "1 line from 2026-01-01T11:59:00Z to 2026-01-01T11:59:00Z, 0 a minute in the second half of the log, "
            "2 in the first: ",
            id="once",
        ),
    ],
)
def test_an_event_stands_for_many_from_first_to_last(event: pd.DataFrame, said: str) -> None:
    assert _detail(pods, event).startswith(said)
