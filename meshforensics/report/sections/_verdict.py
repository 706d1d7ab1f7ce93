"""The verdict: the one box that must survive a screenshot."""

from meshforensics.model import Finding, Ground, Hypothesis, Missing, Standing
from meshforensics.report._blocks import (
    Block,
    Bullets,
    Code,
    Columns,
    Content,
    Dim,
    Inline,
    Link,
    Paragraph,
    Phrase,
    Subheading,
    Tag,
)
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._order import ordered, shows_same
from meshforensics.report._words import instant
from meshforensics.report.sections._section import section


@section
def verdict(case: Case, incident: str = "") -> Content:
    """Cause, confidence with its grounds, what decided it, what speaks against it, what comes next."""
    hypothesis = focus(case, incident)
    return Content(
        anchor="verdict",
        look="verdict",
        title=_title(hypothesis),
        blocks=(Columns(left=(*_cause(hypothesis), *_grounds(case, hypothesis)), right=_other(case, hypothesis)),),
    )


def _title(hypothesis: Hypothesis) -> Phrase:
    since: tuple[Inline, ...] = ()
    if decided(hypothesis) and hypothesis.onset:
        since = (" ", Dim(f"since {instant(hypothesis.onset)}"))
    looks = {Standing.SUPPORTED: "critical", Standing.POSSIBLE: "error", Standing.UNDETERMINED: "warning"}
    if not decided(hypothesis) and hypothesis.status != Standing.REFUTED:
        return (Tag("undetermined", "warning"), " no cause is decided by what was captured")
    return (
        Tag(hypothesis.incident, looks.get(hypothesis.status, "info")),
        f" {hypothesis.status}, confidence {hypothesis.confidence:.2f}",
        *since,
    )


def _cause(hypothesis: Hypothesis) -> tuple[Block, ...]:
    if not decided(hypothesis):
        said = f"The nearest hypothesis is {hypothesis.incident}, and it is {hypothesis.status}. "
        return (Subheading(text="Cause"), Paragraph(text=said + hypothesis.summary))
    return (Subheading(text="Cause"), Paragraph(text=hypothesis.summary or hypothesis.incident))


def _grounds(case: Case, hypothesis: Hypothesis) -> tuple[Block, ...]:
    findings = ordered(case.findings, hypothesis)
    if not hypothesis.for_:
        return (Subheading(text="What speaks for it"), Paragraph(text="No test of it could be made and passed."))
    made = Bullets(entries=tuple(_ground(ground, findings) for ground in hypothesis.for_))
    basis = (
        f"Confidence {hypothesis.confidence:.2f} is the share of its decisive tests that could be made and passed: "
        "those above."
    )
    heading = "What decided it" if decided(hypothesis) else "What speaks for it"
    return (Subheading(text=heading), made, Paragraph(text=(Dim(basis),)))


def _ground(ground: Ground, findings: tuple[Finding, ...]) -> Phrase:
    """The ground, with a link to the finding that shows the same place; else to the first of its check."""
    named = {f"f{number}": finding for number, finding in enumerate(findings, start=1)}
    same = [anchor for anchor, finding in named.items() if shows_same(ground, finding)]
    own = [anchor for anchor, finding in named.items() if finding.check == ground.check]
    best = [anchor for anchor in same if anchor in own] or same or own
    return (f"{ground.text} (", Link(best[0].upper(), best[0]), ")") if best else ground.text


def _other(case: Case, hypothesis: Hypothesis) -> tuple[Block, ...]:
    findings = ordered(case.findings, hypothesis)
    against: Block = Paragraph(text="Nothing in what was captured.")
    if hypothesis.against:
        against = Bullets(entries=tuple(_ground(ground, findings) for ground in hypothesis.against))
    blocks: list[Block] = [Subheading(text="What speaks against it"), against]
    if hypothesis.missing:
        entries = tuple(_missing(each) for each in hypothesis.missing)
        blocks += [Subheading(text="Not captured, and it would tell"), Bullets(entries=entries)]
    if hypothesis.next:
        blocks += [Subheading(text="The next safe step"), Paragraph(text=hypothesis.next)]
    return tuple(blocks)


def _missing(each: Missing) -> Phrase:
    subject = "" if each.subject in {"", "-"} else f" of {each.subject}"
    command: tuple[Inline, ...] = (" To get it: ", Code(each.command)) if each.command else ()
    return (f"{each.kind}{subject}: {each.why}.", *command)
