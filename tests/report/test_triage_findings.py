"""Findings as lines: a line a check, causes below as far as there is room."""

import pytest

from meshforensics.model import Phase, Quantity, Severity
from meshforensics.report._triage_findings import finding_lines
from tests.report.stand_in import finding

HEAD = "PHASE          SEVERITY FINDING                                        SUBJECTS    OBSERVED    LIMIT"
EDGE = "traffic        critical Calls fail on an edge                                 1       33.3%     5.0%"
TWO = "traffic        critical Calls fail on an edge ×2                              2       33.3%     5.0%"


def _titles(room: int) -> list[str]:
    several = [
        finding(check="sync.stale", severity=Severity.INFO, phase=Phase.CONFIGURATION, title="stale"),
        finding(check="sync.rejected", severity=Severity.ERROR, phase=Phase.CONFIGURATION, title="rejected"),
        finding(check="traffic.server-errors", severity=Severity.CRITICAL, phase=Phase.TRAFFIC, title="errors"),
    ]
    return [line.split()[-2] if "more" in line else line[24:34].strip() for line in finding_lines(several, room)[1:]]


def test_a_finding_is_a_line_and_its_detail() -> None:
    assert finding_lines([finding()], 10) == [HEAD, EDGE, " " * 26 + "search to pricing: 20 of 60 calls failed"]


def test_causes_of_one_check_share_its_line_and_count_subjects_once() -> None:
    causes = [finding(detail="first"), finding(detail="second", subjects=("shop/search", "shop/web"))]

    assert finding_lines(causes, 10) == [HEAD, TWO, " " * 26 + "first", " " * 26 + "second"]
    assert finding_lines(causes, 3) == [HEAD, TWO, " " * 26 + "first"]


def test_phases_come_in_the_order_of_the_investigation_and_are_named_once() -> None:
    found = [
        finding(check="sync.rejected", severity=Severity.ERROR, phase=Phase.CONFIGURATION),
        finding(check="sync.stale", severity=Severity.WARNING, phase=Phase.CONFIGURATION),
        finding(severity=Severity.WARNING),
    ]

    lines = finding_lines(found, 4)

    assert [line[:24].split() for line in lines[1:]] == [
        ["traffic", "warning"],
        ["configuration", "error"],
        ["warning"],
    ]


@pytest.mark.parametrize("room", [4, 5, 6, 7, 30])
def test_room_is_kept(room: int) -> None:
    found = [finding(check=f"traffic.{number:02}") for number in range(20)]

    assert len(finding_lines(found, room)) <= room


def test_without_room_the_worst_are_shown_and_the_rest_counted() -> None:
    found = [finding(check=f"traffic.{number}", severity=Severity.INFO, title="mild") for number in range(9)]
    worst = finding(check="sync.rejected", phase=Phase.CONFIGURATION, title="worst")

    lines = finding_lines([*found, worst], 4)

    assert [line[24:30].strip() for line in lines] == ["FINDIN", "mild", "worst", "8 mo"]
    assert lines[-1] == " " * 26 + "8 more, all in --format json"


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        pytest.param(Quantity(name="share", value=0.675, unit="ratio"), "67.5%", id="ratio"),
        pytest.param(Quantity(name="open", value=3, unit="connections"), "3", id="unit-too-long"),
        pytest.param(Quantity(name="lines", value=141, unit="lines"), "141 lines", id="unit"),
        pytest.param(Quantity(name="slope", value=3.6e9, unit="bytes/h"), "3.4 GiB/h", id="bytes"),
        pytest.param(Quantity(name="not_after", value="2026-01-01T00:00:00Z", unit="UTC"), "2026-01-01", id="instant"),
        pytest.param(Quantity(name="reason", value="a long sentence about it"), "", id="sentence"),
        pytest.param(Quantity(name="state", value="WARMING"), "WARMING", id="word"),
        pytest.param(Quantity(name="count", value=41200), "41,200", id="thousands"),
        pytest.param(Quantity(name="count", value=None), "", id="unknown"),
    ],
)
def test_observed(quantity: Quantity, said: str) -> None:
    line = finding_lines([finding(observed=quantity, threshold=None)], 3)[1]

    assert line[79:91].strip() == said


def test_numbers_keep_their_columns_apart() -> None:
    wide = finding(
        observed=Quantity(name="denied", value=218, unit="requests"),
        threshold=Quantity(name="access.denied", value=20, unit="requests"),
    )

    assert finding_lines([wide], 3)[1].endswith(f"{1:>8}{218:>12}{20:>9}")
