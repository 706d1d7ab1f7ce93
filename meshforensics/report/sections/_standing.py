"""The question of a notebook: does its hypothesis stand, and if not, what keeps it from standing."""

from meshforensics.model import Ground, Hypothesis, Standing
from meshforensics.report._blocks import Block, Bullets, Code, Content, Dim, Paragraph, Phrase, Subheading, Tag
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._shown import evidence_at
from meshforensics.report.sections._section import section

_LOOKS = {Standing.SUPPORTED: "critical", Standing.POSSIBLE: "error", Standing.UNDETERMINED: "warning"}


@section
def standing(case: Case, *incidents: str) -> Content:
    """Whether a hypothesis is supported and by what; if not, by what it is refuted or what it lacks.

    Further incidents are its look-alikes: each is told with its standing.
    """
    main = focus(case, incidents[0])
    return Content(
        anchor="standing",
        title=_title(main),
        blocks=(*_grounds(case, main), *_instead(case, main), *_alike(case, incidents[1:])),
    )


def _title(main: Hypothesis) -> str:
    name = main.incident
    if main.status == Standing.SUPPORTED:
        return f"The question: {name} is supported"
    if main.status == Standing.REFUTED:
        return f"The question: {name} is not supported, it is refuted"
    if main.status == Standing.POSSIBLE:
        return f"The question: {name} is possible, and not supported"
    return f"The question: {name} is not supported, what was captured does not tell"


def _grounds(case: Case, main: Hypothesis) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if main.for_:
        blocks += [Subheading(text="What speaks for it"), *_told(case, main.for_)]
    if main.against:
        blocks += [Subheading(text="What speaks against it"), *_told(case, main.against)]
    if main.status != Standing.SUPPORTED:
        blocks += [Subheading(text="What keeps it from being supported"), Bullets(entries=_keeps(main))]
    return tuple(blocks)


def _told(case: Case, grounds: tuple[Ground, ...]) -> tuple[Block, ...]:
    places = ((each.item, each.pointer) for ground in grounds for each in ground.evidence)
    entries: tuple[Phrase, ...] = tuple((f"{ground.text} ", Dim(f"({ground.check})")) for ground in grounds)
    return (Bullets(entries=entries), *evidence_at(case, places))


def _keeps(main: Hypothesis) -> tuple[Phrase, ...]:
    against: tuple[Phrase, ...] = tuple(f"Against it: {ground.text}" for ground in main.against)
    lacking: tuple[Phrase, ...] = tuple(
        (f"Not captured: {each.kind}, {each.why}.", *((" To get it: ", Code(each.command)) if each.command else ()))
        for each in main.missing
    )
    thin: tuple[Phrase, ...] = (
        () if against or lacking else ("One of its tests passed on too little evidence, or none.",)
    )
    return (*against, *lacking, *thin)


def _instead(case: Case, main: Hypothesis) -> tuple[Block, ...]:
    others = [each for each in case.hypotheses if decided(each) and each.incident != main.incident]
    if main.status == Standing.SUPPORTED or not others:
        return ()
    said = "; ".join(f"{each.incident} is {each.status}" for each in others[:3])
    return (Paragraph(text=f"What the same evidence says instead: {said}."),)


def _alike(case: Case, incidents: tuple[str, ...]) -> tuple[Block, ...]:
    if not incidents:
        return ()
    entries = []
    for name in incidents:
        each = focus(case, name)
        why = next((ground.text for ground in (*each.against, *each.for_)), "nothing that was captured tells")
        entries.append((Tag(each.incident, _LOOKS.get(each.status, "info")), f" {each.status}: {why}"))
    return (Subheading(text="Its look-alikes"), Bullets(entries=tuple(entries)))
