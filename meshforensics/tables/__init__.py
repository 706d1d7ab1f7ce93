"""Declared tables: what each holds, and how a bundle's items become pandas DataFrames."""

from functools import cache

from meshforensics.model import gather
from meshforensics.tables._build import Evidence, State, Tables, visible
from meshforensics.tables._columns import Block, build, stretches, typed
from meshforensics.tables._declare import Column, Reading, Row, Stretch, Table
from meshforensics.tables._denials import NONE, callers_of, denials_of
from meshforensics.tables._frames import ABSENT, inside, keys, places, text, true, unlogged, where
from meshforensics.tables.growth import drivers_of, trend

__all__ = [
    "ABSENT",
    "NONE",
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
    "callers_of",
    "declared_tables",
    "denials_of",
    "drivers_of",
    "inside",
    "keys",
    "places",
    "stretches",
    "text",
    "trend",
    "true",
    "typed",
    "unlogged",
    "visible",
    "where",
]


@cache
def declared_tables() -> dict[str, Table]:
    """Every table that a module of this room declares, by id."""
    import meshforensics.tables as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Table)
