"""Sections on a case made by hand: with findings, without, and with nothing captured."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from meshforensics.model import Cause, Evidence, Item, Severity, Standing, Status
from meshforensics.report import sections
from meshforensics.testing import frame
from tests.report.stand_in import LINES, NOON, StandIn, StandInBag, at, case, finding, hypothesis, table

OTHER = Evidence(item=LINES.item, sha256=LINES.sha256, pointer="L1")
ALL: list[Callable[[Any], sections.Section]] = [
    sections.header, sections.verdict, sections.impact, sections.timeline, sections.planes, sections.trust,
    sections.validity, sections.memory, sections.alerts, sections.findings, sections.hypotheses, sections.coverage,
    sections.not_captured, sections.recovery, sections.method,
]  # fmt: skip


def said(shown: sections.Section) -> list[str]:
    """The lines of a section, as a postmortem gets them."""
    return [line for line in shown._repr_markdown_().splitlines() if line]


@pytest.mark.parametrize(
    ("show", "title"),
    [
        (sections.header, "# The root CA was replaced without an overlap"),
        (sections.impact, "## Impact: 20 of 180 calls fail at their source, 20 more pass that on"),
        (sections.timeline, "## Timeline: the first failure comes 0.5 s after “secret ROOTCA reaches pricing-1”"),
        (sections.planes, "## Four planes: the break lies between search and pricing"),
        (sections.trust, "## Trust: 2 roots, 2 trust sets; groups of proxies share no root"),
        (sections.validity, "## Validity: 6 of 6 certificates are valid at the capture"),
        (sections.findings, "## Findings: 1 critical, 1 warning"),
        (sections.hypotheses, "## Hypotheses: 1 supported, 1 undetermined, 1 refuted"),
        (sections.coverage, "## Coverage: 4 of 4 known proxies captured and decoded"),
        (sections.not_captured, "## Not captured: 1 of 5 items, and what that leaves open"),
        (sections.recovery, "## Recovery: both roots first, then restarts, then one root"),
    ],
)
def test_a_title_is_the_finding(show: Callable[[Any], sections.Section], title: str) -> None:
    assert said(show(case()))[0] == title


@pytest.mark.parametrize("show", ALL)
def test_with_nothing_captured_a_section_still_speaks_and_shows_no_number_for_the_unknown(
    show: Callable[[Any], sections.Section],
) -> None:
    undecided = hypothesis(status=Standing.UNDETERMINED, for_=(), impact=None, onset=None, subjects=(), summary="")
    bare = StandIn(bundle=StandInBag(at=None, window=(None, None)), at=None, window=None, hypotheses=(undecided,))

    lines = said(show(bare))

    assert lines[0].startswith("#")
    assert [line for line in lines if "NaT" in line or "nan" in line or "None" in line] == []


def test_what_the_verdict_rests_on_comes_first_and_says_so() -> None:
    worse = finding(severity=Severity.CRITICAL, title="Apart", evidence=(OTHER,))
    rests = finding(severity=Severity.ERROR, title="Cause")

    lines = said(sections.findings(case(findings=(worse, rests))))

    rows = [line.split("|")[1:4] for line in lines if line.startswith("| F")]
    assert [row[0].strip() for row in rows] == ["F1", "F2"]
    assert ["Cause" in rows[0][2], "Apart" in rows[1][2]] == [True, True]
    assert ["The verdict rests on it." in row[2] for row in rows] == [True, False]


def test_a_ground_leads_to_the_finding_that_shows_its_place() -> None:
    same_check = finding(evidence=(OTHER,), severity=Severity.CRITICAL)
    shown = finding(evidence=(LINES,), severity=Severity.ERROR)

    lines = said(sections.verdict(case(findings=(same_check, shown))))

    assert "- 2 sets of roots share none (F1)" in lines
    assert 'href="#f1"' in sections.verdict(case(findings=(same_check, shown)))._repr_html_()


def test_without_a_standing_hypothesis_no_finding_carries_a_verdict() -> None:
    open_ = replace(hypothesis(), status=Standing.UNDETERMINED)

    lines = said(sections.findings(case(hypotheses=(open_,))))

    assert [line for line in lines if "rests on" in line] == []


def test_muted_findings_say_why() -> None:
    lines = said(sections.findings(case(findings=(finding(muted="known since 2025"),))))

    assert [line for line in lines if "muted: known since 2025" in line] != []


def test_no_finding_is_not_health() -> None:
    lines = said(sections.findings(case(findings=())))

    assert lines[0] == "## Findings: 0; 1 check not evaluated"
    assert lines[1].endswith("1 check could not run, so this does not say that nothing is wrong.")


def test_missing_items_are_listed_by_kind_and_cause() -> None:
    lost = Item(kind="envoy.certs", subject="shop/a", status=Status.SKIPPED, cause=Cause.OVER_BUDGET, captured_at=NOON)

    lines = said(sections.not_captured(case(bundle=StandInBag(items=(lost,)))))

    assert "| envoy.certs | skipped: over-budget | 1 | shop/a |" in lines


@pytest.mark.parametrize("show", ALL)
def test_captured_markup_is_text_in_every_section(show: Callable[[Any], sections.Section]) -> None:
    attack = "<script>alert(1)</script>"
    told = case(
        bundle=StandInBag(mesh=attack, items=case().bundle.items),
        findings=(finding(detail=attack, subjects=(attack,)),),
        hypotheses=(hypothesis(summary=attack, subjects=(attack,), next=attack),),
    )

    assert "<script>" not in show(told)._repr_html_()


def _grown(*pods: str, samples: int = 4) -> StandIn:
    rows = [
        {
            "namespace": "shop",
            "pod": pod,
            "captured_at": at(60 * back),
            "allocated": 8 * 2**20 + (samples - back) * 2**20,
        }
        for pod in ("search-1", "web-1")
        for back in range(samples)
    ]
    found = finding(check="proxies.memory-grows", subjects=tuple(f"shop/{pod}" for pod in pods))
    return case(frames=case().frames | {"memory": table("memory", rows)}, findings=(found,) if pods else ())


@pytest.mark.parametrize(
    ("told", "title"),
    [
        pytest.param(_grown("search-1"), "## Memory: search-1 grows, 1 of 2 do not", id="one"),
        pytest.param(_grown("search-1", "web-1"), "## Memory: search-1, web-1 grow, 0 of 2 do not", id="both"),
        pytest.param(_grown(), "## Memory: none of 2 proxies grows", id="none"),
        pytest.param(_grown(samples=1), "## Memory: no series was captured", id="one-sample"),
        pytest.param(case(), "## Memory: not captured", id="nothing"),
    ],
)
def test_memory_tells_who_grows(told: StandIn, title: str) -> None:
    assert said(sections.memory(told))[0] == title


def test_memory_is_drawn_and_in_a_table() -> None:
    lines = said(sections.memory(_grown("search-1")))

    assert "| shop/search-1 | 4 | 3 min | 9.0 MiB | 12.0 MiB | 2026-01-01 12:00:00.000 |" in lines
    assert lines[1].startswith("![Live memory by capture. Live memory over time. search-1 9.0 MiB to 12.0 MiB; web-1")


def test_alerts_are_told_against_the_onset() -> None:
    rows = frame(
        "alert_times", alert=["SidecarMemoryNearLimit"] * 2, labels=['{"pod":"a"}', '{"pod":"b"}'],
        severity=["warning"] * 2, at=[at(1000.0)] * 2, fired_at=[at(400.0), at(390.0)], resolved_at=[at(5.0), None],
        worst=[0.97, 0.95], limit=[0.9] * 2, unit=["ratio"] * 2,
    )  # fmt: skip
    known = case()
    onset = at(100.0).to_pydatetime()

    lines = said(
        sections.alerts(
            replace(known, frames=known.frames | {"alert_times": rows}, hypotheses=(hypothesis(onset=onset),))
        )
    )

    assert lines[0] == "## Alerts: 1 rule would have fired, the first 5 min before the onset"
    assert '{"pod":"a"} and 1 more' in lines[-1]
    assert "| stands | 0.97 ratio | 0.9 |" in lines[-1]


def test_alerts_that_nobody_asked_for_are_not_captured() -> None:
    lines = said(sections.alerts(replace(case(), reasons={"alert_times": "not captured: prometheus.alert"})))

    assert lines[0] == "## Alerts: not captured"


def test_an_object_that_holds_a_certificate_is_no_proxy_and_a_serial_given_twice_is_two_certificates() -> None:
    root = {"role": "root", "serial": "01", "not_before": at(-60), "not_after": at(600)}
    rows = [
        {**root, "namespace": "shop", "pod": "pricing-1", "fingerprint": "aa"},
        {**root, "namespace": "", "pod": "-", "fingerprint": "aa"},
        {**root, "namespace": "", "pod": "-", "fingerprint": "bb"},
        {**root, "namespace": "shop", "pod": "seats-1", "serial": "02", "fingerprint": "cc"},
        {**root, "namespace": "shop", "pod": "search-1", "serial": "02"},
    ]

    lines = said(sections.validity(case(frames={"certificates": table("certificates", rows)})))

    held = [line.split("|")[-2].strip() for line in lines if line.startswith(("| 01", "| 02"))]
    assert held == ["shop/pricing-1", "not held by a proxy", "shop/search-1, shop/seats-1"]
