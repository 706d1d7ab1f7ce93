"""Incidents: one module each; evidence for, against and missing becomes a ranked hypothesis."""

from dataclasses import replace
from functools import cache

from meshforensics.incidents._declare import Case, Incident, Judgement, Test, incident, judge, standing
from meshforensics.model import Hypothesis, gather

HEALTHY = "healthy"

__all__ = [
    "Case",
    "Incident",
    "Judgement",
    "Test",
    "declared_incidents",
    "incident",
    "judge",
    "judge_all",
    "standing",
]


@cache
def declared_incidents() -> dict[str, Incident]:
    """Every incident that a module of this room declares, by id."""
    import meshforensics.incidents as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Incident)


def judge_all(case: Case) -> tuple[Hypothesis, ...]:
    """Every hypothesis about `case`, best first; `healthy` is judged last, on what the others say."""
    declared = declared_incidents()
    others = tuple(judge(each, case) for name, each in declared.items() if name != HEALTHY)
    healthy = judge(declared[HEALTHY], replace(case, others=others))
    return tuple(sorted((*others, healthy), key=lambda hypothesis: hypothesis.sort_key))
