"""Growth: does a proxy's live memory grow over a series, and what grows with it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, places, text

_CONFIGURATION = r"(?:cluster_manager[._]active_clusters|listener_manager[._]total_listeners_active)\Z"
_ROUTE_UPDATES = r"http[._].*rds[._].*config_reload\Z"
_REQUESTS = r"http[._](?:.*[._])?downstream_rq_total\Z"
_OPEN = r"http[._](?:.*[._])?downstream_(?:rq|cx)_active\Z"
_CONNECTIONS = r"http[._](?:.*[._])?downstream_cx_active\Z"
_OWN = r"http[._](?:admin|agent|stats)[._]"
_FEWEST = 3
_CONFIDENCE = 0.95
_ONSET_SHARE = 0.05
_VARIES = 0.1


class Trend(NamedTuple):
    """A trend: Theil-Sen slope per hour with its 95 % interval, and Mann-Kendall's p of no growth."""

    slope: float
    low: float
    high: float
    p: float
    rises: bool


def _growth(memory: pd.DataFrame, stats: pd.DataFrame = ABSENT) -> pd.DataFrame:
    memory = memory[memory["allocated"].notna() & memory["captured_at"].notna()]
    by_pod = dict(list(stats.groupby(text(stats["namespace"]) + "/" + text(stats["pod"])))) if len(stats) else {}
    rows = []
    for holder, own in memory.groupby(text(memory["namespace"]) + "/" + text(memory["pod"])):
        samples = own.sort_values("captured_at", kind="stable").drop_duplicates("captured_at")
        if samples["captured_at"].nunique() >= _FEWEST:
            rows.append(_row(samples, drivers_of(by_pod.get(holder, stats.iloc[:0]))))
    return pd.DataFrame(rows, columns=[column.name for column in growth.all_columns])


def _row(samples: pd.DataFrame, drivers: Mapping[str, "pd.Series[float]"]) -> dict[str, Any]:
    live = samples.set_index("captured_at")["allocated"].astype(float)
    seen = trend(live)
    last = samples.iloc[-1]
    opened = drivers.get("open")
    requests = drivers.get("requests")
    rate = _rate(requests)
    return {
        **{name: last[name] for name in ("namespace", "pod", "captured_at", "item", "pointer")},
        "samples": len(samples),
        "span_s": (live.index[-1] - live.index[0]).total_seconds(),
        "first_bytes": int(live.iloc[0]),
        "last_bytes": int(live.iloc[-1]),
        "slope": seen.slope,
        "slope_low": seen.low,
        "slope_high": seen.high,
        "p": seen.p,
        "rises": seen.rises,
        "at": _onset(live),
        "median_bytes": int(live.median()),
        "fell_share": _fell(live),
        "peak_bytes": int(live.max()),
        "with_requests": _correlation(live, rate),
        "with_connections": _correlation(live, drivers.get("connections")),
        "with_configuration": _correlation(live, drivers.get("configuration")),
        "with_route_updates": _correlation(live, drivers.get("route_updates")),
        "with_series": _correlation(live, drivers.get("series")),
        "unfinished_share": _unfinished(opened, requests),
        "open_rises": trend(opened).rises if opened is not None and len(opened) >= _FEWEST else None,
        "evidence": places(samples),
    }


def trend(values: "pd.Series[float]") -> Trend:
    """The trend of at least three values by capture time.

    Growth is significant at p below 0.01 from 8 samples on; with fewer, where the interval is above zero.
    """
    from scipy import stats as scipy_stats  # noqa: PLC0415 - half a second that only series need

    hours = np.asarray((values.index - values.index[0]).total_seconds(), dtype=float) / 3600.0
    measured = values.to_numpy(dtype=float)
    slope, _, low, high = scipy_stats.theilslopes(measured, hours, _CONFIDENCE)
    order = scipy_stats.kendalltau(hours, measured, alternative="greater")
    p = 1.0 if np.isnan(order.pvalue) else float(order.pvalue)
    rises = p < 0.01 if len(measured) >= 8 else float(low) > 0
    return Trend(float(slope), float(low), float(high), p, bool(rises))


def drivers_of(stats: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    """What may drive the memory of one proxy, each by capture time, from its stats over time.

    ``requests`` (total, counter), ``open`` (active requests, else connections), ``connections``,
    ``configuration`` (clusters and listeners held), ``route_updates`` (counter), ``series`` (number of
    stats). A driver without stats is not there: absent is not zero.
    """
    if stats.empty:
        return {}
    name = text(stats["name"])
    own = stats[~name.str.contains(_OWN) & ~text(stats["labels"]).str.contains('"(?:admin|agent|stats)"')]
    said = text(own["name"])
    active = own[said.str.contains(_OPEN)]
    requests = active[text(active["name"]).str.endswith("rq_active")]
    wanted = {
        "requests": own[said.str.contains(_REQUESTS)],
        "open": requests if len(requests) else active,
        "connections": own[said.str.contains(_CONNECTIONS)],
        "configuration": own[said.str.contains(_CONFIGURATION)],
        "route_updates": own[said.str.contains(_ROUTE_UPDATES)],
    }
    made = {key: rows.groupby("captured_at")["value"].sum().astype(float) for key, rows in wanted.items() if len(rows)}
    return {**made, "series": stats.groupby("captured_at").size().astype(float)}


def _rate(total: "pd.Series[float] | None") -> "pd.Series[float] | None":
    """Per second between samples of a counter; one that fell was reset, and gives no rate."""
    if total is None or len(total) < 2:
        return None
    seconds = pd.Series(total.index, index=total.index).diff().dt.total_seconds()
    grown = total.diff()
    made: pd.Series[float] = (grown / seconds).where(grown >= 0).dropna()
    return made


def _correlation(live: "pd.Series[float]", driver: "pd.Series[float] | None") -> float | None:
    """Pearson's r with what drives; None where it, or enough of it, is not known, 0 where it hardly varies.

    A driver that changed by less than a tenth of itself explains no growth, in whatever order it did.
    """
    if driver is None:
        return None
    both = _beside(live, driver).dropna().to_numpy(dtype=float)
    if len(both) < _FEWEST:
        return None
    if np.ptp(both[:, 0]) == 0 or np.ptp(both[:, 1]) <= _VARIES * np.median(both[:, 1]):
        return 0.0
    return float(np.corrcoef(both[:, 0], both[:, 1])[0, 1])


def _beside(live: "pd.Series[float]", driver: "pd.Series[float]") -> pd.DataFrame:
    """Each sample of memory with the driver's nearest: one round asks for one thing after the other."""
    gap = pd.Timedelta(pd.Series(live.index).diff().median())
    left = pd.DataFrame({"at": live.index, "live": live.to_numpy()})
    right = pd.DataFrame({"at": driver.index, "driver": driver.to_numpy()}).sort_values("at")
    near = pd.merge_asof(left, right, on="at", direction="nearest", tolerance=gap / 2)
    return near[["live", "driver"]]


def _fell(live: "pd.Series[float]") -> float:
    """How much of its rise the memory gave back after its peak: 0 where it only rises, 1 where it came down again."""
    peak = int(np.argmax(live.to_numpy()))
    top = float(live.iloc[peak])
    rise = top - float(live.iloc[: peak + 1].min())
    return (top - float(live.iloc[peak:].min())) / rise if rise > 0 else 0.0


def _unfinished(opened: "pd.Series[float] | None", requests: "pd.Series[float] | None") -> float | None:
    """The share of newly begun requests that stayed open over the series."""
    if opened is None or requests is None:
        return None
    begun = float(requests.iloc[-1] - requests.iloc[0])
    return float(opened.iloc[-1] - opened.iloc[0]) / begun if begun > 0 else None


def _onset(live: "pd.Series[float]") -> pd.Timestamp:
    """The last sample before memory had grown by a twentieth of all that it grew."""
    low = float(live.iloc[0])
    above = live[live > low + _ONSET_SHARE * (float(live.max()) - low)]
    before = live[live.index < above.index[0]] if len(above) else live
    began: pd.Timestamp = before.index[-1] if len(before) else live.index[0]
    return began


growth = Table(
    id="growth",
    about="Trend of each proxy's live memory over a series, and what grows with it; empty without three samples.",
    of="pod",
    columns=(
        Column("samples", "Int64", unit="samples", about="Samples of memory.", source="memory"),
        Column("span_s", "Float64", unit="s", about="From the first sample to the last.", source="memory"),
        Column("first_bytes", "Int64", unit="bytes", about="Live memory at first.", source="memory allocated"),
        Column("last_bytes", "Int64", unit="bytes", about="Live memory at last.", source="memory allocated"),
        Column("median_bytes", "Int64", unit="bytes", about="Median of live memory.", source="memory allocated"),
        Column("slope", "Float64", unit="bytes/h", about="Theil-Sen slope.", source="computed"),
        Column("slope_low", "Float64", unit="bytes/h", about="Lower end of its 95 % interval.", source="computed"),
        Column("slope_high", "Float64", unit="bytes/h", about="Upper end of its 95 % interval.", source="computed"),
        Column("p", "Float64", about="Probability of such an order without growth (Mann-Kendall).", source="computed"),
        Column("rises", "boolean", about="Whether growth is significant.", source="computed"),
        Column("at", "datetime64[us, UTC]", about="Last sample before it had grown by a twentieth.", source="computed"),
        Column("peak_bytes", "Int64", unit="bytes", about="Most live memory.", source="memory allocated"),
        Column(
            "fell_share",
            "Float64",
            unit="ratio",
            about="How much of its rise memory gave back after its peak.",
            source="computed",
        ),
        Column("with_requests", "Float64", about="Correlation with the request rate.", source="stats"),
        Column("with_connections", "Float64", about="Correlation with open connections.", source="stats"),
        Column("with_configuration", "Float64", about="Correlation with clusters and listeners held.", source="stats"),
        Column(
            "with_route_updates",
            "Float64",
            about="Correlation with updates of route configurations; how large they are is told by no counter.",
            source="stats, rds config_reload",
        ),
        Column("with_series", "Float64", about="Correlation with the number of stats.", source="stats"),
        Column(
            "unfinished_share",
            "Float64",
            unit="ratio",
            about="Newly begun requests that stayed open.",
            source="stats",
        ),
        Column("open_rises", "boolean", about="Whether open requests grow significantly.", source="stats"),
        Column("evidence", "object", about="Place of every sample.", source="memory"),
    ),
    derives=_growth,
)
