"""Throttling: how often the kernel held a container of the mesh back, because it had used up its CPU limit."""

from collections.abc import Iterator

from meshforensics.formats.prometheus_range import decode
from meshforensics.tables._declare import Column, Reading, Row, Table

QUERY = "throttled"
"""The query that is asked for it; its item's subject."""


def _rows(reading: Reading) -> list[Row] | None:
    return list(_samples(reading)) if reading.item.subject == QUERY else None


def _samples(reading: Reading) -> Iterator[Row]:
    for one in reading.decoded(decode):
        labels = one.labels
        yield one.pointer, *(labels.get(name) for name in ("namespace", "pod", "container")), one.at, one.real


throttling = Table(
    id="throttling",
    about="Share of scheduler periods in which a container of the mesh was throttled, by Prometheus.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the pod.", source="label namespace"),
        Column("pod", "category", about="Name of the pod.", source="label pod"),
        Column("container", "category", about="Name of the container.", source="label container"),
        Column("at", "datetime64[us, UTC]", about="Instant of the sample.", source="values[][0]"),
        Column("share", "Float64", unit="ratio", about="Throttled of all periods; missing for NaN.", source="values"),
    ),
    reads={"prometheus.range": _rows},
)
