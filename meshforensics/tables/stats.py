"""Stats: counters, gauges and texts of proxies, istiod and agents, exact; and their histograms."""

from collections.abc import Iterable

from meshforensics.formats import prometheus
from meshforensics.formats import stats as envoy_stats
from meshforensics.tables._declare import Column, Reading, Row, Rows, Table

_NAME = Column("name", "category", about="Name as printed.", source="stats")
_LABELS = Column("labels", "category", about="Labels as a JSON object, keys sorted; {} in text.", source="stats")
_CLUSTER = Column(
    "cluster",
    "category",
    about="Envoy cluster it is about, without Istio's delimiter.",
    source="label cluster_name or envoy_cluster_name, else the name",
)
_LISTENER = Column(
    "listener",
    "category",
    about="Listener address, or prefix of the HTTP connection manager, it is about.",
    source="labels listener_address and http_conn_manager_prefix, else the name",
)


def _stats_of(reading: Reading) -> Iterable[Row]:
    return reading.decoded(prometheus.decode).stats


def _stats_of_admin(reading: Reading) -> Iterable[Row]:
    return reading.decoded(envoy_stats.decode).stats


def _histograms_of(reading: Reading) -> Iterable[Row]:
    return reading.decoded(prometheus.decode).histograms


def _histograms_of_admin(reading: Reading) -> Iterable[Row]:
    return reading.decoded(envoy_stats.decode).histograms


def _reads(scrape: Rows, admin: Rows) -> dict[str, Rows]:
    scrapes = ("envoy.stats_prometheus", "istiod.metrics", "agent.metrics", "ztunnel.metrics", "linkerd.metrics")
    return {**dict.fromkeys(scrapes, scrape), "envoy.stats": admin}


stats = Table(
    id="stats",
    about="Counters, gauges and texts of proxies, istiod and agents, exact.",
    of="pod",
    columns=(
        _NAME,
        Column("type", "category", about="counter, gauge or text; missing where not said.", source="# TYPE"),
        _LABELS,
        _CLUSTER,
        _LISTENER,
        Column(
            "response_code",
            "category",
            about="Status code such as 503, or class such as 5xx.",
            source="labels response_code and response_code_class, else the name",
        ),
        Column("value", "UInt64", about="Value where it is a whole number, exact up to 2^64-1.", source="stats"),
        Column("real", "Float64", about="Value as a float; missing for NaN.", source="stats"),
        Column("text", "str", about="Value of a text readout.", source="/stats"),
    ),
    reads=_reads(_stats_of, _stats_of_admin),
)

histograms = Table(
    id="histograms",
    about="Histograms since start: a row per bucket (`le`, `count`) or per quantile (`quantile`, `real`).",
    of="pod",
    columns=(
        _NAME,
        Column("type", "category", about="histogram or summary.", source="# TYPE, or the form of the text"),
        _LABELS,
        _CLUSTER,
        _LISTENER,
        Column("le", "Float64", about="Upper bound of the bucket; infinite in the last.", source="label le"),
        Column("quantile", "Float64", about="Quantile, 0 to 1.", source="label quantile"),
        Column("count", "UInt64", about="Observations of at most `le`.", source="_bucket, _count"),
        Column("sum", "Float64", about="Sum of all observations, in the row without bound.", source="_sum"),
        Column("real", "Float64", about="Value at the quantile, in the unit of the name.", source="quantile"),
    ),
    reads=_reads(_histograms_of, _histograms_of_admin),
)
