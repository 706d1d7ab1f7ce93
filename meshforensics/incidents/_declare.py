"""What an incident is: a hypothesis with decisive tests, judged by one rule for all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Literal, Protocol, TypeVar, cast

import pandas as pd

from meshforensics.model import (
    Evidence,
    Finding,
    Ground,
    Hypothesis,
    Impact,
    Missing,
    Standing,
    Window,
)
from meshforensics.profile import Profile

Proxy = tuple[str, ...]
"""Namespace and pod."""


class Source(Protocol):
    """Where a case's tables and evidence come from."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""

    def over_time(self, name: str) -> pd.DataFrame:
        """All samples of a table."""

    def reason(self, name: str, *, over_time: bool = False) -> str:
        """Why a table says nothing; empty when it says something."""

    def evidence_at(self, item: str, pointer: str) -> Evidence:
        """The evidence at one place."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What an incident is judged on: the tables and findings of one bundle, as of one instant.

    Attributes:
        at: the instant; None where the capture time is unknown, and then `window` is None too.
        not_evaluated: checks that could not run, with the reason.
        others: the hypotheses already judged; only `healthy`, which is judged last, is given them.
        asked: what `once` keeps.
    """

    source: Source
    profile: Profile
    at: datetime | None
    window: Window | None
    findings: tuple[Finding, ...] = ()
    not_evaluated: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Hypothesis, ...] = ()
    asked: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def found(self, *checks: str) -> tuple[Finding, ...]:
        """The findings of these checks, muted ones left out."""
        return tuple(each for each in self.findings if each.check in checks and not each.muted)


T = TypeVar("T")


def once(ask: Callable[[Case], T]) -> Callable[[Case], T]:
    """Ask it once a case, however many incidents want to know; the answer is not to be changed."""

    @wraps(ask)
    def kept(case: Case) -> T:
        if ask not in case.asked:
            case.asked[ask] = ask(case)
        return cast("T", case.asked[ask])

    return kept


@dataclass(frozen=True, kw_only=True)
class Test:
    """One decisive test of a hypothesis.

    Attributes:
        role: ``"necessary"``: must pass for support, and refutes when it fails. ``"confirms"``: must pass for
            support, and leaves the hypothesis possible when it fails. ``"refutes"``: overturns the
            hypothesis when it passes.
        passed: None when the evidence to tell was not captured, or not of every proxy.
        thin: passed, on too little evidence to support.
        text: one sentence that says what was seen, in numbers.
    """

    name: str
    role: Literal["necessary", "confirms", "refutes"]
    passed: bool | None
    text: str
    thin: bool = False
    check: str = ""
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an incident's function returns: its tests, and what it says if they hold."""

    tests: tuple[Test, ...]
    subjects: tuple[str, ...] = ()
    onset: datetime | None = None
    mechanism: str = ""
    summary: str = ""
    next: str = ""
    impact: Impact | None = None
    explained: int = 0


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A declared incident id.

    Attributes:
        precedence: where two hypotheses explain the same failures equally well, the higher one is the
            cause and the other its consequence.
        notebook: file name of the notebook that explains it; empty for the general report.
    """

    id: str
    about: str
    precedence: int
    notebook: str
    judge: Callable[[Case], Judgement]


def incident(
    id: str,  # noqa: A002 - the field's name
    *,
    about: str,
    precedence: int = 0,
    notebook: str = "",
) -> Callable[[Callable[[Case], Judgement]], Incident]:
    """Declare the decorated function as the judge of incident `id`."""

    def declare(judge: Callable[[Case], Judgement]) -> Incident:
        return Incident(id=id, about=about, precedence=precedence, notebook=notebook, judge=judge)

    return declare


def standing(tests: tuple[Test, ...]) -> Standing:
    """Where a hypothesis stands by its tests: the one rule for all incidents.

    Refuted when something refutes it or something necessary is not so; supported when everything
    necessary and confirming was seen on enough evidence; possible when part of it was; else undetermined.
    """
    necessary = [test for test in tests if test.role == "necessary"]
    wanted = [test for test in tests if test.role != "refutes"]
    if any(test.role == "refutes" and test.passed for test in tests):
        return Standing.REFUTED
    if any(test.passed is False for test in necessary):
        return Standing.REFUTED
    if wanted and all(test.passed and not test.thin for test in wanted):
        return Standing.SUPPORTED
    if any(test.passed for test in wanted):
        return Standing.POSSIBLE
    return Standing.UNDETERMINED


def judge(declared: Incident, case: Case) -> Hypothesis:
    """The hypothesis that `declared` makes of `case`."""
    said = declared.judge(case)
    status = standing(said.tests)
    held = [test for test in said.tests if _speaks_for(test)]
    return Hypothesis(
        incident=declared.id,
        status=status,
        confidence=round(len(held) / len(said.tests), 2) if said.tests else 0.0,
        for_=tuple(_ground(test) for test in held),
        against=tuple(_ground(test) for test in said.tests if _speaks_against(test)),
        missing=tuple(dict.fromkeys(each for test in said.tests for each in test.missing)),
        subjects=said.subjects,
        onset=said.onset,
        mechanism=said.mechanism,
        summary=said.summary,
        impact=said.impact,
        next=said.next,
        explained=said.explained if status in {Standing.SUPPORTED, Standing.POSSIBLE} else 0,
        precedence=declared.precedence,
    )


def _speaks_for(test: Test) -> bool:
    return test.passed is (test.role != "refutes")


def _speaks_against(test: Test) -> bool:
    return test.passed is (test.role == "refutes")


def _ground(test: Test) -> Ground:
    return Ground(text=test.text, check=test.check or test.name, evidence=test.evidence)
