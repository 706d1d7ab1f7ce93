"""The helpers that tests of checks and tables use, ours and others'."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from meshforensics.checks import check
from meshforensics.model import NotTheFormError, UnknownNameError
from meshforensics.tables import Column, Reading, Row, Table
from meshforensics.testing import ITEM, frame, outcome, rows_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@check(
    "drift.example",
    phase="configuration",
    plane="state",
    severity="error",
    by=["kind"],
    observed="size",
    title="Too big",
    detail="{kind} has {size}",
    remediation="Make it smaller.",
    source="here",
)
def too_big(config: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """Rows above one; `at` only has to be known."""
    return config[config["size"] > at.day]


def _rows(reading: Reading) -> list[Row]:
    return [(f"L{number}", weight) for number, weight in enumerate(reading.decoded(_decode), start=1)]


def _decode(payload: bytes) -> list[int]:
    if not payload.isdigit():
        raise NotTheFormError("these are no digits")
    return [int(chr(digit)) for digit in payload]


PARCELS = Table(
    id="parcels",
    about="What was sent.",
    of="pod",
    columns=(Column("weight", "Int64", about="How heavy."),),
    reads={"unknown": _rows},
)


def test_frame_fills_in_item_and_pointer() -> None:
    made = frame(kind=["a", "b"], size=[1, 2])

    assert list(made.itertuples(index=False, name=None)) == [("a", 1, ITEM, "/0"), ("b", 2, ITEM, "/1")]


def test_frame_of_a_table_has_all_of_its_columns() -> None:
    made = frame("memory", allocated=[5])

    assert (made["allocated"].dtype, made.loc[0, "allocated"]) == (pd.Int64Dtype(), 5)
    assert made["heap_size"].isna().all()


def test_frame_of_an_unknown_table_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no table 'nope'"):
        frame("nope")


def test_outcome_is_findings_with_places() -> None:
    said = outcome(too_big, at=NOON, config=frame(kind=["a", "b"], size=[1, 2]))

    assert [(each.detail, each.evidence[0].pointer) for each in said.findings] == [("b has 2", "/1")]
    assert said.not_evaluated is None


def test_outcome_without_a_table_says_why_not() -> None:
    assert outcome(too_big, at=NOON).not_evaluated == "not captured: config"


def test_outcome_without_a_time_says_why_not() -> None:
    said = outcome(too_big, config=frame(kind=["a"], size=[2]))

    assert said.not_evaluated == "capture time unknown, give --at"


def test_outcome_refuses_a_frame_that_the_check_does_not_read() -> None:
    with pytest.raises(UnknownNameError, match="no parameter 'pods'; there are: at, config"):
        outcome(too_big, at=NOON, pods=frame(kind=["a"]))


def test_rows_of_are_whole_rows() -> None:
    rows = rows_of(PARCELS, b"42", kind="unknown", captured_at=NOON)

    assert rows == [
        ("shop", "web-1", NOON, 4, "unknown:shop/web-1@2026-01-01T12:00:00Z", "L1"),
        ("shop", "web-1", NOON, 2, "unknown:shop/web-1@2026-01-01T12:00:00Z", "L2"),
    ]


def test_rows_of_what_is_refused_is_the_error() -> None:
    with pytest.raises(NotTheFormError, match="these are no digits"):
        rows_of(PARCELS, b"x", kind="unknown")
