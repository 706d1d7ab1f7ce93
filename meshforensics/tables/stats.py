"""Stats: counters and gauges of proxies and of istiod, exact."""

import json
from collections.abc import Iterable
from functools import lru_cache

from meshforensics.formats import prometheus
from meshforensics.formats import stats as envoy_stats
from meshforensics.tables._declare import Column, Reading, Row, Table

_PARTS = ("_bucket", "_sum", "_count")


@lru_cache(maxsize=65536)
def _labels_json(labels: prometheus.Labels) -> str:
    return json.dumps(dict(labels), ensure_ascii=False, separators=(",", ":"))


def _label(labels: prometheus.Labels, name: str) -> str | None:
    return next((value.rstrip(";") or None for key, value in labels if key == name), None)


def _from_prometheus(reading: Reading) -> Iterable[Row]:
    scrape = reading.decoded(prometheus.decode)
    for sample in scrape.samples:
        kind = scrape.type_of(sample.name)
        if kind == "histogram" and sample.name.endswith(_PARTS):
            continue
        yield (
            f"L{sample.line}",
            sample.name,
            kind or None,
            _labels_json(sample.labels),
            _label(sample.labels, "cluster_name"),
            _label(sample.labels, "response_code"),
            sample.value,
            sample.real,
        )


def _from_text(reading: Reading) -> Iterable[Row]:
    for stat in reading.decoded(envoy_stats.decode).stats:
        cluster, _ = envoy_stats.cluster_of(stat.name)
        yield (stat.pointer, stat.name, None, "{}", cluster or None, None, stat.value, float(stat.value))


stats = Table(
    id="stats",
    about="Counters and gauges of proxies and of istiod, exact; histograms are in `histograms`.",
    of="pod",
    columns=(
        Column("name", "category", about="Name as exposed.", source="stats"),
        Column("type", "category", about="counter or gauge; missing where the form does not say.", source="# TYPE"),
        Column("labels", "category", about="Labels as a JSON object with sorted keys.", source="stats"),
        Column(
            "cluster",
            "category",
            about="Envoy cluster, without Istio's delimiter.",
            source="label cluster_name, or the name",
        ),
        Column(
            "response_code",
            "category",
            about="Response code, where the family has one.",
            source="label response_code",
        ),
        Column("value", "UInt64", about="The value where it is a whole number, exact up to 2^64-1.", source="stats"),
        Column("real", "Float64", about="The value as a float.", source="stats"),
    ),
    reads={
        "envoy.stats_prometheus": _from_prometheus,
        "envoy.stats": _from_text,
        "istiod.metrics": _from_prometheus,
        "agent.metrics": _from_prometheus,
        "linkerd.metrics": _from_prometheus,
    },
)
