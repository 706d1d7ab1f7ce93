"""What a check is: a function from tables to offending rows, and how rows become findings."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from meshforensics.model import DeclarationError, Phase, Plane, Severity

Rows = Callable[..., pd.DataFrame]

FAMILIES = (
    "proxies",
    "control-plane",
    "traffic",
    "routing",
    "sync",
    "certificates",
    "access",
    "signatures",
    "metrics",
    "drift",
)
"""The first part of every check's id."""

CONTEXT = ("at", "window", "profile")
"""Parameters of a check that are not tables."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing that a check reads: a table as of the instant, a table over time, or context."""

    name: str
    required: bool

    @property
    def table(self) -> str:
        """The table's name; empty for context."""
        return "" if self.name in CONTEXT else self.name.removesuffix("_over_time")

    @property
    def over_time(self) -> bool:
        """Whether all samples are asked for."""
        return self.name.endswith("_over_time")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A declared check. Its declaration is its page: docs and `meshforensics checks` print it."""

    id: str
    phase: Phase
    plane: Plane
    severity: Severity | None
    threshold: str
    by: tuple[str, ...]
    subject: str
    observed: str
    unit: str
    detail: str
    title: str
    remediation: str
    source: str
    rows: Rows

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the check reads, from the names of its function's parameters."""
        return tuple(
            Parameter(name=name, required=parameter.default is inspect.Parameter.empty)
            for name, parameter in inspect.signature(self.rows).parameters.items()
        )


def check(
    id: str,  # noqa: A002 - the field's name
    *,
    phase: str,
    plane: str,
    title: str,
    detail: str,
    by: Sequence[str],
    source: str,
    remediation: str,
    severity: str = "",
    threshold: str = "",
    subject: str = "",
    observed: str = "",
    unit: str = "",
) -> Callable[[Rows], Check]:
    """Declare the decorated function as a check.

    The function names what it reads as parameters (a table, ``<table>_over_time``, ``at``, ``window``,
    ``profile``; one with a default is optional) and returns the offending rows. A returned row may carry
    ``evidence`` (a tuple of ``(item, pointer)``) where it stands for many rows; else its own ``item`` and
    ``pointer`` are the evidence. ``at`` in a row is when it happened.

    Args:
        id: ``family.trouble``.
        by: columns that name the cause; rows with the same cause are one finding with many subjects.
        severity: fixed; or give `threshold`, a profile entry that `observed` is judged by.
        subject: column or ``{column}`` template of the subject; by default ``namespace/pod`` or ``object``.
        observed: column of the observed value, in `unit`.
        detail: one sentence, a template over the columns of the worst row (by what was observed, else the first by
            subject), its ``{subject}`` and the ``{count}`` of all subjects.
    """
    family = id.split(".", maxsplit=1)[0]
    if family not in FAMILIES or id.count(".") != 1:
        raise DeclarationError(f"check {id!r}: an id is family.trouble, with a family of {', '.join(FAMILIES)}")
    if bool(severity) == bool(threshold):
        raise DeclarationError(f"check {id}: give `severity` or `threshold`, one of them")
    if threshold and not observed:
        raise DeclarationError(f"check {id}: a threshold needs the `observed` column that it judges")

    def declare(rows: Rows) -> Check:
        return Check(
            id=id,
            phase=Phase(phase),
            plane=Plane(plane),
            severity=Severity(severity) if severity else None,
            threshold=threshold,
            by=tuple(by),
            subject=subject,
            observed=observed,
            unit=unit,
            detail=detail,
            title=title,
            remediation=remediation,
            source=source,
            rows=rows,
        )

    return declare
