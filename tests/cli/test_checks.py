"""Declarations of checks as text."""

import pytest

from meshforensics.checks import declared_checks
from meshforensics.cli._checks import declaration, listing
from meshforensics.model import UnknownNameError


def test_listing_is_a_line_a_check_with_its_severity() -> None:
    lines = listing().splitlines()

    assert [line.split()[0] for line in lines] == list(declared_checks())
    fixed = {each.id: each.severity.value for each in declared_checks().values() if each.severity}
    assert {name: line.split()[1] for line in lines if (name := line.split()[0]) in fixed} == fixed


def test_declaration_wraps_within_a_screen() -> None:
    widest = max(len(line) for name in declared_checks() for line in declaration(name).splitlines())

    assert widest <= 98


def test_an_unknown_check_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no check 'nope'"):
        declaration("nope")
