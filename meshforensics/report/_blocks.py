"""What a section of a report is made of: plain data, written as HTML and as Markdown by other modules.

Text is data until it is written; every writer escapes it, so nothing captured can become markup.
"""

from dataclasses import dataclass
from typing import Literal

from meshforensics.model import Plane


@dataclass(frozen=True)
class Code:
    """Text to be shown in a fixed-width face: names, pointers, hashes."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Text to be stressed."""

    text: str


@dataclass(frozen=True)
class Dim:
    """Text that is an aside."""

    text: str


@dataclass(frozen=True)
class Tag:
    """A short word in a box: a severity, a status. `look` is critical, error, warning or info."""

    text: str
    look: str = "info"


@dataclass(frozen=True)
class PlaneName:
    """A plane, by its name and its colour; the colour never stands alone."""

    plane: Plane


@dataclass(frozen=True)
class Link:
    """A link to a place in the same page."""

    text: str
    to: str


@dataclass(frozen=True)
class Break:
    """A new line inside a phrase."""


Inline = str | Code | Strong | Dim | Tag | PlaneName | Link | Break
Phrase = str | tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Running text."""

    text: Phrase


@dataclass(frozen=True, kw_only=True)
class Subheading:
    """A heading below the section's own."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list without order."""

    entries: tuple[Phrase, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Names with their values; `wide` sets them side by side, as in the head of a report."""

    pairs: tuple[tuple[str, Phrase], ...]
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a column; `number` sets its cells to the right."""

    text: str
    number: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table: its cells, and blocks that open below it."""

    cells: tuple[Phrase, ...]
    under: "tuple[Block, ...]" = ()
    anchor: str = ""
    severity: str = ""
    plane: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first cell of a row names it unless `named` is False. `find` has filters."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    named: bool = True
    find: bool = False


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A square of a matrix: what it shows, what it means in words, and how it looks."""

    text: str
    means: str
    look: Literal["", "fails", "called", "fails called", "unknown", "self"] = ""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A square table: `names` along both sides."""

    caption: str
    names: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing: SVG for a wide and a narrow page. `alt` says in words what it shows.

    Raises:
        ValueError: `alt` is empty; a figure that some readers cannot see is not made.
    """

    name: str
    title: str
    alt: str
    caption: Phrase
    wide: str
    narrow: str

    def __post_init__(self) -> None:
        """Refuse a figure without words."""
        if not self.alt.strip():
            raise ValueError(f"figure {self.name} has no alt text")


@dataclass(frozen=True, kw_only=True)
class Details:
    """Blocks that open on demand, in place, without script."""

    summary: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Captured bytes as they are: numbered lines with the judged place marked.

    `marked` is shown verbatim; `before` and `after` are what stands around it in the item.
    """

    item: str
    pointer: str
    sha256: str
    line: int
    before: str
    marked: str
    after: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Preformatted:
    """Lines to copy, such as commands."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Blocks with notes in the margin."""

    blocks: "tuple[Block, ...]"
    notes: tuple[Phrase, ...]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Two stacks of blocks side by side."""

    left: "tuple[Block, ...]"
    right: "tuple[Block, ...]"


Block = (
    Paragraph
    | Subheading
    | Bullets
    | Facts
    | Table
    | Matrix
    | Figure
    | Details
    | Quote
    | Preformatted
    | Beside
    | Columns
)


@dataclass(frozen=True, kw_only=True)
class Content:
    """One section's words and figures, before they are written in any form.

    Attributes:
        anchor: its id in the page.
        title: the section's sentence. The section of level 1 is the head of the report.
        look: a class that the style knows; empty for a plain section.
    """

    anchor: str
    title: Phrase
    blocks: tuple[Block, ...]
    level: int = 2
    look: str = ""
