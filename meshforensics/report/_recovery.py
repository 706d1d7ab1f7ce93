"""A recovery plan in the report's own blocks."""

from meshforensics.recovery import Command, Part, Plan, PlannedStep
from meshforensics.report._blocks import (
    Block,
    Bullets,
    Code,
    Facts,
    Inline,
    Paragraph,
    Phrase,
    Preformatted,
    Subheading,
)
from meshforensics.report._words import count
from meshforensics.report.plain_text import plain

_NOTHING_RUN = "Commands are printed, never run: read each, and what its risk is, before you paste it."
_MOST = 40
"""Lines of commands that a step shows on the page; the command `recover` prints them all."""


def plan_blocks(plan: Plan, most: int = _MOST) -> tuple[Block, ...]:
    """What not to do first, then the steps, each with precondition, commands, risk, verification and undo."""
    fill = tuple(((Code(name), f": {meaning}") for name, meaning in plan.fill))
    blocks: list[Block] = [Paragraph(text=_NOTHING_RUN)]
    if plan.never or plan.caution:
        blocks.append(Bullets(entries=(*plan.never, *plan.caution)))
    if fill:
        blocks += [
            Paragraph(text="Names that you fill in; pasted as they are they reach nothing:"),
            Bullets(entries=fill),
        ]
    for number, planned in enumerate(plan.steps, start=1):
        blocks += _step(number, planned, most)
    if plan.also:
        blocks.append(Paragraph(text=f"Supported too, with plans of their own: {', '.join(plan.also)}."))
    return tuple(blocks)


def _step(number: int, planned: PlannedStep, most: int) -> list[Block]:
    step = planned.step
    lines = [line for part in planned.deed.do for line in _lines(part)]
    left = len(lines) - most
    shown = [
        *lines[:most],
        *([f"# {count(left, 'more line')}: meshforensics recover --format markdown"] if left > 0 else []),
    ]
    facts: tuple[tuple[str, Phrase], ...] = (
        ("When", step.when),
        ("Risk", step.risk),
        ("Verify", _phrase(planned.deed.verify)),
        ("Undo", _phrase(planned.deed.undo)),
    )
    return [
        Subheading(text=f"Step {number}: {step.title} ({step.stage}, {step.plane} plane)"),
        Preformatted(text="\n".join(shown)),
        Facts(pairs=facts),
    ]


def _lines(part: Part) -> list[str]:
    """The part as lines that a shell takes: a sentence is a comment."""
    if isinstance(part, str):
        return [f"# {plain(part)}"]
    about = [f"# {part.about}"] if isinstance(part, Command) and part.about else []
    return [*about, *(plain(line) for line in part.shell.splitlines())]


def _phrase(parts: tuple[Part, ...]) -> Phrase:
    inlines: list[Inline] = []
    for part in parts:
        inlines.append("; " if inlines else "")
        if isinstance(part, str):
            inlines.append(part)
        else:
            about = part.about if isinstance(part, Command) else ""
            inlines += [Code(part.shell), f" ({about})" if about else ""]
    return tuple(each for each in inlines if each != "")
