"""Calls by edge: each counted once, told in words."""

import pandas as pd

from meshforensics.checks._edges import commonest, edges, has_flag, together
from meshforensics.model import Window
from meshforensics.tables import inside
from tests.checks.calls import HOST, NOON, calls_of


def test_an_edge_has_its_counts_and_ways() -> None:
    calls = pd.concat([calls_of(2, 3), calls_of(1, 1, flags=("UO",), details="x{why}")], ignore_index=True)

    (row,) = edges(calls, calls["failed"].astype(bool)).to_dict("records")

    assert (row["caller"], row["host"], row["total"], row["failed_calls"], row["share"]) == (
        "shop/web",
        HOST,
        4,
        3,
        0.75,
    )
    assert row["ways"] == "503 UF: 2, 503 UO x: 1"
    assert len(row["evidence"]) == 3


def test_no_calls_have_no_edges() -> None:
    none = calls_of(0, 3)

    assert edges(none, none["failed"].astype(bool)).empty
    assert edges(none.iloc[:0], none["failed"].iloc[:0].astype(bool)).empty


def test_flags_and_window() -> None:
    calls = calls_of(1, 2, flags=("UF", "URX"))
    window = Window(start=(NOON - pd.Timedelta(minutes=1)).to_pydatetime(), end=NOON.to_pydatetime())

    assert list(has_flag(calls, "URX", "UT")) == [True, False]
    assert len(inside(calls, window)) == 2
    assert len(inside(calls_of(1, 2, ago_s=61), window)) == 0


def test_of_two_that_are_as_common_the_first_by_name_is_said() -> None:
    assert commonest(pd.Series(["b", "a"])) == "a"


def test_what_several_callers_lose_is_told_together_and_each_has_its_own_begin() -> None:
    worst = calls_of(30, 40, ago_s=60)
    first = calls_of(2, 100, ago_s=90).assign(caller="shop/cart")
    calls = pd.concat([worst, first], ignore_index=True)

    found = together(edges(calls, calls["failed"]), "host")

    assert found["together"].tolist() == ["; all 2 callers together: 32 of 140"] * 2
    assert found["began"].tolist() == [NOON - pd.Timedelta(seconds=90), NOON - pd.Timedelta(seconds=60)]
    assert together(edges(worst, worst["failed"]), "host")["together"].tolist() == [""]
    assert together(edges(worst.iloc[:0], worst["failed"].iloc[:0]), "host").empty
