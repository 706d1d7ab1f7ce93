"""Declared tables: what each holds, and how a bundle's items become pandas DataFrames."""

from functools import cache

from meshforensics.model import gather
from meshforensics.tables._build import Evidence, State, Tables, visible
from meshforensics.tables._columns import Block, build, stretches, typed
from meshforensics.tables._declare import Column, Reading, Row, Stretch, Table
from meshforensics.tables._frames import inside, keys, places, text, true, where

__all__ = [
    "Block",
    "Column",
    "Evidence",
    "Reading",
    "Row",
    "State",
    "Stretch",
    "Table",
    "Tables",
    "build",
    "declared_tables",
    "inside",
    "keys",
    "places",
    "stretches",
    "text",
    "true",
    "typed",
    "visible",
    "where",
]


@cache
def declared_tables() -> dict[str, Table]:
    """Every table that a module of this room declares, by id."""
    import meshforensics.tables as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Table)
