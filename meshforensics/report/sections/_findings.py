"""Findings: each with the captured bytes that show it."""

from meshforensics.formats.place import Excerpt
from meshforensics.model import Evidence, Finding, Hypothesis, Severity
from meshforensics.model.words import noun
from meshforensics.report._blocks import (
    Block,
    Break,
    Code,
    Content,
    Details,
    Dim,
    Head,
    Paragraph,
    Phrase,
    PlaneName,
    Quote,
    Row,
    Strong,
    Table,
    Tag,
)
from meshforensics.report._case import Case, focus
from meshforensics.report._order import ordered, rests_on
from meshforensics.report._shown import named_places
from meshforensics.report._words import count, instant, listed, quantity
from meshforensics.report.sections._section import section

QUOTED = 3
"""Places of a finding that are quoted; the others are named."""

LONGEST = 1200
"""Characters of one quotation."""

_HEADS = (
    Head(text="No."),
    Head(text="Severity"),
    Head(text="Finding and subjects"),
    Head(text="Phase, plane"),
    Head(text="Observed"),
    Head(text="Threshold"),
)


@section
def findings(case: Case, incident: str = "") -> Content:
    """What the checks found: what the verdict rests on, then the rest, worst first; and which could not run."""
    blocks: tuple[Block, ...] = (_table(case, focus(case, incident)),) if case.findings else (_nothing(case),)
    return Content(anchor="findings", title=_title(case), blocks=(*blocks, *_not_evaluated(case)))


def _title(case: Case) -> str:
    if not case.findings:
        return f"Findings: 0; {count(len(case.not_evaluated), 'check')} not evaluated"
    levels = [(level, sum(f.severity == level for f in case.findings)) for level in Severity]
    return "Findings: " + ", ".join(f"{number} {level}" for level, number in levels if number)


def _nothing(case: Case) -> Paragraph:
    skipped = len(case.not_evaluated)
    more = f" {count(skipped, 'check')} could not run, so this does not say that nothing is wrong." if skipped else ""
    return Paragraph(text=f"No check that could run found anything.{more}")


def _table(case: Case, best: Hypothesis) -> Table:
    rows = tuple(
        _row(case, f"F{number}", finding, decides=rests_on(best, finding))
        for number, finding in enumerate(ordered(case.findings, best), start=1)
    )
    return Table(heads=_HEADS, rows=rows, find=True)


def _row(case: Case, name: str, finding: Finding, *, decides: bool) -> Row:
    muted: Phrase = (Break(), Dim(f"muted: {finding.muted}")) if finding.muted else ""
    rests: Phrase = (Break(), Dim("The verdict rests on it.")) if decides else ""
    what = (Strong(finding.title), Break(), finding.detail, Break(), Dim(_subjects(finding)), *rests, *muted)
    return Row(
        cells=(
            name,
            (Tag(finding.severity, finding.severity),),
            what,
            (str(finding.phase), Break(), PlaneName(finding.plane)),
            quantity(finding.observed),
            _limit(finding),
        ),
        under=(_evidence(case, name, finding),),
        anchor=name.lower(),
        severity=finding.severity,
        plane=finding.plane,
    )


def _subjects(finding: Finding) -> str:
    return f"{count(len(finding.subjects), 'subject')}: {listed(finding.subjects, 6)}"


def _limit(finding: Finding) -> Phrase:
    if finding.threshold is None:
        return "fixed"
    return (quantity(finding.threshold), Break(), Dim(finding.threshold.name))


def _evidence(case: Case, name: str, finding: Finding) -> Details:
    quotes = [_quote(case, evidence) for evidence in finding.evidence[:QUOTED]]
    others = finding.evidence[QUOTED:]
    more: list[Block] = []
    if others:
        kept = (
            f"{len(finding.evidence)} of {count(finding.evidence_total, 'place')} "
            f"{noun(len(finding.evidence), 'is', 'are')} kept"
        )
        more.append(Details(summary=f"{count(len(others), 'more place')}; {kept}", blocks=(named_places(others),)))
    first = f" First seen {instant(finding.at)}." if finding.at else ""
    remedy: Phrase = (Code(finding.check), f" · Remedy: {finding.remediation}{first} Source: {finding.source}")
    return Details(
        summary=f"Evidence for {name} ({count(finding.evidence_total, 'place')}) and remedy",
        blocks=(*quotes, *more, Paragraph(text=remedy)),
    )


def _quote(case: Case, evidence: Evidence) -> Block:
    excerpt = case.evidence(evidence)[0]
    marked, note = _cut(excerpt)
    return Quote(
        item=evidence.item,
        pointer=evidence.pointer,
        sha256=evidence.sha256,
        line=excerpt.line,
        before=excerpt.before[-LONGEST // 2 :] if len(excerpt.before) > LONGEST // 2 else excerpt.before,
        marked=marked,
        after="" if note else excerpt.after[: LONGEST // 2],
        note=note,
    )


def _cut(excerpt: Excerpt) -> tuple[str, str]:
    text = excerpt.marked.rstrip("\n")
    if len(text) <= LONGEST:
        return text, ""
    return text[:LONGEST], f"The first {LONGEST:,} of {len(text):,} characters; {len(text) - LONGEST:,} left out."


def _not_evaluated(case: Case) -> tuple[Block, ...]:
    if not case.not_evaluated:
        return (Paragraph(text=(Dim("Every declared check could run."),)),)
    rows = tuple(Row(cells=((Code(each.check),), each.reason)) for each in case.not_evaluated)
    table = Table(heads=(Head(text="Check"), Head(text="Why it could not run")), rows=rows)
    return (Details(summary=f"{count(len(rows), 'check')} not evaluated, and why", blocks=(table,)),)
