"""Write a section as HTML. Everything that is text is escaped here, and only here."""

import html
from functools import singledispatch

from meshforensics.report._blocks import (
    Beside,
    Block,
    Break,
    Bullets,
    Cell,
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

_FILTERS = (
    '<div class="filters" role="group" aria-label="Filter findings">'
    '<label>Severity <select data-filter="severity"><option value="">all</option><option>critical</option>'
    "<option>error</option><option>warning</option><option>info</option></select></label>"
    '<label>Plane <select data-filter="plane"><option value="">all</option><option>edge</option>'
    "<option>service</option><option>state</option><option>control</option></select></label>"
    '<label>Text <input data-filter="text" type="search" size="18"></label>'
    '<button type="button" data-open="all" aria-pressed="false">Open all evidence</button>'
    '<span data-count role="status"></span></div>'
)


def section_html(content: Content) -> str:
    """The section as an HTML fragment without style or script."""
    heading = f"h-{content.anchor}"
    body = "".join(_block(block) for block in content.blocks)
    look = f"mf {content.look}".strip()
    if content.level == 1:
        return f'<header class="{look}" id="{_text(content.anchor)}"><h1>{phrase(content.title)}</h1>{body}</header>'
    return (
        f'<section class="{look}" id="{_text(content.anchor)}" aria-labelledby="{_text(heading)}">'
        f'<h2 id="{_text(heading)}">{phrase(content.title)}</h2>{body}</section>'
    )


def phrase(text: Phrase) -> str:
    """A phrase as escaped HTML."""
    return _text(text) if isinstance(text, str) else "".join(_inline(part) for part in text)


def _text(text: str) -> str:
    """`text` so that it can only ever be text; control characters, which HTML cannot hold, become U+FFFD."""
    shown = "".join(c if c in "\n\t" or c.isprintable() or c.isspace() else "\ufffd" for c in text)
    return html.escape(shown)


def _inline(part: Inline) -> str:  # noqa: PLR0911 - one return a kind of text
    match part:
        case str():
            return _text(part)
        case Code(text):
            return f"<code>{_text(text)}</code>"
        case Strong(text):
            return f"<strong>{_text(text)}</strong>"
        case Dim(text):
            return f'<span class="sub">{_text(text)}</span>'
        case Tag(text, look):
            return f'<span class="tag s-{_text(look)}">{_text(text)}</span>'
        case PlaneName(plane):
            return f'<span class="pl"><span class="k {plane}"></span>{plane}</span>'
        case Link(text, to):
            return f'<a href="#{_text(to)}">{_text(text)}</a>'
        case Break():
            return "<br>"


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_block.register
def _(block: Paragraph) -> str:
    return f"<p>{phrase(block.text)}</p>"


@_block.register
def _(block: Subheading) -> str:
    return f"<h3>{_text(block.text)}</h3>"


@_block.register
def _(block: Bullets) -> str:
    return "<ul>" + "".join(f"<li>{phrase(entry)}</li>" for entry in block.entries) + "</ul>"


@_block.register
def _(block: Facts) -> str:
    look = "facts" if block.wide else "kv"
    pairs = "".join(f"<div><dt>{_text(name)}</dt><dd>{phrase(value)}</dd></div>" for name, value in block.pairs)
    return f'<dl class="{look}">{pairs}</dl>'


@_block.register
def _(block: Table) -> str:
    heads = "".join(f'<th scope="col"{_number(head.number)}>{_text(head.text)}</th>' for head in block.heads)
    caption = f"<caption>{_text(block.caption)}</caption>" if block.caption else ""
    rows = "".join(_row(block, row) for row in block.rows)
    look = "find stack" if block.find else "stack"
    filters = _FILTERS if block.find else ""
    table = f'<table class="{look}">{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f'{filters}<div class="scroll">{table}</div>'


def _row(table: Table, row: Row) -> str:
    cells = []
    for position, (head, cell) in enumerate(zip(table.heads, row.cells, strict=True)):
        if table.named and position == 0:
            cells.append(f'<th scope="row">{phrase(cell)}</th>')
        else:
            label = f' data-l="{_text(head.text)}:"' if position else ""
            cells.append(f"<td{_number(head.number)}{label}>{phrase(cell)}</td>")
    data = "".join(f' data-{name}="{_text(value)}"' for name, value in _data(row) if value)
    anchor = f' id="{_text(row.anchor)}"' if row.anchor else ""
    line = f'<tr class="r"{anchor}{data}>{"".join(cells)}</tr>'
    if not row.under:
        return line
    under = "".join(_block(block) for block in row.under)
    return f'{line}<tr class="ev"><td></td><td colspan="{len(table.heads) - 1}">{under}</td></tr>'


def _data(row: Row) -> tuple[tuple[str, str], ...]:
    return ("severity", row.severity), ("plane", row.plane)


def _number(is_number: bool) -> str:
    return ' class="num"' if is_number else ""


@_block.register
def _(block: Matrix) -> str:
    tops = "".join(f'<th scope="col"><span>{_text(name)}</span></th>' for name in block.names)
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th>{"".join(_cell(cell) for cell in cells)}</tr>'
        for name, cells in zip(block.names, block.cells, strict=True)
    )
    return (
        f'<div class="scroll"><table class="mx"><caption>{_text(block.caption)}</caption>'
        f'<thead><tr><td class="self"></td>{tops}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(cell: Cell) -> str:
    return f'<td class="{cell.look}">{_text(cell.text)}<span class="vh"> {_text(cell.means)}</span></td>'


@_block.register
def _(block: Figure) -> str:
    return (
        f"<figure><h3>{_text(block.title)}</h3>{_drawing(block, block.wide, 'wide')}"
        f"{_drawing(block, block.narrow, 'narrow')}<figcaption>{phrase(block.caption)}</figcaption></figure>"
    )


def _drawing(figure: Figure, svg: str, width: str) -> str:
    """The SVG with its words inside, so that it says the same to those who cannot see it."""
    tag, close, rest = svg.partition(">")
    name = f"{figure.name}-{width}"
    words = f'<title id="t-{name}">{_text(figure.title)}</title><desc id="d-{name}">{_text(figure.alt)}</desc>'
    about = f'role="img" data-figure="{name}" aria-labelledby="t-{name} d-{name}"'
    return f'{tag} class="{width}" {about}{close}{words}{rest}'


@_block.register
def _(block: Details) -> str:
    inside = "".join(_block(each) for each in block.blocks)
    return f"<details><summary>{_text(block.summary)}</summary>{inside}</details>"


@_block.register
def _(block: Quote) -> str:
    facts = (
        ("Item", block.item),
        ("Place", block.pointer or "whole item"),
        ("SHA-256", block.sha256 or "none stored"),
    )
    pairs = "".join(f"<dt>{name}</dt><dd><code>{_text(value)}</code></dd>" for name, value in facts)
    note = f"<p>{_text(block.note)}</p>" if block.note else ""
    return f'<div class="evi"><dl>{pairs}</dl><pre>{_numbered(block)}</pre>{note}</div>'


def _numbered(quote: Quote) -> str:
    """The lines with their numbers; the mark is closed and opened again around each number."""
    first = quote.line - quote.before.count("\n")
    marked = "\n".join(f"<mark>{_text(line)}</mark>" if line else "" for line in quote.marked.split("\n"))
    lines = (_text(quote.before) + marked + _text(quote.after)).rstrip("\n").split("\n")
    return "\n".join(f'<span class="ln">{first + offset:>5} </span>{line}' for offset, line in enumerate(lines))


@_block.register
def _(block: Preformatted) -> str:
    return f"<pre>{_text(block.text)}</pre>"


@_block.register
def _(block: Beside) -> str:
    inside = "".join(_block(each) for each in block.blocks)
    notes = "".join(f"<p>{phrase(note)}</p>" for note in block.notes)
    return f'<div class="row"><div>{inside}</div><div class="note">{notes}</div></div>'


@_block.register
def _(block: Columns) -> str:
    left, right = ("".join(_block(each) for each in side) for side in (block.left, block.right))
    return f'<div class="two"><div>{left}</div><div>{right}</div></div>'
