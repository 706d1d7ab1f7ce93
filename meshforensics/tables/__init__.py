"""Declared tables: what each holds, and how a bundle's items become pandas DataFrames."""

from functools import cache

from meshforensics.model import gather
from meshforensics.tables._build import Evidence, State, Tables, visible
from meshforensics.tables._columns import Block, build, stretches, typed
from meshforensics.tables._declare import Column, Reading, Row, Stretch, Table
from meshforensics.tables._frames import (
    ABSENT,
    among,
    inside,
    ips_of,
    keys,
    numbered,
    of_items,
    places,
    text,
    texts,
    true,
    unlogged,
    where,
)
from meshforensics.tables._objects import mapping_in, members_in, spec_of, texts_in
from meshforensics.tables._policies import ROOT_NAMESPACE, Policy, policies_of, selects
from meshforensics.tables._rules import fits
from meshforensics.tables.denials import NONE, OUTSIDE, callers_of
from meshforensics.tables.growth import drivers_of, trend
from meshforensics.tables.stat_pages import page_before

__all__ = [
    "ABSENT",
    "NONE",
    "OUTSIDE",
    "ROOT_NAMESPACE",
    "Block",
    "Column",
    "Evidence",
    "Policy",
    "Reading",
    "Row",
    "State",
    "Stretch",
    "Table",
    "Tables",
    "among",
    "build",
    "callers_of",
    "declared_tables",
    "drivers_of",
    "fits",
    "inside",
    "ips_of",
    "keys",
    "mapping_in",
    "members_in",
    "numbered",
    "of_items",
    "page_before",
    "places",
    "policies_of",
    "selects",
    "spec_of",
    "stretches",
    "text",
    "texts",
    "texts_in",
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
