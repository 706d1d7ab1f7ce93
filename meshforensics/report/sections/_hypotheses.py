"""Hypotheses: what was weighed, and by what each was ruled out."""

from meshforensics.model import Ground, Hypothesis, Standing
from meshforensics.report._blocks import Break, Code, Content, Dim, Head, Paragraph, Phrase, Row, Table, Tag
from meshforensics.report._case import Case
from meshforensics.report._words import listed
from meshforensics.report.sections._section import section

_LOOKS = {Standing.SUPPORTED: "critical", Standing.POSSIBLE: "error", Standing.UNDETERMINED: "warning"}


@section
def hypotheses(case: Case) -> Content:
    """Every incident id with its standing and what decided it."""
    counted = [(standing, sum(h.status == standing for h in case.hypotheses)) for standing in Standing]
    title = "Hypotheses: " + ", ".join(f"{number} {standing}" for standing, number in counted if number)
    heads = (
        Head(text="Hypothesis"),
        Head(text="Standing"),
        Head(text="By what"),
        Head(text="Confidence", number=True),
    )
    rows = tuple(
        Row(
            cells=(
                hypothesis.incident,
                (Tag(hypothesis.status, _LOOKS.get(hypothesis.status, "info")),),
                _by_what(hypothesis),
                f"{hypothesis.confidence:.2f}",
            )
        )
        for hypothesis in case.hypotheses
    )
    note = "Confidence is the share of an incident's decisive tests that could be made and passed."
    return Content(
        anchor="hypotheses", title=title, blocks=(Table(heads=heads, rows=rows), Paragraph(text=(Dim(note),)))
    )


def _by_what(hypothesis: Hypothesis) -> Phrase:
    if hypothesis.status == Standing.REFUTED:
        return _grounds(hypothesis.against) or ("refuted by a necessary test that failed",)
    if hypothesis.status == Standing.UNDETERMINED:
        wanted = tuple(dict.fromkeys(f"{each.kind} ({each.why})" for each in hypothesis.missing))
        said = f"it would take {listed(wanted, 3)}" if wanted else "nothing necessary to it was seen or ruled out"
        return (said,)
    for_, against = _grounds(hypothesis.for_), _grounds(hypothesis.against)
    return (*for_, *((Break(), Dim("against: "), *against) if against else ()))


def _grounds(grounds: tuple[Ground, ...]) -> tuple[str | Code | Break | Dim, ...]:
    parts: list[str | Code | Break | Dim] = []
    for number, ground in enumerate(grounds[:4]):
        if number:
            parts.append(Break())
        parts += [f"{ground.text} ", Code(ground.check)] if ground.check else [ground.text]
    return tuple(parts)
