"""The runner: rows with one cause are one finding, and its evidence tells of all of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from meshforensics.checks import Check, check, mute
from meshforensics.model import MeshForensicsError, Severity
from meshforensics.profile import Mute, load_profile
from meshforensics.testing import frame, outcome
from tests.report.stand_in import finding

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _declared(**changes: str) -> Check:
    said = {"severity": "error", "detail": "{kind} since {at} on {count}, {subject} first", **changes}

    @check(
        "drift.example",
        phase="configuration",
        plane="state",
        by=["kind"],
        subject="who",
        title="Example",
        remediation="None.",
        source="here",
        **said,
    )
    def example(config: pd.DataFrame) -> pd.DataFrame:
        return config

    return example


def _rows(*rows: tuple[str, str, int | None]) -> pd.DataFrame:
    kinds, who, ago = zip(*rows, strict=True)
    at = [NOON - timedelta(seconds=each) if each is not None else None for each in ago]
    return frame(kind=list(kinds), who=list(who), at=at)


def test_rows_of_one_cause_are_one_finding_dated_by_the_earliest() -> None:
    said = outcome(_declared(), config=_rows(("a", "x", 5), ("a", "y", 9), ("b", "z", None)))

    assert [(each.subjects, each.at, each.evidence_total) for each in said.findings] == [
        (("x", "y"), NOON - timedelta(seconds=9), 2),
        (("z",), None, 1),
    ]
    assert said.findings[0].detail == "a since 2026-01-01T11:59:51Z on 2, x first"


@pytest.mark.parametrize(("value", "said"), [(3 * 0.2, "0.6"), (2.0, "2"), (0.1234567, "0.123457"), (1e300, "1e+300")])
def test_numbers_are_said_as_they_are_read(value: float, said: str) -> None:
    rows = frame(kind=["a"], who=["x"], value=[value])

    assert outcome(_declared(detail="{value}"), config=rows).findings[0].detail == said


def test_the_earliest_evidence_comes_first() -> None:
    said = outcome(_declared(), config=_rows(("a", "x", 5), ("a", "y", 9), ("a", "w", None)))

    assert [each.pointer for each in said.findings[0].evidence] == ["/1", "/0", "/2"]


def test_rows_with_many_places_give_theirs_in_turn() -> None:
    rows = frame(kind=["a", "a"], who=["x", "y"],
                 evidence=[(("i", "L1"), ("i", "L2"), ("i", "L3")), (("j", "L1"), ("i", "L1"))])  # fmt: skip

    said = outcome(_declared(detail="{kind}"), config=rows)

    assert [(each.item, each.pointer) for each in said.findings[0].evidence] == [
        ("i", "L1"), ("j", "L1"), ("i", "L2"), ("i", "L3"),
    ]  # fmt: skip


def test_the_level_reached_is_the_severity_and_none_is_no_finding() -> None:
    judged = _declared(severity="", threshold="traffic.overflow-share", observed="share", detail="{kind}")
    rows = frame(kind=["a", "b", "c"], who=["x", "y", "z"], share=[0.5, 0.001, 0.0])

    said = outcome(judged, config=rows)

    assert [(each.severity, each.threshold and each.threshold.value) for each in said.findings] == [
        (Severity.ERROR, 0.01),
        (Severity.WARNING, 0.0),
    ]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        pytest.param(_declared(detail="{nosuch}"), "its detail names 'nosuch'", id="detail"),
        pytest.param(
            _declared(threshold="nosuch", severity="", observed="size"), "no threshold 'nosuch'", id="threshold"
        ),
    ],
)
def test_what_nothing_declares_is_refused(declared: Check, message: str) -> None:
    with pytest.raises(MeshForensicsError, match=message):
        outcome(declared, config=frame(kind=["a"], who=["x"], size=[1.0]))


@pytest.mark.parametrize(
    ("declared", "observed", "told"),
    [
        pytest.param(_declared(observed="size", detail="{subject}: {size}"), [3.0, 90.0, 90.0], "y: 90", id="most"),
        pytest.param(
            _declared(severity="", threshold="traffic.overflow-share", observed="size", detail="{subject}: {size}"),
            [0.02, 0.005, 0.9],
            "z: 0.9",
            id="above-a-threshold",
        ),
        pytest.param(_declared(observed="who", detail="{subject}: {size}"), [3.0, 90.0, 90.0], "x: 3", id="no-number"),
    ],
)
def test_the_worst_row_is_told_under_its_own_name(declared: Check, observed: list[float], told: str) -> None:
    said = outcome(declared, config=frame(kind=["a"] * 3, who=["x", "y", "z"], size=observed))

    assert [each.detail for each in said.findings] == [told]


def test_what_is_worse_the_less_it_is_is_told_by_its_least() -> None:
    near = _declared(severity="", threshold="certificates.leaf-life-left", observed="left", detail="{subject}")

    said = outcome(near, config=frame(kind=["a"] * 2, who=["x", "y"], left=[0.04, 0.01]))

    assert [each.detail for each in said.findings] == ["y"]


def test_a_missing_table_is_the_reason() -> None:
    assert outcome(_declared()).not_evaluated == "not captured: config"


def test_known_noise_is_muted_until_it_expires() -> None:
    rule = Mute(check="traffic.*", reason="x", expires=date(2026, 1, 1))
    exact = Mute(check="traffic.server-errors", subject="shop/*", reason="load test", expires=date(2026, 1, 1))
    profile = load_profile()

    def reasons(*rules: Mute, at: datetime = NOON) -> list[str]:
        return [each.muted for each in mute((finding(),), replace(profile, muted=rules), at)]

    assert reasons(exact) == ["load test"]
    assert reasons(exact, at=NOON + timedelta(days=1)) == [""]
    assert reasons(rule) == [""]
