"""Samples: what Prometheus answered to a query over a range of time."""

from collections.abc import Iterator

from meshforensics.formats.prometheus_range import decode
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import json_text


def _rows(reading: Reading) -> Iterator[Row]:
    query = reading.item.subject
    for one in reading.decoded(decode):
        yield one.pointer, query, json_text(one.labels) or "{}", one.at, one.real


samples = Table(
    id="samples",
    about="Samples of Prometheus, one row per series and instant.",
    of="mesh",
    columns=(
        Column("query", "category", about="Id of the query, or name of the alert.", source="subject"),
        Column("labels", "str", about="Labels as JSON, keys sorted.", source="metric"),
        Column("at", "datetime64[us, UTC]", about="Instant of the sample.", source="values[][0]"),
        Column("real", "Float64", about="Value; missing for NaN.", source="values[][1]"),
    ),
    reads={"prometheus.range": _rows, "prometheus.alert": _rows},
)
