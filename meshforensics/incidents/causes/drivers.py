"""What grows with memory: drivers of a whole proxy, and the pools and listeners of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._growers import growers
from meshforensics.incidents.causes.series import held
from meshforensics.tables import drivers_of, ips_of, keys, text, trend

_PUSHES = r"(?:cluster_manager|listener_manager)[._](?:cds|lds)[._]update_success\Z"
_CLUSTERS = r"cluster_manager[._]active_clusters\Z"
_LISTENERS = r"listener_manager[._]total_listeners_active\Z"
_NAMED = {
    "connections": ("connections", "connections held open by callers"),
    "open": ("streams", "requests that are not finished, else connections"),
    "requests": ("requests", "requests a second"),
    "clusters": ("clusters", "clusters held"),
    "listeners": ("listeners", "listeners held"),
    "series": ("stats", "stats kept"),
    "pushes": ("pushes", "updates accepted since start (CDS and LDS)"),
}
_VARIES = 0.1
_FEWEST = 3

_OF_POOL = r"upstream_(?:cx|rq)|circuit_breakers|http2|http1"
_ACTIVE = r"(?:cx|rq)(?:_pending)?_active\Z"
_OWN = r"(?:http|listener)[._](?:admin|agent|stats)[._]|[._]worker_\d+[._]|main_thread"
_TOGETHER = 0.9


def with_drivers(case: Case) -> pd.DataFrame:
    """Each proxy with a series beside each driver that its stats tell of.

    Columns: proxy, driver, about, first, last, r (correlation with live memory; missing where the driver hardly
    varies), each_first and each_last (live bytes for one of it), left_low and left_high (interval of the slope of live
    memory, in bytes an hour, after what the driver explains is taken away).
    """
    stats = case.source.over_time("stats")
    grouped = stats.groupby(text(stats["namespace"]) + "/" + text(stats["pod"])) if len(stats) else ()
    by_proxy = {str(proxy): own for proxy, own in grouped}
    rows = []
    for proxy, samples in held(case).groupby("proxy"):
        own = by_proxy.get(str(proxy))
        if own is None or len(samples) < _FEWEST:
            continue
        live = samples.set_index("at")["allocated"].astype(float)
        rows += [_beside(str(proxy), name, live, driver, own) for name, driver in all_drivers(own).items()]
    return pd.DataFrame([row for row in rows if row], columns=[*_COLUMNS])


_COLUMNS = (
    *("proxy", "driver", "about", "first", "last", "r", "each_first", "each_last", "left_low", "left_high"),
    *("item", "pointer"),
)


def all_drivers(stats: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    """The drivers of one proxy by capture time, in the order that they are told in."""
    told = drivers_of(stats)
    told.pop("configuration", None)
    if "requests" in told:
        told["requests"] = _rate(told["requests"])
    name = text(stats["name"])
    for driver, pattern in (("clusters", _CLUSTERS), ("listeners", _LISTENERS), ("pushes", _PUSHES)):
        rows = stats[name.str.contains(pattern)]
        if len(rows):
            told[driver] = rows.groupby("captured_at")["value"].sum().astype(float)
    return {driver: told[driver] for driver in _NAMED if driver in told and len(told[driver])}


def _rate(total: "pd.Series[float]") -> "pd.Series[float]":
    seconds = pd.Series(total.index, index=total.index).diff().dt.total_seconds()
    grown = total.diff()
    made: pd.Series[float] = (grown / seconds).where(grown >= 0).dropna()
    return made


def aligned(live: "pd.Series[float]", driver: "pd.Series[float]") -> pd.DataFrame:
    """Each sample of memory with the driver's nearest, not further than half of the usual step."""
    gap = pd.Timedelta(pd.Series(live.index).diff().median())
    left = pd.DataFrame({"at": live.index, "live": live.to_numpy(dtype=float)})
    right = pd.DataFrame({"at": driver.index, "driver": driver.to_numpy(dtype=float)}).sort_values("at")
    near = pd.merge_asof(left, right, on="at", direction="nearest", tolerance=gap / 2)
    return near.dropna().reset_index(drop=True)


def _beside(
    proxy: str, name: str, live: "pd.Series[float]", driver: "pd.Series[float]", stats: pd.DataFrame
) -> dict[str, Any]:
    both = aligned(live, driver)
    if len(both) < _FEWEST:
        return {}
    varies = float(np.ptp(both["driver"])) > _VARIES * abs(float(both["driver"].median()))
    left = _left(both) if varies else trend(both.set_index("at")["live"])
    last = stats[stats["captured_at"] == stats["captured_at"].max()].iloc[0]
    title, about = _NAMED[name]  # a driver is a sum over many lines: its place is the whole item
    return {
        "proxy": proxy,
        "driver": title,
        "about": about,
        "first": float(both["driver"].iloc[0]),
        "last": float(both["driver"].iloc[-1]),
        "r": _correlation(both) if varies else None,
        "each_first": _each(both.iloc[0]),
        "each_last": _each(both.iloc[-1]),
        "left_low": left.low,
        "left_high": left.high,
        "item": str(last["item"]),
        "pointer": "",
    }


def _correlation(both: pd.DataFrame) -> float | None:
    if np.ptp(both["live"]) == 0:
        return None
    return float(np.corrcoef(both["live"], both["driver"])[0, 1])


def _each(row: "pd.Series[Any]") -> float | None:
    return float(row["live"] / row["driver"]) if row["driver"] > 0 else None


def _left(both: pd.DataFrame) -> Any:
    """The trend of live memory less what a straight line on the driver explains of it."""
    slope, base = np.polyfit(both["driver"], both["live"], 1)
    rest = both["live"] - (slope * both["driver"] + base)
    return trend(pd.Series(rest.to_numpy(), index=pd.DatetimeIndex(both["at"])))


def pools(case: Case) -> pd.DataFrame:
    """The gauges of each growing proxy that rise with its live memory, by cluster or listener, the closest first.

    Columns: proxy, what (upstream, listener), name (of the cluster or listener), gauge, first, last, r, each (live
    bytes for one more).
    """
    grown = {each.subject for each in growers(case)}
    stats = case.source.over_time("stats")
    name = text(stats["name"])
    active = stats[name.str.contains(_ACTIVE) & ~name.str.contains(_OWN) & stats["value"].notna()]
    of = text(active["namespace"]) + "/" + text(active["pod"])
    live = {str(proxy): rows.set_index("at")["allocated"].astype(float) for proxy, rows in held(case).groupby("proxy")}
    rows = [
        row
        for proxy, own in (active.groupby(of) if len(active) else ())
        if str(proxy) in grown and str(proxy) in live
        for row in _rising(str(proxy), own, live[str(proxy)])
    ]
    made = pd.DataFrame(
        rows, columns=["proxy", "what", "name", "gauge", "first", "last", "r", "each", "item", "pointer"]
    )
    return made.sort_values(["proxy", "r", "name", "gauge"], ascending=[True, False, True, True], ignore_index=True)


def _rising(proxy: str, own: pd.DataFrame, live: "pd.Series[float]") -> list[dict[str, Any]]:
    found = []
    for (gauge, labels), rows in _by_gauge(own):
        if "admin" in labels or "agent" in labels or '"stats"' in labels:
            continue
        series = rows.groupby("captured_at")["value"].sum().astype(float)
        both = aligned(live, series)
        if len(both) < _FEWEST or both["driver"].iloc[-1] <= both["driver"].iloc[0]:
            continue
        r = _correlation(both)
        if r is None or r < _TOGETHER:
            continue
        last = rows.sort_values("captured_at", kind="stable").iloc[-1]
        cluster, listener = _text(last["cluster"]), _text(last["listener"])
        found.append(
            {
                "proxy": proxy,
                "what": "upstream" if cluster else "listener",
                "name": cluster or listener or "the whole proxy",
                "gauge": gauge,
                "first": float(both["driver"].iloc[0]),
                "last": float(both["driver"].iloc[-1]),
                "r": r,
                "each": float(np.polyfit(both["driver"], both["live"], 1)[0]),
                "item": str(last["item"]),
                "pointer": str(last["pointer"]),
            }
        )
    return found


def _by_gauge(own: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    for key, rows in own.groupby([text(own["name"]), text(own["labels"])]):
        gauge, labels = cast("tuple[str, str]", key)
        yield (gauge, labels), rows


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def pool_stats(case: Case, proxy: str, cluster: str) -> pd.DataFrame:
    """The stats of one pool that changed: stat (as Envoy names it below the cluster), first, last.

    `/stats` and `/stats/prometheus` tell the same under two names; the first is kept where both were captured. What
    remains of a limit (``remaining_cx``) is left out: it falls by what ``upstream_cx_active`` rises.
    """
    stats = case.source.over_time("stats")
    of = text(stats["namespace"]) + "/" + text(stats["pod"])
    own = stats[(of == proxy) & (text(stats["cluster"]) == cluster) & stats["value"].notna()]
    name = text(own["name"])
    own = own[name.str.contains(_OF_POOL) & ~name.str.contains(r"[._]remaining_")]
    plain = own[text(own["name"]).str.startswith("cluster.")]
    own = plain if len(plain) else own
    below = text(own["name"]).str.replace(rf"^(?:cluster\.{re.escape(cluster)};?\.|envoy_cluster_)", "", regex=True)
    rows = []
    for stat, samples in own.groupby(below) if len(own) else ():
        series = samples.groupby("captured_at")["value"].sum().astype(float)
        if series.nunique() < 2:
            continue
        last = samples.sort_values("captured_at", kind="stable").iloc[-1]
        places: Mapping[str, str] = {"item": str(last["item"]), "pointer": str(last["pointer"])}
        rows.append({"stat": stat, "first": series.iloc[0], "last": series.iloc[-1], **places})
    return pd.DataFrame(rows, columns=["stat", "first", "last", "item", "pointer"])


def openers(case: Case) -> pd.DataFrame:
    """Who opens what piles up in each growing proxy: proxy, opener, how it is known, cx_active.

    What rises on an outbound listener is opened by the pod's own application; what rises on an inbound one by
    callers, of which those that were captured tell themselves how much they hold.
    """
    found = pools(case)
    rows = []
    for proxy, own in found.groupby("proxy"):
        outbound = own[(own["what"] == "listener") & own["name"].str.startswith("outbound")]
        if len(outbound):
            first = outbound.iloc[0]
            rows.append((proxy, "its own application", f"rises on {first['name']}", first["last"], *_place(first)))
            continue
        for _, caller in callers_of_pool(case, str(proxy)).head(3).iterrows():
            known = f"its pool {caller['cluster']}"
            rows.append((proxy, caller["caller"], known, caller["cx_active"], *_place(caller)))
    return pd.DataFrame(rows, columns=["proxy", "opener", "known_by", "cx_active", "item", "pointer"])


def _place(row: "pd.Series[Any]") -> tuple[str, str]:
    return str(row["item"]), str(row["pointer"])


def callers_of_pool(case: Case, proxy: str) -> pd.DataFrame:
    """Who holds connections to a proxy's address, as the callers' own ``/clusters`` tell: the most first.

    Columns: caller, cluster, cx_active, cx_total, rq_active.
    """
    endpoints = case.source.frame("endpoints")
    addresses = {ip for ip, pod in _addresses(case) if pod == proxy}
    ip = ips_of(endpoints["address"])
    own = endpoints[ip.isin(sorted(addresses)) & text(endpoints["cluster"]).str.startswith("outbound")]
    made = pd.DataFrame(
        {
            "caller": text(own["namespace"]) + "/" + text(own["pod"]),
            "cluster": text(own["cluster"]),
            **{name: own[name].astype("Float64").fillna(0) for name in ("cx_active", "cx_total", "rq_active")},
            "item": text(own["item"]),
            "pointer": text(own["pointer"]),
        }
    )
    used = made[(made["cx_active"] > 0) | (made["cx_total"] > 0)]
    return used.sort_values(["cx_active", "cx_total", "caller"], ascending=[False, False, True], ignore_index=True)


def _addresses(case: Case) -> list[tuple[str, str]]:
    found = []
    for table in ("pods", "proxies"):
        for namespace, pod, ip in keys(case.source.frame(table), "namespace", "pod", "ip"):
            found.append((ip, f"{namespace}/{pod}"))
    return [each for each in found if each[0]]
