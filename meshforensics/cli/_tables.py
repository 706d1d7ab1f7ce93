"""Print frames, and the declarations of tables, in the forms of `tables`."""

import json
import textwrap
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TextIO

import numpy as np
import pandas as pd

from meshforensics.model import UsageError
from meshforensics.report.plain_text import plain
from meshforensics.tables import Table

WIDEST = 60
"""Characters of a cell that the text form shows."""

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def write_frame(frame: pd.DataFrame, form: str, out: TextIO) -> None:
    """Write `frame` as text, CSV, a JSON list of records, or Parquet bytes.

    Raises:
        UsageError: Parquet to a terminal.
    """
    if form == "parquet":
        if out.isatty():
            raise UsageError("parquet is no text; send it to a file with > table.parquet")
        out.buffer.write(frame.to_parquet(index=False))
    elif form == "csv":
        _flat(frame).to_csv(out, index=False)
    elif form == "json":
        out.write(frame.to_json(orient="records", date_format="iso", date_unit="us", default_handler=str) + "\n")
    else:
        out.writelines(f"{line}\n" for line in _text(_flat(frame)))


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Instants as RFC 3339, lists as JSON: what one cell can hold."""
    made = {}
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            column = column.dt.strftime(_TIME)
        elif column.dtype == object:
            column = column.map(_cell)
        made[str(name)] = column
    return pd.DataFrame(made)


def _cell(value: Any) -> Any:
    """Lists as JSON; DuckDB hands them on as arrays."""
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    return json.dumps(list(listed), ensure_ascii=False) if isinstance(listed, (tuple, list)) else value


def _text(frame: pd.DataFrame) -> Iterable[str]:
    """A head and a line a row, aligned; long cells are cut, numbers stand to the right."""
    columns = []
    for name in frame.columns:
        right = pd.api.types.is_numeric_dtype(frame[name].dtype)
        cells = [name, *("-" if pd.isna(value) else _cut(str(value)) for value in frame[name])]
        width = max(len(cell) for cell in cells)
        columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in cells])
    for line in zip(*columns, strict=True):
        yield "  ".join(line).rstrip()


def _cut(text: str) -> str:
    shown = plain(" ".join(text[: 4 * WIDEST].split()))
    return shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"


def listing(tables: Iterable[Table], states: pd.DataFrame) -> str:
    """Each table with its number of rows, its meaning, its columns, and why it is empty."""
    known = states.to_dict("index")
    return "".join(f"{line}\n" for table in tables for line in _listed(table, known[table.id]))


def _listed(table: Table, state: Mapping[Hashable, Any]) -> list[str]:
    head = f"{table.id:<22}{state['rows']:>9,}  {table.about}"
    why = [f"{'':<33}{state['reason']}"] if state["reason"] else []
    columns = "columns: " + ", ".join(column.name for column in table.all_columns)
    return [head, *why, *textwrap.wrap(columns, 110, initial_indent=" " * 33, subsequent_indent=" " * 33)]


def declarations(tables: Iterable[Table], states: pd.DataFrame) -> list[dict[str, Any]]:
    """Every table with its columns and its state, as plain JSON values."""
    known = states.to_dict("index")
    return [
        {
            "table": table.id,
            "about": table.about,
            "rows": int(known[table.id]["rows"]),
            "items": int(known[table.id]["items"]),
            "reason": str(known[table.id]["reason"]),
            "columns": [
                {
                    "name": each.name,
                    "dtype": each.dtype,
                    "unit": each.unit,
                    "about": each.about,
                    "source": each.source,
                }
                for each in table.all_columns
            ],
        }
        for table in tables
    ]
