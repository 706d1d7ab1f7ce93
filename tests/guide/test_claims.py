"""What the guide claims: every line once, each with what does the right thing here."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from meshforensics.alerts import alerts
from meshforensics.checks import declared_checks
from meshforensics.cli import cli
from meshforensics.guide import Claim, claims, declared_topics
from meshforensics.incidents import declared_incidents
from meshforensics.recovery import declared_steps
from meshforensics.tables import declared_tables

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
KNOWN = {
    "check": set(declared_checks()),
    "incident": set(declared_incidents()),
    "guide": set(declared_topics()),
    "recover": set(declared_steps()),
    "table": set(declared_tables()),
    "command": set(cli.commands),
    "alert": set(alerts()),
    "docs": {path.stem for path in DOCS.glob("*.md")},
}
each_claim = pytest.mark.parametrize("claim", claims().values(), ids=lambda each: each.number)


def test_numbers_are_without_a_gap() -> None:
    numbers = [tuple(map(int, number.split("."))) for number in claims()]

    assert numbers == sorted(numbers)
    for section, group in groupby(numbers, key=lambda number: number[0]):
        assert [number for _, number in group] == list(range(1, sum(each[0] == section for each in numbers) + 1))
    assert {section for section, _ in numbers} == set(range(14))


@each_claim
def test_a_claim_is_whole_and_names_what_is_there(claim: Claim) -> None:
    assert claim.says.endswith(".")
    assert claim.right.endswith(".")
    assert claim.place
    assert claim.see
    for each in claim.see:
        kind, _, name = each.partition(":")
        assert name in KNOWN[kind], f"{claim.number} names {each}"


@each_claim
def test_a_claim_that_points_at_another_one_points_at_one_that_is_there(claim: Claim) -> None:
    assert [number for number in re.findall(r"See (\d+\.\d+)", claim.right) if number not in claims()] == []


def test_what_is_wrong_or_invented_says_where_it_is_read_or_what_does_it_right() -> None:
    silent = [each.number for each in claims().values() if each.verdict == "invented" and not (each.source or each.see)]

    assert silent == []


def test_every_topic_is_named_by_a_claim() -> None:
    named = {each.partition(":")[2] for claim in claims().values() for each in claim.see if each.startswith("guide:")}

    assert set(declared_topics()) - named == set()
