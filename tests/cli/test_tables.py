"""Frames as text, CSV, JSON and Parquet."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from meshforensics.cli._tables import declarations, listing, write_frame
from meshforensics.model import UsageError
from meshforensics.tables import Column, Table


def _frame() -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "pod": ["web-1", None],
            "value": pd.array([2**64 - 1, None], dtype="UInt64"),
            "flags": [("UF", "URX"), ()],
            "not_after": ["9999-12-31T23:59:59Z", None],
        }
    )
    made["not_after"] = pd.to_datetime(made["not_after"], utc=True).astype("datetime64[us, UTC]")
    return made.astype({"pod": "category", "flags": "object"})


def _written(form: str, frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="utf-8", newline="")
    write_frame(frame, form, out)
    out.flush()
    return buffer.getvalue()


def test_csv_has_instants_as_rfc_3339_and_lists_as_json() -> None:
    assert _written("csv", _frame()).decode() == (
        'pod,value,flags,not_after\nweb-1,18446744073709551615,"[""UF"", ""URX""]",9999-12-31T23:59:59.000000Z\n,,[],\n'
    )


def test_json_has_every_number_exactly() -> None:
    assert json.loads(_written("json", _frame())) == [
        {
            "pod": "web-1",
            "value": 18446744073709551615,
            "flags": ["UF", "URX"],
            "not_after": "9999-12-31T23:59:59.000000Z",
        },
        {"pod": None, "value": None, "flags": [], "not_after": None},
    ]


def test_lists_that_duckdb_hands_on_as_arrays_are_lists() -> None:
    found = pd.DataFrame({"sans": [np.array(["a", "b"], dtype=object)]})

    assert _written("text", found).decode().splitlines() == ["sans", '["a", "b"]']


def test_text_is_aligned_with_numbers_to_the_right() -> None:
    assert _written("text", _frame()).decode().splitlines() == [
        "pod                   value  flags          not_after",
        'web-1  18446744073709551615  ["UF", "URX"]  9999-12-31T23:59:59.000000Z',
        "-                         -  []             -",
    ]


def test_text_cuts_long_cells_and_spells_out_control_characters() -> None:
    frame = pd.DataFrame({"message": ["x" * 61, "\x1b[2J\nnext"]})

    assert _written("text", frame).decode().splitlines() == ["message", "x" * 59 + "…", "\\x1b[2J next"]


def test_text_of_an_empty_frame_is_its_head() -> None:
    assert _written("text", _frame().iloc[:0]) == b"pod  value  flags  not_after\n"


def test_parquet_keeps_dtypes() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(_written("parquet", _frame())))

    assert table.column("value").to_pylist() == [18446744073709551615, None]


def test_parquet_to_a_terminal_is_refused() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(UsageError, match=r"send it to a file with > table\.parquet"):
        write_frame(_frame(), "parquet", Terminal())


TABLE = Table(
    id="parcels",
    about="What was sent.",
    of="mesh",
    columns=(Column("weight", "Float64", about="How heavy.", unit="kg", source="scales"),),
    reads={"unknown": lambda _: ()},
)
STATES = pd.DataFrame(
    {"rows": [1234], "items": [2], "reason": ["not captured: parcels"]}, index=pd.Index(["parcels"], name="table")
)


def test_listing_says_rows_meaning_columns_and_why_it_is_empty() -> None:
    assert listing([TABLE], STATES).splitlines() == [
        "parcels                   1,234  What was sent.",
        "                                 not captured: parcels",
        "                                 columns: captured_at, weight, item, pointer",
    ]


def test_declarations_have_every_column_with_its_meaning() -> None:
    (said,) = declarations([TABLE], STATES)

    assert {name: value for name, value in said.items() if name != "columns"} == {
        "table": "parcels",
        "about": "What was sent.",
        "rows": 1234,
        "items": 2,
        "reason": "not captured: parcels",
    }
    assert said["columns"][1] == {
        "name": "weight",
        "dtype": "Float64",
        "unit": "kg",
        "about": "How heavy.",
        "source": "scales",
    }
