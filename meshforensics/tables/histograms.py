"""Histograms: cumulative buckets and quantiles."""

import math
from collections.abc import Iterable

from meshforensics.formats import prometheus
from meshforensics.formats import stats as envoy_stats
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables.stats import _label, _labels_json


def _from_prometheus(reading: Reading) -> Iterable[Row]:
    scrape = reading.decoded(prometheus.decode)
    for sample in scrape.samples:
        for part in ("bucket", "sum", "count"):
            if sample.name.endswith(f"_{part}") and scrape.type_of(sample.name) == "histogram":
                yield _row(sample, part)


def _row(sample: prometheus.Sample, part: str) -> Row:
    limit = _label(sample.labels, "le")
    labels = tuple(pair for pair in sample.labels if pair[0] != "le")
    return (
        f"L{sample.line}",
        sample.name.removesuffix(f"_{part}"),
        part,
        _labels_json(labels),
        _label(sample.labels, "cluster_name"),
        _limit(limit),
        sample.real,
    )


def _limit(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _from_text(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(envoy_stats.decode).quantiles:
        cluster, _ = envoy_stats.cluster_of(each.name)
        part = "bucket" if each.kind == "B" else "quantile"
        at = each.at if math.isfinite(each.at) else None
        yield (each.pointer, each.name, part, "{}", cluster or None, at, each.cumulative)


histograms = Table(
    id="histograms",
    about="Histograms of proxies and istiod: cumulative buckets, sums and counts, or quantiles.",
    of="pod",
    columns=(
        Column("name", "category", about="Name of the histogram.", source="stats"),
        Column("part", "category", about="bucket, sum, count or quantile.", source="stats"),
        Column("labels", "category", about="Labels as a JSON object with sorted keys, without `le`.", source="stats"),
        Column(
            "cluster",
            "category",
            about="Envoy cluster, without Istio's delimiter.",
            source="label cluster_name, or the name",
        ),
        Column("limit", "Float64", about="Upper bound of a bucket, or percentile of a quantile.", source="label le"),
        Column("real", "Float64", about="Cumulative count, sum, or the quantile's value.", source="stats"),
    ),
    reads={
        "envoy.stats_prometheus": _from_prometheus,
        "envoy.stats": _from_text,
        "istiod.metrics": _from_prometheus,
        "agent.metrics": _from_prometheus,
        "linkerd.metrics": _from_prometheus,
    },
)
