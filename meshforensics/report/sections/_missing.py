"""Not captured: what nobody looked at, or could not."""

from collections.abc import Iterable

from meshforensics.model import Item
from meshforensics.report._blocks import (
    Block,
    Bullets,
    Code,
    Content,
    Details,
    Head,
    Inline,
    Paragraph,
    Phrase,
    Row,
    Table,
)
from meshforensics.report._case import Case
from meshforensics.report._words import count, listed
from meshforensics.report.sections._section import section

LISTED = 300
"""Items that are listed one by one."""


@section
def not_captured(case: Case) -> Content:
    """The items that are not (wholly) there, and what the best hypotheses would need of them."""
    items = case.not_captured
    if not items:
        said = "Every item that the source held, or was asked for, was captured whole. Nobody asked for more."
        blocks: tuple[Block, ...] = (Paragraph(text=said),)
        title = "Not captured: nothing that was asked for"
    else:
        title = f"Not captured: {len(items):,} of {count(len(case.bundle.items), 'item')}, and what that leaves open"
        blocks = (_by_kind(items), _listed(items))
    return Content(anchor="missing", title=title, blocks=(*blocks, *_next(case)))


def _by_kind(items: Iterable[Item]) -> Table:
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.kind, str(item.status), str(item.cause or "-")), []).append(item)
    rows = tuple(
        Row(cells=(kind, f"{status}: {cause}", f"{len(group):,}", listed([item.subject for item in group], 4)))
        for (kind, status, cause), group in sorted(groups.items())
    )
    heads = (Head(text="What"), Head(text="Status: cause"), Head(text="Items", number=True), Head(text="Subjects"))
    return Table(heads=heads, rows=rows)


def _listed(items: tuple[Item, ...]) -> Details:
    rows = tuple(
        Row(cells=((Code(item.id),), f"{item.status}: {item.cause or '-'}", item.detail or "-"))
        for item in items[:LISTED]
    )
    table = Table(heads=(Head(text="Item"), Head(text="Status: cause"), Head(text="Detail")), rows=rows, named=False)
    left_out = f", the first {LISTED} of {len(items):,}" if len(items) > LISTED else ""
    return Details(summary=f"{count(len(rows), 'item')} one by one{left_out}", blocks=(table,))


def _next(case: Case) -> tuple[Block, ...]:
    """What to capture next: what the hypotheses that are still open ask for, best first."""
    wanted: dict[tuple[str, str], Phrase] = {}
    for hypothesis in case.hypotheses:
        for each in hypothesis.missing:
            subject = "" if each.subject in {"", "-"} else f" of {each.subject}"
            command: tuple[Inline, ...] = (" ", Code(each.command)) if each.command else ()
            said = f"{each.kind}{subject}, for {hypothesis.incident}: {each.why}."
            wanted.setdefault((each.kind, each.subject), (said, *command))
    if not wanted:
        return ()
    lead = Paragraph(text="Capture next, in this order:")
    return (lead, Bullets(entries=tuple(list(wanted.values())[:8])))
