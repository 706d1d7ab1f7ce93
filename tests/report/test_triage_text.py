"""The triage screen: within 40 lines of 100 columns, whatever was found."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshforensics.investigation import captures
from meshforensics.model import Cause, Item, NotEvaluated, Phase, Quantity, Severity, Standing, Status
from meshforensics.report.triage_text import LINES, WIDTH, triage_text, worst
from meshforensics.testing import frame
from tests.conftest import ROOT, Opened
from tests.report.stand_in import StandInBag, finding, hypothesis
from tests.report.test_triage_json import stand_in

pytestmark = pytest.mark.usefixtures("untraced")


def too_big(screen: str) -> list[str]:
    """Lines beyond the screen, in either direction."""
    lines = screen.splitlines()
    return [*lines[LINES:], *(line for line in lines if len(line) > WIDTH)]


@pytest.mark.parametrize("name", sorted(captures()))
def test_a_shipped_capture_fits_a_screen(name: str, opened: Opened) -> None:
    screen = triage_text(opened(ROOT / name), name)

    assert too_big(screen) == []
    assert screen.splitlines()[-1].startswith(f"      meshforensics tables {name}")


def test_the_whole_screen() -> None:
    assert triage_text(stand_in(), "x.zip").splitlines() == [
        "ca-rotation  SUPPORTED, confidence 0.97                            as of 2026-01-01 12:00:00.000 UTC",
        "The root CA was replaced without an overlap. search refuses pricing.",
        "",
        "  failed    20 of 60 (33.3 %) calls to pricing.shop",
        "  since     2026-01-01 11:59:39.600 UTC",
        "  subjects  shop/pricing-1",
        "  decided   2 sets of roots share none",
        "  next      Give every proxy both roots.",
        "  coverage  3 of 5 proxies decoded, 4 captured; 5 items, sha256 37a47211…a84be6; profile default",
        "",
        "PHASE          SEVERITY FINDING                                        SUBJECTS    OBSERVED    LIMIT",
        "traffic        critical Calls fail on an edge                                 1       33.3%     5.0%",
        "                          search to pricing: 20 of 60 calls failed",
        "               warning  Calls fail on an edge                                 1",
        "                          search to pricing: 20 of 60 calls failed",
        "proxy-health, control-plane, configuration, certificates, access-control: clear.",
        "",
        "Refuted: leaf-expired.",
        "Undetermined: memory-leak.",
        "",
        "Not captured, so not judged",
        "  envoy.memory                failed: timeout               1  shop/seats-1",
        "  not captured: samples                                           1 check not evaluated",
        "  to decide: envoy.memory of shop/seats-1; timeout",
        "",
        "Next  meshforensics recover x.zip",
        "      meshforensics report x.zip -o report/",
        "      meshforensics tables x.zip calls",
    ]


def test_undetermined_says_what_to_capture() -> None:
    undecided = hypothesis(status=Standing.UNDETERMINED)

    lines = triage_text(stand_in(hypotheses=(undecided,)), "x.zip").splitlines()

    assert lines[0] == "undetermined" + "as of 2026-01-01 12:00:00.000 UTC".rjust(WIDTH - len("undetermined"))
    assert lines[3] == "  next      Capture envoy.memory of shop/seats-1: kubectl exec x; then triage again."


def test_an_unknown_capture_time_is_said() -> None:
    screen = triage_text(stand_in(at=None, window=None), "x.zip")

    assert screen.splitlines()[0].endswith("  capture time unknown, give --at")


def test_without_findings_phases_are_clear_only_where_every_check_ran() -> None:
    skipped = (NotEvaluated(check="traffic.server-errors", reason="not captured: access_log"),)

    lines = triage_text(stand_in(findings=(), not_evaluated=skipped), "x.zip").splitlines()

    assert lines[10:13] == [
        "No finding.",
        "proxy-health, control-plane, configuration, certificates, access-control: clear. Nothing found, with",
        "checks not evaluated: traffic (1).",
    ]


def test_a_thousand_proxies_take_the_lines_of_eight() -> None:
    def screen(number: int) -> list[str]:
        subjects = tuple(f"shop/search-{each}" for each in range(number))
        return triage_text(stand_in(findings=(finding(subjects=subjects),)), "x.zip").splitlines()

    assert len(screen(1000)) == len(screen(8))
    assert screen(1000)[11].split()[-3:] == ["1000", "33.3%", "5.0%"]


def test_a_muted_finding_is_only_counted() -> None:
    lines = triage_text(stand_in(findings=(finding(muted="known"),)), "x.zip").splitlines()

    assert "Muted by the profile: 1, with their reasons in --format json." in lines
    assert "No finding." in lines


def test_a_long_path_is_left_to_the_reader() -> None:
    lines = triage_text(stand_in(), "/evidence" * 20).splitlines()

    assert lines[-3:] == [
        "Next  meshforensics recover PATH",
        "      meshforensics report PATH -o report/",
        "      meshforensics tables PATH calls",
    ]


_text = st.text(min_size=0, max_size=300)
_findings = st.builds(
    finding,
    check=st.sampled_from(["traffic.server-errors", "sync.stale", "certificates.leaf-expired", "access.denied"]),
    severity=st.sampled_from(Severity),
    phase=st.sampled_from(Phase),
    title=_text,
    detail=_text,
    subjects=st.lists(_text, max_size=3).map(tuple),
    observed=st.builds(Quantity, name=_text, value=st.none() | st.floats() | st.integers() | _text, unit=_text),
)
_items = st.builds(
    Item,
    kind=_text,
    subject=_text,
    status=st.just(Status.FAILED),
    cause=st.sampled_from(Cause),
)


@settings(max_examples=60, deadline=None)
@example(findings=(finding(observed=Quantity(name="", value=0.0, unit="\r")),), items=(), summary="0", path="a\nb")
@given(
    findings=st.lists(_findings, max_size=60).map(tuple),
    items=st.lists(_items, max_size=30).map(tuple),
    summary=_text,
    path=_text,
)
def test_whatever_was_captured_it_fits_and_ends_with_commands(
    findings: Any, items: Any, summary: str, path: str
) -> None:
    told = stand_in(findings=findings, hypotheses=(hypothesis(summary=summary),))

    screen = triage_text(replace(told, bundle=StandInBag(items=items)), path)

    assert too_big(screen) == []
    assert screen.splitlines()[-1].startswith("      meshforensics tables ")


def test_worst_leaves_muted_findings_out() -> None:
    found = (finding(severity=Severity.CRITICAL, muted="known"), finding(severity=Severity.WARNING))

    assert worst(found) is Severity.WARNING
    assert worst(()) is None


def test_the_objects_of_a_verdict_come_first_with_who_changed_them_when() -> None:
    named = ("DestinationRule:shop/pay", "EnvoyFilter:shop/old", "DestinationRule:shop/gone")
    config = frame(
        "config",
        object=["DestinationRule:shop/pay", "EnvoyFilter:shop/old", "DestinationRule:shop/other"],
        changed_at=[
            pd.Timestamp("2026-01-01T11:59:30Z"),
            pd.Timestamp("2026-01-01T11:00:00Z"),
            pd.Timestamp("2026-01-01T11:59:59Z"),
        ],
        changed_by=["kubectl-edit"] * 3,
    )
    best = hypothesis(subjects=("shop/web-1", "spiffe://a/ns/b/sa/c", *named))
    case = replace(stand_in(), hypotheses=(best,))

    lines = triage_text(replace(case, frames={**case.frames, "config": config}), "x.zip").splitlines()

    assert lines[lines.index("  since     2026-01-01 11:59:39.600 UTC") + 1 :][:3] == [
        "  subjects  DestinationRule:shop/pay, EnvoyFilter:shop/old, DestinationRule:shop/gone, shop/web-1",
        "            and 1 more",
        "  changed   DestinationRule:shop/pay, 2026-01-01 11:59:30.000 UTC by kubectl-edit",
    ]
