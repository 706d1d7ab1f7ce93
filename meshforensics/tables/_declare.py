"""What a table is: its name, its columns with their meaning, and how rows come out of an item."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from meshforensics.model import DeclarationError, Item

T = TypeVar("T")

DTYPES = ("category", "str", "Int64", "UInt64", "Float64", "boolean", "datetime64[us, UTC]", "object")
"""The dtypes a column may have. Times are microseconds, because a certificate may end in year 9999,
which nanoseconds cannot hold (RFC 5280 §4.1.2.5). `object` holds tuples: lists such as flags."""

Dtype = Literal["category", "str", "Int64", "UInt64", "Float64", "boolean", "datetime64[us, UTC]", "object"]
Row = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Rows that many items have alike, made once: which of them an item has, and what it has of its own.

    Attributes:
        rows: ``(pointer, *values)`` each; the same list for all items, and it may still grow.
        taken: the places in `rows`, in the order of the item.
        own: columns (`pointer` among them) whose texts, as Arrow `large_string`, stand in place of those in `rows`.
    """

    rows: list[Row]
    taken: "np.ndarray[Any, np.dtype[np.int64]]"
    own: Mapping[str, pa.Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One column: what it is called, holds, means, and where its values come from."""

    name: str
    dtype: Dtype
    about: str = field(kw_only=True)
    unit: str = field(kw_only=True, default="")
    source: str = field(kw_only=True, default="")

    def __post_init__(self) -> None:
        """Refuse a dtype that no reader expects."""
        if self.dtype not in DTYPES:
            raise DeclarationError(f"column {self.name}: no dtype {self.dtype!r}; there are: {', '.join(DTYPES)}")


class Reading(Protocol):
    """One item, opened for the rows functions of tables."""

    @property
    def item(self) -> Item:
        """What the manifest says of it."""

    @property
    def payload(self) -> bytes:
        """The bytes as captured."""

    def decoded(self, decoder: Callable[[bytes], T]) -> T:
        """`decoder(payload)`, made once per item and decoder however many tables ask."""

    def shared(self, kind: type[T]) -> T:
        """One `kind()` for all readings of an investigation: what items have in common."""

    def first(self, key: object) -> bool:
        """Whether this table sees `key` for the first time: so that what many items share is read once."""

    def fresh(self, numbers: Sequence[int]) -> list[int]:
        """The places of those of some small numbers that this table sees for the first time."""


RowsOnly = Callable[[Reading], Iterable[Row] | None]
Rows = Callable[[Reading], Iterable[Row] | Sequence[Stretch] | None]
"""Reads the rows of an item. None says that the item is not about the table at all, so that a table is not
called captured for having been looked for in something else."""

_PLACE = (
    Column("item", "category", about="Id of the item the row was read from.", source="manifest"),
    Column("pointer", "str", about="Place in that item: RFC 6901, L120 or #pem2.", source="decoder"),
)
_TIME = Column("captured_at", "datetime64[us, UTC]", about="When the item was captured.", source="manifest")
_POD = (
    Column("namespace", "category", about="Namespace of the subject.", source="manifest"),
    Column("pod", "category", about="Name of the pod.", source="manifest"),
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: either `reads` items of some kinds, or `derives` from other tables.

    Attributes:
        id: the name, a plural; the attribute of ``mf.open(...)``.
        about: one sentence.
        of: ``"pod"`` when every row belongs to the pod that is the item's subject; ``"mesh"`` when not.
        columns: the columns beside the key and the place.
        reads: item kind (``"kubernetes.*"`` matches by prefix) to a function that yields
            ``(pointer, *values)`` in the order of `columns`. Items are read in the order of `reads`, so the
            first kind is the preferred place of a row that `distinct` keeps once.
        derives: a function whose parameters are table names and that returns a frame with the columns.
        distinct: a column, or several, whose first row per value is kept; ``""`` keeps all rows.
        sampled: over time, a distinct value has one row per capture, because its other columns change.
    """

    id: str
    about: str
    of: Literal["pod", "mesh"]
    columns: tuple[Column, ...]
    reads: Mapping[str, Rows] = field(default_factory=dict)
    derives: Callable[..., pd.DataFrame] | None = None
    distinct: str | tuple[str, ...] = ""
    sampled: bool = False

    def __post_init__(self) -> None:
        """Refuse a table that comes from nowhere, or from two places, or repeats a column."""
        if bool(self.reads) == (self.derives is not None):
            raise DeclarationError(f"table {self.id}: give `reads` or `derives`, one of them")
        names = [column.name for column in self.all_columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DeclarationError(f"table {self.id}: column {twice[0]} is declared twice")
        for name in self.distinct_by:
            if name not in names:
                raise DeclarationError(f"table {self.id}: distinct by {name!r}, which is no column")

    @property
    def key(self) -> tuple[Column, ...]:
        """The columns that the framework fills from the item."""
        return (*_POD, _TIME) if self.of == "pod" else (_TIME,)

    @property
    def distinct_by(self) -> tuple[str, ...]:
        """The columns of `distinct`; none keeps all rows."""
        if isinstance(self.distinct, tuple):
            return self.distinct
        return (self.distinct,) if self.distinct else ()

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Key, declared columns, place."""
        return (*self.key, *self.columns, *_PLACE)

    def rows_function(self, kind: str) -> Rows | None:
        """The function that reads items of `kind`; an exact name wins over a prefix."""
        pattern = self._pattern(kind)
        return None if pattern is None else self.reads[pattern]

    def rank(self, kind: str) -> int:
        """The position of `kind` among what is read: rows of a lower rank come first."""
        pattern = self._pattern(kind)
        return len(self.reads) if pattern is None else list(self.reads).index(pattern)

    def _pattern(self, kind: str) -> str | None:
        if kind in self.reads:
            return kind
        fits = [p for p in self.reads if p.endswith("*") and kind.startswith(p[:-1])]
        return max(fits, key=len) if fits else None
