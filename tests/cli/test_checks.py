"""Declarations of checks as text."""

import pytest

from meshforensics.checks import declared_checks
from meshforensics.cli._checks import declaration, levels, listing
from meshforensics.model import UnknownNameError
from meshforensics.profile import load_profile

ROOT_DAYS = "certificates.root-days-left"


def test_listing_is_a_line_a_check_with_its_severity() -> None:
    lines = [line for line in listing(load_profile()).splitlines()[:-2] if not line.startswith(" ")]

    assert [line.split()[0] for line in lines] == list(declared_checks())
    fixed = {each.id: each.severity.value for each in declared_checks().values() if each.severity}
    assert {name: line.split()[1] for line in lines if (name := line.split()[0]) in fixed} == fixed


def test_declaration_wraps_within_a_screen() -> None:
    profile = load_profile()
    widest = max(len(line) for name in declared_checks() for line in declaration(name, profile).splitlines())

    assert widest <= 98


def test_an_unknown_check_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no check 'nope'"):
        declaration("nope", load_profile())


@pytest.mark.parametrize(("profile", "limit"), [("default", "error below 30"), ("guide", "critical below 30")])
def test_the_limits_are_those_of_the_profile(profile: str, limit: str) -> None:
    limits = load_profile(profile)

    listed = listing(limits).splitlines()

    below = listed[[line.split()[0] for line in listed if line].index("certificates.root-near-end") + 1]
    assert below.split(", by ") == [f"{'':<38}{levels(limits.threshold('certificates.root-days-left'))}", ROOT_DAYS]
    assert limit in below
    assert f"profile:     {profile}, SHA-256 {limits.sha256}" in declaration("certificates.root-near-end", limits)


def test_numbers_that_a_check_judges_by_are_listed_below_it_also_those_of_its_helpers() -> None:
    said = declaration("proxies.crash-loop", load_profile())

    assert "number:      crash-loop-restarts 3 restarts" in said
