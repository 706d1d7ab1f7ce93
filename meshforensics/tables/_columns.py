"""Turn what rows functions yield into frames, column by column, in declared dtypes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from meshforensics.model import DeclarationError
from meshforensics.tables._declare import Column, Row, Stretch, Table

_ARROW = {
    "category": pa.string(),
    "str": pa.string(),
    "Int64": pa.int64(),
    "UInt64": pa.uint64(),
    "Float64": pa.float64(),
    "boolean": pa.bool_(),
}
_PANDAS = {
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


_Places = np.ndarray[Any, np.dtype[np.int64]]


class Block(NamedTuple):
    """The rows of one item, and what all of them share."""

    namespace: str
    pod: str
    captured_at: datetime | None
    item: str
    rows: Sequence[Stretch]


def stretches(rows: Iterable[Row] | Sequence[Stretch]) -> Sequence[Stretch]:
    """What a rows function gave, as stretches; a list of rows is its own, so that items can share it."""
    made = rows if isinstance(rows, list) else list(cast("Iterable[Any]", rows))
    if made and isinstance(made[0], Stretch):
        return cast("list[Stretch]", made)
    return [Stretch(made, np.arange(len(made)))] if made else []


def build(table: Table, blocks: Sequence[Block], *, over_time: bool = False) -> pd.DataFrame:
    """A frame of `table`, in declared dtypes.

    What the rows of an item share is written once per item and repeated as numbers; a list of rows that
    several items share (the same object) is read once.

    Raises:
        DeclarationError: a row has not as many values as the table has columns, or of another type.
    """
    parts = [part for block in blocks for part in block.rows]
    if not parts:
        return _empty(table.id, table.all_columns).copy()
    rows, taken = _once(parts)
    values = _values(table, rows, len(table.columns) + 1)
    columns = (Column("pointer", "str", about=""), *table.columns)
    own = {name for part in parts for name in part.own}
    made = _shared(blocks)
    for place, (column, each) in enumerate(zip(columns, values, strict=True)):
        if column.name in own:
            made[column.name] = _own(column, parts, place)
        else:
            made[column.name] = _repeated_rows(_series(table.id, column, each), taken)
    frame = pd.DataFrame({column.name: made[column.name] for column in table.all_columns})
    return _distinct(table, frame, over_time=over_time)


@cache
def _empty(table: str, columns: tuple[Column, ...]) -> pd.DataFrame:
    """A table without rows, of which every capture has many."""
    return pd.DataFrame({column.name: _series(table, column, ()) for column in columns})


def _shared(blocks: Sequence[Block]) -> dict[str, "pd.Series[Any]"]:
    """The columns that all rows of an item have in common."""
    counts = np.array([sum(len(part.taken) for part in block.rows) for block in blocks], dtype=np.int64)
    return {
        "namespace": _repeated([block.namespace for block in blocks], counts),
        "pod": _repeated([block.pod for block in blocks], counts),
        "captured_at": _repeated_times([block.captured_at for block in blocks], counts),
        "item": _repeated([block.item for block in blocks], counts),
    }


def _once(parts: Sequence[Stretch]) -> tuple[list[Row], _Places | None]:
    """The rows that are there, each once, in the order of the frame; and which of them each row of the frame is.

    None in place of the latter: the frame has exactly these rows.
    """
    lists = list({id(part.rows): part.rows for part in parts}.values())
    starts = np.cumsum([0, *map(len, lists)]).tolist()
    begin = {id(rows): start for rows, start in zip(lists, starts, strict=False)}
    taken = np.concatenate([np.zeros(0, dtype=np.int64), *(begin[id(part.rows)] + part.taken for part in parts)])
    rows = list(chain.from_iterable(lists))
    if len(rows) == len(taken) and bool((taken == np.arange(len(taken))).all()):
        return rows, None
    first = np.full(len(rows), len(taken))
    first[taken[::-1]] = np.arange(len(taken))[::-1]
    used = np.argsort(first, kind="stable")[: int((first < len(taken)).sum())]
    place = np.zeros(len(rows), dtype=np.int64)
    place[used] = np.arange(len(used))
    return [rows[each] for each in used.tolist()], place[taken]


def _repeated_rows(series: "pd.Series[Any]", taken: _Places | None) -> "pd.Series[Any]":
    if taken is None:
        return series
    if series.isna().all():  # takes of nothing but missing texts are slow, and `error` is one of a million rows
        return series.iloc[:0].reindex(range(len(taken)))
    return series.take(taken).reset_index(drop=True)


def _own(column: Column, parts: Sequence[Stretch], place: int) -> "pd.Series[Any]":
    """A column of texts that some items have of their own."""
    chunks = [
        part.own[column.name]
        if column.name in part.own
        else pa.array([part.rows[row][place] for row in part.taken.tolist()], pa.large_string())
        for part in parts
    ]
    texts = pa.chunked_array(chunks, pa.large_string()).combine_chunks()
    if column.dtype == "datetime64[us, UTC]":
        return _printed_instants(texts)
    return cast("pd.Series[Any]", texts.to_pandas())


def _printed_instants(texts: pa.Array) -> "pd.Series[Any]":
    """Times of one column, by Arrow, which reads a million in the time of ten thousand; odd ones as elsewhere."""
    try:
        return cast("pd.Series[Any]", texts.cast(pa.timestamp("us", tz="UTC")).to_pandas())
    except pa.ArrowInvalid:
        return _instants(texts.to_pylist())


def _values(table: Table, rows: list[Row], width: int) -> Sequence[Sequence[object]]:
    if not rows:
        return [()] * width
    try:
        values = list(zip(*rows, strict=True))
    except ValueError:
        values = []
    if len(values) != width:
        odd = next((row for row in rows if len(row) != width), rows[0])
        raise DeclarationError(f"table {table.id}: a row has {len(odd)} values, not {width}: {odd!r}")
    return values


def _repeated(of_blocks: Sequence[str], counts: "np.ndarray[Any, np.dtype[np.int64]]") -> "pd.Series[Any]":
    codes, names = pd.factorize(np.array(of_blocks, dtype=object))
    categories = pd.Index(names, dtype="str")
    return pd.Series(pd.Categorical.from_codes(np.repeat(codes, counts), categories=categories))


def _repeated_times(
    of_blocks: Sequence[datetime | None], counts: "np.ndarray[Any, np.dtype[np.int64]]"
) -> "pd.Series[Any]":
    return pd.Series(pd.DatetimeIndex(_instants(of_blocks)).repeat(counts))


def typed(table: Table, frame: pd.DataFrame, *, over_time: bool = False) -> pd.DataFrame:
    """`frame` with exactly the columns of `table`, in order and in declared dtypes.

    Raises:
        DeclarationError: a declared column is not there.
    """
    if not len(frame):
        return _empty(table.id, table.all_columns).copy()
    lacking = [column.name for column in table.all_columns if column.name not in frame.columns]
    if lacking:
        raise DeclarationError(f"table {table.id}: derived without column {lacking[0]}")
    made = {column.name: _as_declared(frame[column.name], column) for column in table.all_columns}
    return _distinct(table, pd.DataFrame(made).reset_index(drop=True), over_time=over_time)


def _as_declared(series: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    if str(series.dtype) == column.dtype:
        return series
    if column.dtype == "category":
        return series.astype("str").where(series.notna(), None).astype("category")
    if column.dtype == "datetime64[us, UTC]":  # of unknown times only, pandas makes a column without a zone
        return pd.to_datetime(series, utc=True).astype(column.dtype)
    return series.astype(cast("Any", column.dtype))


def _distinct(table: Table, frame: pd.DataFrame, *, over_time: bool) -> pd.DataFrame:
    if not table.distinct:
        return frame
    by = [*table.distinct_by, "captured_at"] if over_time and table.sampled else list(table.distinct_by)
    return frame.drop_duplicates(by, keep="first", ignore_index=True)


def _series(table: str, column: Column, values: Sequence[object]) -> "pd.Series[Any]":
    try:
        if column.dtype == "object":
            return pd.Series(list(values), dtype="object")
        if column.dtype == "datetime64[us, UTC]":
            return _instants(values)
        array = pa.array(values, type=_ARROW[column.dtype])
        if column.dtype == "category":
            return cast("pd.Series[Any]", array.dictionary_encode().to_pandas())
        return cast("pd.Series[Any]", array.to_pandas(types_mapper=_PANDAS.get).astype(column.dtype))
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise DeclarationError(f"table {table}, column {column.name}: {error}") from error


def _instants(values: Sequence[object]) -> "pd.Series[Any]":
    made = pd.to_datetime(cast("list[str]", list(values)), utc=True, format="ISO8601", errors="coerce")
    return pd.Series(made).astype("datetime64[us, UTC]")
