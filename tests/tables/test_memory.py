"""Memory of proxies."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.model import NotTheFormError
from meshforensics.tables.memory import memory
from meshforensics.testing import rows_of, tables_of

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/memory"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_row() -> None:
    rows = rows_of(memory, SAMPLE.read_bytes(), kind="envoy.memory", captured_at=NOON)

    assert rows == [
        (
            "shop",
            "web-1",
            pd.Timestamp(NOON),
            8182768,
            14680064,
            0,
            4497408,
            672656,
            17754942,
            "envoy.memory:shop/web-1@2026-11-23T12:00:00Z",
            "",
        )
    ]


def test_what_was_not_printed_is_missing() -> None:
    frame = tables_of(("envoy.memory", "shop/web-1", b'{"allocated": "5"}')).frame("memory")

    assert list(frame.columns[frame.iloc[0].isna()]) == ["captured_at", *frame.columns[4:9]]


def test_another_form_is_refused() -> None:
    with pytest.raises(NotTheFormError):
        rows_of(memory, b"404 page not found", kind="envoy.memory")
