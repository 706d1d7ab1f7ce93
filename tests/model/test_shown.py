"""What a notebook shows of plain data."""

from dataclasses import replace
from typing import Any

import pytest

from meshforensics.formats.place import excerpt
from meshforensics.model import Listing, facts_html
from meshforensics.model.shown import MOST
from tests.report.stand_in import LINES, finding, hypothesis

ATTACK = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(finding(title=ATTACK, detail=ATTACK, subjects=(ATTACK,)), id="finding"),
        pytest.param(hypothesis(summary=ATTACK, next=ATTACK), id="hypothesis"),
        pytest.param(replace(LINES, excerpt=ATTACK, item=ATTACK), id="evidence"),
        pytest.param(excerpt(f"one\n{ATTACK}\nthree\n".encode(), "L2"), id="excerpt"),
    ],
)
def test_captured_text_is_shown_as_text(shown: Any) -> None:
    page = shown._repr_html_()

    assert ATTACK not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_finding_shows_what_it_rests_on() -> None:
    page = finding()._repr_html_()

    for fact in ("critical: Calls fail on an edge", "shop/search", "share 0.333 ratio", LINES.item, "20 in all"):
        assert fact in page


def test_a_hypothesis_shows_its_grounds_and_what_is_missing() -> None:
    page = hypothesis()._repr_html_()

    for fact in ("ca-rotation: supported, confidence 0.97", "2 sets of roots share none", "20 of 60 calls",
                 "envoy.memory of shop/seats-1: timeout"):  # fmt: skip
        assert fact in page


def test_an_excerpt_marks_its_place() -> None:
    page = excerpt(b"one\ntwo\nthree\n", "L2")._repr_html_()

    assert "<mark>two" in page
    assert "L2, from line 2" in page


def test_a_listing_is_a_tuple_that_shows_its_members() -> None:
    many = Listing([finding()] * (MOST + 3))

    assert many == (finding(),) * (MOST + 3)
    assert many._repr_html_().count("<table>") == MOST
    assert many._repr_html_().endswith("<p>and 3 more</p>")
    assert Listing[Any]()._repr_html_() == "<p>none</p>"


def test_facts_without_value_are_left_out() -> None:
    assert "muted" not in facts_html("head", [("muted", "")])
