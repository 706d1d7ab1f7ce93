"""What the report needs of an investigation: a protocol, so that this room depends on no other above it."""

from datetime import datetime
from typing import Protocol

import pandas as pd

from meshforensics import incidents
from meshforensics.formats.place import Excerpt
from meshforensics.model import (
    Evidence,
    Finding,
    Hypothesis,
    Item,
    NotEvaluated,
    Standing,
    UnknownNameError,
    Window,
)
from meshforensics.profile import Profile

VERDICT = ("", "auto")
"""Values of a notebook's parameter `incident` that mean the best hypothesis."""

HEALTHY = "healthy"


class Bag(Protocol):
    """What the report needs of a bundle."""

    @property
    def id(self) -> str:
        """Hash of the evidence."""

    @property
    def at(self) -> datetime | None:
        """End of the capture."""

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """Begin and end of the capture."""

    @property
    def mesh(self) -> str:
        """Name of the mesh."""

    @property
    def tool(self) -> str:
        """What wrote the bundle."""

    @property
    def layout(self) -> str:
        """Layout that the evidence came in."""

    @property
    def url(self) -> str:
        """Where it lies."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item, sorted."""


class Case(Protocol):
    """One bundle as of one instant: what ``mf.open`` returns."""

    @property
    def bundle(self) -> Bag:
        """The evidence."""

    @property
    def at(self) -> datetime | None:
        """The instant of every verdict."""

    @property
    def window(self) -> Window | None:
        """The span that rates are judged over."""

    @property
    def profile(self) -> Profile:
        """The thresholds."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks found, worst first."""

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """The checks that could not run."""

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Every incident with its standing, best first."""

    @property
    def not_captured(self) -> tuple[Item, ...]:
        """The items that are not (wholly) there."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""

    def over_time(self, name: str) -> pd.DataFrame:
        """All samples of a table."""

    def reason(self, name: str, *, over_time: bool = False) -> str:
        """Why a table says nothing; empty when it says something."""

    def evidence(self, of: Finding | Evidence) -> tuple[Excerpt, ...]:
        """The captured bytes that a finding points at."""

    def evidence_at(self, item: str, pointer: str) -> Evidence:
        """The evidence at one place of one item."""


def focus(case: Case, incident: str = "") -> Hypothesis:
    """The hypothesis that a report is about: the best one, or the one asked for.

    Raises:
        UnknownNameError: no incident has that id.
    """
    if incident in VERDICT:
        return case.hypotheses[0]
    for hypothesis in case.hypotheses:
        if hypothesis.incident == incident:
            return hypothesis
    raise UnknownNameError("incident", incident, [each.incident for each in case.hypotheses])


def asked(case: Case) -> incidents.Case:
    """The case in the form that analyses take it."""
    return incidents.Case(
        source=case,
        profile=case.profile,
        at=case.at,
        window=case.window,
        findings=case.findings,
        not_evaluated={each.check: each.reason for each in case.not_evaluated},
        others=case.hypotheses,
    )


def decided(hypothesis: Hypothesis) -> bool:
    """Whether the hypothesis may stand as a cause."""
    return hypothesis.status in {Standing.SUPPORTED, Standing.POSSIBLE}
