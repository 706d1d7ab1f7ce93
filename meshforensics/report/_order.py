"""The order of findings for a reader: what the hypothesis rests on comes first, then the rest, each worst first."""

from collections.abc import Iterable

from meshforensics.model import Finding, Ground, Hypothesis
from meshforensics.report._case import decided


def ordered(findings: Iterable[Finding], best: Hypothesis) -> tuple[Finding, ...]:
    """The findings that `best` rests on, then the others; both in the order given, which is worst first."""
    return tuple(sorted(findings, key=lambda finding: not rests_on(best, finding)))


def rests_on(best: Hypothesis, finding: Finding) -> bool:
    """Whether `best` may stand as a cause and one of its grounds shows a place that the finding shows."""
    return decided(best) and any(shows_same(ground, finding) for ground in best.for_)


def shows_same(ground: Ground, finding: Finding) -> bool:
    """Whether a ground and a finding point at the same captured place."""
    places = {(evidence.item, evidence.pointer) for evidence in finding.evidence}
    return any((evidence.item, evidence.pointer) in places for evidence in ground.evidence)
