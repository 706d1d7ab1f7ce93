"""Hypotheses rank by standing, then by what they explain, then by confidence."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meshforensics.model import Hypothesis, Standing


def hypothesis(**changes: Any) -> Hypothesis:
    """A hypothesis with some parts changed."""
    parts: dict[str, Any] = {"incident": "ca-rotation", "status": Standing.SUPPORTED, "confidence": 0.5}
    return Hypothesis(**{**parts, **changes})


def test_the_order_of_hypotheses() -> None:
    wanted = [
        hypothesis(explained=9, confidence=0.1),
        hypothesis(explained=1, confidence=0.9),
        hypothesis(explained=1, confidence=0.5, precedence=2),
        hypothesis(explained=1, confidence=0.5, incident="a"),
        hypothesis(explained=1, confidence=0.5, incident="b"),
        hypothesis(status=Standing.POSSIBLE, explained=99, confidence=1.0),
        hypothesis(status=Standing.UNDETERMINED, confidence=1.0),
        hypothesis(status=Standing.REFUTED, confidence=1.0),
    ]

    mixed = [wanted[number] for number in (5, 2, 7, 0, 4, 6, 1, 3)]

    assert sorted(mixed, key=lambda each: each.sort_key) == wanted


@given(st.lists(st.builds(hypothesis, status=st.sampled_from(Standing), explained=st.integers(0, 99)), max_size=8))
def test_what_is_supported_stands_before_what_is_not(many: list[Hypothesis]) -> None:
    ranks = [each.status.rank for each in sorted(many, key=lambda one: one.sort_key)]

    assert ranks == sorted(ranks)
