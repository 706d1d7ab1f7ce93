"""Helpers to test checks and tables, ours and yours, without a bundle.

>>> from meshforensics.testing import frame
>>> list(frame(role=["leaf"])["item"])
['test:-@unknown']
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import pandas as pd

from meshforensics.checks import Check, Context, run
from meshforensics.model import Finding, Item, NotTheFormError, Status, UnknownNameError, Window
from meshforensics.profile import Profile, load_profile
from meshforensics.tables import Row, Table, Tables, declared_tables, typed

ITEM = "test:-@unknown"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a check said: its findings, or why it was not evaluated."""

    findings: tuple[Finding, ...] = ()
    not_evaluated: str | None = None


def frame(table: str = "", **columns: list[Any]) -> pd.DataFrame:
    """A frame for a test; `item` and `pointer` (``/0``, ``/1``, …) are filled in where not given.

    Args:
        table: the id of a declared table: the frame then has all of its columns in their dtypes, and
            columns that are not given are missing values.
        **columns: values by column name.
    """
    rows = max((len(values) for values in columns.values()), default=0)
    made = pd.DataFrame({name: pd.Series(values, dtype=_dtype(values)) for name, values in columns.items()})
    if "item" not in made:
        made["item"] = [ITEM] * rows
    if "pointer" not in made:
        made["pointer"] = [f"/{index}" for index in range(rows)]
    if not table:
        return made
    declared = declared_tables()
    if table not in declared:
        raise UnknownNameError("table", table, declared)
    missing = {
        column.name: _missing(column.dtype, rows) for column in declared[table].all_columns if column.name not in made
    }
    return typed(declared[table], pd.concat([made, pd.DataFrame(missing)], axis="columns"))


@lru_cache(maxsize=1024)
def _missing(dtype: str, rows: int) -> "pd.Series[Any]":
    """A column of missing values; most columns of most frames are one."""
    if dtype == "category":
        return pd.Series(pd.Categorical([None] * rows, categories=pd.Index([], dtype="str")))
    return pd.Series([None] * rows, dtype=cast("Any", dtype))


def _dtype(values: list[Any]) -> Any:
    return "object" if any(isinstance(value, (tuple, list)) for value in values) else None


@dataclass(frozen=True)
class _Frames:
    frames: Mapping[str, pd.DataFrame]

    def frame(self, name: str) -> pd.DataFrame:
        return self.frames[name] if name in self.frames else frame(name)

    def over_time(self, name: str) -> pd.DataFrame:
        given = f"{name}_over_time"
        return self.frames[given] if given in self.frames else frame(name)

    def reason(self, name: str, *, over_time: bool) -> str:
        given = f"{name}_over_time" if over_time else name
        return "" if given in self.frames else f"not captured: {name}"


def outcome(
    check: Check,
    *,
    at: datetime | pd.Timestamp | None = None,
    window: Window | timedelta = timedelta(minutes=15),
    profile: Profile | None = None,
    **frames: pd.DataFrame,
) -> Said:
    """Run `check` on frames given by parameter name; a table that is not given was not captured."""
    instant = at.to_pydatetime() if isinstance(at, pd.Timestamp) else at
    if isinstance(window, timedelta):
        span = Window(start=instant - window, end=instant) if instant else None
    else:
        span = window
    context = Context(at=instant, window=span, profile=profile or load_profile())
    for name in frames:
        if name not in {parameter.name for parameter in check.parameters}:
            raise UnknownNameError("parameter", name, [parameter.name for parameter in check.parameters])
    said = run(check, _Frames(frames), context, lambda item, pointer: (item, pointer))
    reason = said.not_evaluated.reason if said.not_evaluated else None
    return Said(findings=said.findings, not_evaluated=reason)


@dataclass(frozen=True)
class _Payloads:
    """Items with their bytes, in place of a bundle."""

    items: tuple[Item, ...]
    by_path: Mapping[str, bytes]

    def read(self, item: Item) -> bytes:
        return self.by_path[item.path or ""]


def tables_of(
    *items: tuple[str, str, bytes], captured_at: datetime | None = None, extra: tuple[Table, ...] = ()
) -> Tables:
    """Tables over ``(kind, subject, payload)`` items that exist nowhere else."""
    made = tuple(
        Item(
            kind=kind,
            subject=subject,
            status=Status.CAPTURED,
            captured_at=captured_at,
            path=str(number),
            bytes=len(payload),
        )
        for number, (kind, subject, payload) in enumerate(items)
    )
    evidence = _Payloads(made, {str(number): payload for number, (_, _, payload) in enumerate(items)})
    return Tables(evidence, {**declared_tables(), **{table.id: table for table in extra}}, at=None)


def rows_of(
    table: Table,
    payload: bytes,
    *,
    kind: str,
    subject: str = "shop/web-1",
    captured_at: datetime | None = None,
) -> list[Row]:
    """The rows that `table` makes of one item: key, columns, item, pointer.

    Raises:
        NotTheFormError: the payload was refused.
    """
    tables = tables_of((kind, subject, payload), captured_at=captured_at, extra=(table,))
    made = tables.frame(table.id)
    refused = tables.state(table.id).not_decoded
    if refused:
        raise NotTheFormError(refused[0][1])
    return [tuple(row) for row in made.itertuples(index=False, name=None)]
