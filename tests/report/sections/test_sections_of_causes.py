"""Sections of the notebooks of causes: with nothing captured, on the case made by hand, and on text that is markup."""

from collections.abc import Callable
from typing import Any

import pytest

from meshforensics.model import Standing, UnknownNameError
from meshforensics.report import sections
from tests.report.sections.test_sections import said
from tests.report.stand_in import StandIn, StandInBag, case, hypothesis

ALL: list[Callable[[Any], sections.Section]] = [
    sections.memory_measures, sections.memory_rules, sections.memory_drivers, sections.memory_groups,
    sections.memory_pools, sections.memory_limit, sections.memory_onset, sections.memory_remedies,
    sections.versions, sections.configuration_changes, sections.lost_routes, sections.refused_updates,
    sections.errors_by_route, sections.blast_radius, sections.first_push, sections.rollback,
    sections.trust_over_time, sections.root_holders, sections.failing_pairs, sections.missing_overlap,
    sections.blocked_calls, sections.who_recovers, sections.safe_rotation, sections.would_have_warned,
    sections.postmortem_summary, sections.postmortem_impact, sections.postmortem_cause,
    sections.contributing_factors, sections.detection, sections.actions,
]  # fmt: skip


@pytest.fixture(scope="module")
def bare() -> StandIn:
    """A bundle of nothing, of which nobody knows when it was captured."""
    undecided = hypothesis(status=Standing.UNDETERMINED, for_=(), impact=None, onset=None, subjects=(), summary="")
    leak = hypothesis(incident="memory-leak", status=Standing.UNDETERMINED, for_=(), impact=None, onset=None)
    nowhere = StandInBag(at=None, window=(None, None))
    return StandIn(bundle=nowhere, at=None, window=None, hypotheses=(undecided, leak))


@pytest.mark.parametrize("show", ALL, ids=lambda show: show.__name__)
def test_with_nothing_captured_it_still_speaks(show: Callable[[Any], sections.Section], bare: StandIn) -> None:
    lines = said(show(bare))

    assert lines[0].startswith("## ")
    assert [line for line in lines if "NaT" in line or "nan" in line or "None" in line] == []


@pytest.mark.parametrize(
    ("show", "title"),
    [
        (
            sections.errors_by_route,
            "## Errors: 0 of 20 calls that fail at their source come from a change that was captured",
        ),
        (sections.blast_radius, "## Blast radius: 40 of 180 (22.2 %) calls fail, to 2 of 3 services called"),
        (sections.blocked_calls, "## Blocked calls: 20 of 180 (11.1 %) calls fail in TLS"),
        (sections.postmortem_impact, "## Duration: calls fail for at least 19.0 s, 40 of 180 (22.2 %)"),
        (sections.postmortem_cause, "## Cause: ca-rotation"),
        (sections.rollback, "## Rollback: no small one can be named"),
    ],
)
def test_a_title_is_the_finding(show: Callable[[Any], sections.Section], title: str) -> None:
    assert said(show(case()))[0] == title


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (Standing.SUPPORTED, "## The question: ca-rotation is supported"),
        (Standing.POSSIBLE, "## The question: ca-rotation is possible, and not supported"),
        (Standing.REFUTED, "## The question: ca-rotation is not supported, it is refuted"),
        (Standing.UNDETERMINED, "## The question: ca-rotation is not supported, what was captured does not tell"),
    ],
)
def test_the_question_is_answered(status: Standing, title: str) -> None:
    shown = sections.standing(case(hypotheses=(hypothesis(status=status),)), "ca-rotation")

    assert said(shown)[0] == title
    assert ("### What keeps it from being supported" in said(shown)) == (status is not Standing.SUPPORTED)


def test_captured_markup_is_text() -> None:
    attack = "<script>alert(1)</script>"
    told = case(hypotheses=(hypothesis(summary=attack, subjects=(attack,), next=attack, mechanism=attack),))

    for show in (sections.postmortem_cause, sections.actions, sections.postmortem_summary):
        assert "<script>" not in show(told)._repr_html_()


def test_what_only_people_know_is_marked() -> None:
    for show in (sections.postmortem_summary, sections.detection, sections.actions):
        assert [line for line in said(show(case())) if "**to fill in**" in line] != []


@pytest.mark.parametrize("of", ["lyft-2019", "booking-2020", "shopify-2021"])
def test_a_story_says_that_its_figures_have_no_source(of: str) -> None:
    assert "no public source found" in " ".join(said(sections.story(of)))


def test_an_unknown_story_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="nosuch"):
        sections.story("nosuch")
