"""Write a section as Markdown, to be pasted into a postmortem. Text can not become markup or HTML."""

import re
from functools import singledispatch

from meshforensics.report._blocks import (
    Beside,
    Block,
    Break,
    Bullets,
    Code,
    Columns,
    Content,
    Details,
    Dim,
    Facts,
    Figure,
    Inline,
    Link,
    Matrix,
    Paragraph,
    Phrase,
    PlaneName,
    Preformatted,
    Quote,
    Row,
    Strong,
    Subheading,
    Table,
    Tag,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")
_START = re.compile(r"(?m)^(\s*)([-+>]|\d+[.)])(?=\s)")


def section_markdown(content: Content) -> str:
    """The section as Markdown; figures are links to the files that the report writes beside it."""
    title = f"{'#' * content.level} {_line(phrase(content.title))}"
    blocks = [_block(block) for block in content.blocks]
    return "\n\n".join(part for part in (title, *blocks) if part) + "\n"


def phrase(text: Phrase) -> str:
    """A phrase as escaped Markdown."""
    return _text(text) if isinstance(text, str) else "".join(_inline(part) for part in text)


def _text(text: str) -> str:
    return _START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")))


def _line(text: str) -> str:
    return " ".join(text.split())


def _inline(part: Inline) -> str:
    match part:
        case str():
            return _text(part)
        case Code(text):
            return _code(text)
        case Strong(text) | Tag(text, _):
            return f"**{_text(text)}**"
        case Dim(text) | Link(text, _):
            return _text(text)
        case PlaneName(plane):
            return str(plane)
        case Break():
            return " "


def _code(text: str) -> str:
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{_line(text)}{pad}{ticks}" if text.strip() else ""


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}\n{text.rstrip()}\n{fence}"


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_block.register
def _(block: Paragraph) -> str:
    return _line(phrase(block.text))


@_block.register
def _(block: Subheading) -> str:
    return f"### {_line(_text(block.text))}"


@_block.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {_line(phrase(entry))}" for entry in block.entries)


@_block.register
def _(block: Facts) -> str:
    return "\n".join(f"- {_text(name)}: {_line(phrase(value))}" for name, value in block.pairs)


@_block.register
def _(block: Table) -> str:
    heads = _cells(tuple(head.text for head in block.heads))
    rule = "|" + "|".join(" ---: " if head.number else " --- " for head in block.heads) + "|"
    rows = [_cells(row.cells) for row in block.rows]
    caption = f"**{_text(block.caption)}**\n\n" if block.caption else ""
    under = "\n\n".join(_under(row) for row in block.rows if row.under)
    return caption + "\n".join((heads, rule, *rows)) + (f"\n\n{under}" if under else "")


def _cells(cells: tuple[Phrase, ...]) -> str:
    return "| " + " | ".join(_pipes(_line(phrase(cell))) for cell in cells) + " |"


def _pipes(text: str) -> str:
    """`text` with every bar escaped: in a table a bar ends the cell even inside code."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _under(row: Row) -> str:
    name = _line(phrase(row.cells[0]))
    return f"**{name}**\n\n" + "\n\n".join(_block(block) for block in row.under)


@_block.register
def _(block: Matrix) -> str:
    heads = _cells(("", *block.names))
    rule = "|" + " --- |" * (len(block.names) + 1)
    rows = [
        _cells((name, *(cell.text for cell in cells))) for name, cells in zip(block.names, block.cells, strict=True)
    ]
    return f"**{_text(block.caption)}**\n\n" + "\n".join((heads, rule, *rows))


@_block.register
def _(block: Figure) -> str:
    alt = _line(_text(f"{block.title}. {block.alt}"))
    return f"![{alt}](figures/{block.name}.svg)\n\n{_line(phrase(block.caption))}"


@_block.register
def _(block: Details) -> str:
    inside = "\n\n".join(_block(each) for each in block.blocks)
    return f"<details><summary>{_text(block.summary)}</summary>\n\n{inside}\n\n</details>"


@_block.register
def _(block: Quote) -> str:
    place = _code(block.pointer) if block.pointer else "whole item"
    note = f"\n\n{_line(_text(block.note))}" if block.note else ""
    return f"{_code(block.item)}, {place}, SHA-256 {_code(block.sha256)}\n\n{_fenced(block.marked)}{note}"


@_block.register
def _(block: Preformatted) -> str:
    return _fenced(block.text)


@_block.register
def _(block: Beside) -> str:
    inside = [_block(each) for each in block.blocks]
    return "\n\n".join([*inside, *(_line(phrase(note)) for note in block.notes)])


@_block.register
def _(block: Columns) -> str:
    return "\n\n".join(_block(each) for each in (*block.left, *block.right))
