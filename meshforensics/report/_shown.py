"""Frames of an analysis as tables of a report, each row with the place that shows it, and the captured bytes below."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from meshforensics.model import Evidence
from meshforensics.report._blocks import Block, Code, Details, Dim, Head, Paragraph, Phrase, Quote, Row, Table
from meshforensics.report._case import Case
from meshforensics.report._words import count

LONGEST = 700
"""Characters of one quotation."""

LISTED = 60
"""Rows of a table; what is beyond is counted."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One column: its head, what to write of a row, and whether that is a number."""

    head: str
    say: Callable[["pd.Series[Any]"], Phrase]
    number: bool = False


def table_of(frame: pd.DataFrame, columns: Sequence[Shown], *, caption: str = "") -> Table:
    """The rows of `frame` with a last column that says where each was read."""
    heads = (*(Head(text=each.head, number=each.number) for each in columns), Head(text="Shown by"))
    rows = tuple(
        Row(cells=(*(each.say(row) for each in columns), place(str(row["item"]), str(row["pointer"]))))
        for _, row in frame.head(LISTED).iterrows()
    )
    more = f" The first {LISTED} of {len(frame):,}." if len(frame) > LISTED else ""
    return Table(heads=heads, rows=rows, caption=f"{caption}{more}".strip())


def place(item: str, pointer: str) -> Phrase:
    """One place, short: kind, subject and pointer."""
    return (Code(f"{item.partition('@')[0]} {pointer}".strip()),) if item else (Dim("-"),)


def evidence(case: Case, frame: pd.DataFrame, quoted: int = 1) -> tuple[Block, ...]:
    """The places of a frame's rows, to be opened: the first ones with their captured bytes, the others by name."""
    return evidence_at(case, zip(frame["item"].astype(str), frame["pointer"].astype(str), strict=True), quoted)


def evidence_at(case: Case, places: Iterable[tuple[str, str]], quoted: int = 1) -> tuple[Block, ...]:
    """These places, to be opened: the first ones with their captured bytes, the others by name."""
    known = [each for each in dict.fromkeys(places) if each[0]]
    if not known:
        return ()
    hashes = {item.id: item.sha256 or "" for item in case.bundle.items}
    kept = [Evidence(item=item, sha256=hashes.get(item, ""), pointer=pointer) for item, pointer in known]
    quotes = [quote(case, each) for each in kept[:quoted]]
    others = kept[quoted:][:LISTED]
    more = (named_places(others),) if others else ()
    return (Details(summary=f"Evidence: {count(len(known), 'place')}", blocks=(*quotes, *more)),)


def named_places(kept: Iterable[Evidence]) -> Table:
    """Places by name, a row an item: a hundred lines of one log are one row."""
    own: dict[tuple[str, str], list[str]] = {}
    for each in kept:
        own.setdefault((each.item, each.sha256[:16]), []).append(each.pointer or "whole item")
    rows = tuple(Row(cells=((Code(i),), _pointers(p), (Code(sha256),))) for (i, sha256), p in own.items())
    return Table(heads=(Head(text="Item"), Head(text="Place"), Head(text="SHA-256 begins")), rows=rows, named=False)


def _pointers(pointers: Sequence[str]) -> Phrase:
    return tuple(part for pointer in pointers for part in (", ", Code(pointer)))[1:]


def quote(case: Case, shown: Evidence) -> Block:
    """The captured bytes at one place, cut where they are long."""
    found = case.evidence(shown)[0]
    marked = found.marked.rstrip("\n")
    cut = len(marked) > LONGEST
    return Quote(
        item=shown.item,
        pointer=shown.pointer,
        sha256=shown.sha256,
        line=found.line,
        before=found.before[-LONGEST // 2 :],
        marked=marked[:LONGEST],
        after="" if cut else found.after[: LONGEST // 2],
        note=f"The first {LONGEST:,} of {len(marked):,} characters." if cut else "",
    )


def missing(case: Case, *tables: str, over_time: bool = False) -> tuple[Block, ...]:
    """A sentence for each of these tables that says nothing: what is not there cannot be told from."""
    told = {name: case.reason(name, over_time=over_time) for name in tables}
    said = [f"{why[0].upper()}{why[1:]}." for why in dict.fromkeys(told.values()) if why]
    return (Paragraph(text=(Dim("Missing here: "), " ".join(said))),) if said else ()
