"""Hypotheses: an incident with what speaks for it, against it, and what is missing to tell."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meshforensics.model.clock import format_time
from meshforensics.model.finding import Evidence
from meshforensics.model.shown import facts_html, lines


class Standing(StrEnum):
    """Where a hypothesis stands, best first."""

    SUPPORTED = "supported"
    POSSIBLE = "possible"
    UNDETERMINED = "undetermined"
    REFUTED = "refuted"

    @property
    def rank(self) -> int:
        """0 for supported, 3 for refuted."""
        return list(Standing).index(self)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One reason for or against a hypothesis; `check` names the check or test that gave it."""

    text: str
    check: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Missing:
    """An item that would decide, why it is not there, and the command that gets it."""

    kind: str
    subject: str
    why: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Impact:
    """Failed requests that the hypothesis explains, out of all requests of the window to the same services."""

    failed: int
    total: int
    services: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One incident id, judged on one bundle as of one instant.

    `confidence` is the share of the incident's decisive tests that could be made and passed, 0 to 1.
    `explained` is the number of failed requests in the window that this cause explains.
    """

    incident: str
    status: Standing
    confidence: float
    for_: tuple[Ground, ...] = ()
    against: tuple[Ground, ...] = ()
    missing: tuple[Missing, ...] = ()
    subjects: tuple[str, ...] = ()
    onset: datetime | None = None
    mechanism: str = ""
    summary: str = ""
    impact: Impact | None = None
    next: str = ""
    explained: int = 0
    precedence: int = 0

    @property
    def sort_key(self) -> tuple[int, int, float, int, str]:
        """Status, then failing requests explained, then confidence, then precedence, then id."""
        return (self.status.rank, -self.explained, -self.confidence, -self.precedence, self.incident)

    def _repr_html_(self) -> str:
        impact = self.impact
        facts = (
            ("summary", self.summary),
            ("failed", f"{impact.failed:,} of {impact.total:,} calls" if impact else ""),
            ("since", format_time(self.onset) or ""),
            ("subjects", lines(self.subjects)),
            ("for", lines(ground.text for ground in self.for_)),
            ("against", lines(ground.text for ground in self.against)),
            ("not captured", lines(f"{each.kind} of {each.subject}: {each.why}" for each in self.missing)),
            ("next", self.next),
        )
        return facts_html(f"{self.incident}: {self.status}, confidence {self.confidence:.2f}", facts)
