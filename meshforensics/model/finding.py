"""Findings: what a check saw, with the bytes that show it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meshforensics.model.clock import format_time
from meshforensics.model.errors import DeclarationError
from meshforensics.model.shown import facts_html, lines
from meshforensics.model.words import unit_of


class Severity(StrEnum):
    """How far past its threshold a finding is."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, 3 for info: sorts the worst first."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Phase(StrEnum):
    """The phases of the debugging guide, in the order in which they are read."""

    PROXY_HEALTH = "proxy-health"
    CONTROL_PLANE = "control-plane"
    TRAFFIC = "traffic"
    CONFIGURATION = "configuration"
    CERTIFICATES = "certificates"
    ACCESS_CONTROL = "access-control"


class Plane(StrEnum):
    """The four planes of a mesh."""

    EDGE = "edge"
    SERVICE = "service"
    STATE = "state"
    CONTROL = "control"

    @property
    def colour(self) -> str:
        """The colour of the plane, as ``#rrggbb``; it means the plane and nothing else."""
        return {"edge": "#0066CC", "service": "#00AA00", "state": "#FF8800", "control": "#CC0000"}[self.value]


@dataclass(frozen=True, kw_only=True, order=True)
class Evidence:
    """One place in one item.

    `pointer` is RFC 6901 for JSON and YAML (``#doc2`` before it for multi-document files), ``L120`` or
    ``L120-L124`` for text, ``#pem2`` after it for the nth PEM block; empty means the whole item.
    """

    item: str
    sha256: str
    pointer: str
    excerpt: str = ""

    def __str__(self) -> str:
        """Item and place."""
        return f"{self.item} {self.pointer or 'whole item'}"

    def _repr_html_(self) -> str:
        return facts_html(str(self), (("SHA-256", self.sha256), ("excerpt", self.excerpt)))


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A named number (or instant, or text) with its unit: what was observed, or what the limit is."""

    name: str
    value: float | int | str | None
    unit: str = ""

    def __str__(self) -> str:
        """Name, value and unit."""
        return (
            f"{self.name} {'unknown' if self.value is None else self.value} {unit_of(self.value, self.unit)}".rstrip()
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One cause, however many subjects show it."""

    check: str
    severity: Severity
    phase: Phase
    plane: Plane
    title: str
    detail: str
    subjects: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    evidence_total: int
    observed: Quantity | None = None
    threshold: Quantity | None = None
    at: datetime | None = None
    remediation: str = ""
    source: str = ""
    muted: str = ""

    def __post_init__(self) -> None:
        """Refuse a finding that points at nothing."""
        if not self.evidence:
            raise DeclarationError(f"{self.check} found something and shows nothing")

    @property
    def sort_key(self) -> tuple[int, str, tuple[str, ...], str]:
        """Worst first, then by check, then by first subject."""
        return (self.severity.rank, self.check, self.subjects, self.detail)

    def _repr_html_(self) -> str:
        facts = (
            ("check", self.check),
            ("detail", self.detail),
            ("subjects", lines(self.subjects)),
            ("observed", str(self.observed) if self.observed else ""),
            ("threshold", str(self.threshold) if self.threshold else ""),
            ("since", format_time(self.at) or ""),
            ("evidence", lines(map(str, self.evidence), 5) + f"\n{self.evidence_total:,} in all"),
            ("remedy", self.remediation),
            ("source", self.source),
            ("muted", self.muted),
        )
        return facts_html(f"{self.severity}: {self.title}", facts)


@dataclass(frozen=True, kw_only=True)
class NotEvaluated:
    """A check that could not run, and why."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """The span of time that rates and shares are judged over; both ends aware and in UTC."""

    start: datetime
    end: datetime
