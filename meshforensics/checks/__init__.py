"""Checks: one module a family; each reads tables and returns the offending rows."""

from functools import cache

from meshforensics.checks._declare import FAMILIES, Check, check
from meshforensics.checks._run import Context, Outcome, mute, run
from meshforensics.model import gather

__all__ = ["FAMILIES", "Check", "Context", "Outcome", "check", "declared_checks", "mute", "run"]


@cache
def declared_checks() -> dict[str, Check]:
    """Every check that a module of this room declares, by id."""
    import meshforensics.checks as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Check)
