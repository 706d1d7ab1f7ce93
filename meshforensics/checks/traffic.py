"""Phase 2: what failed in the window, on which edge, and who decided."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, places, text, true, where


def _in_window(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    return calls[(calls["at"] >= pd.Timestamp(window.start)) & (calls["at"] <= pd.Timestamp(window.end))]


def _edges(calls: pd.DataFrame, failed: "pd.Series[bool]") -> pd.DataFrame:
    """One row per caller and host with a failure: counts, share, first failure and sample places."""
    if calls.empty:
        return pd.DataFrame(columns=["caller", "host", "total", "failed_calls", "share", "at", "evidence", "family"])
    edge = ["caller", "host"]
    total = {key: len(group) for key, group in calls.groupby(edge, observed=True)}
    bad = calls[failed]
    rows = []
    for key, group in bad.groupby(edge, observed=True):
        count = total[key]
        rows.append(
            {
                **dict(zip(edge, key, strict=True)),
                "total": count,
                "failed_calls": len(group),
                "share": len(group) / count,
                "at": group["at"].min(),
                "last": group["at"].max(),
                "family": _commonest(group["family"]),
                "decided_by": _commonest(group["decided_by"]),
                "flags": _commonest(group["flags"].map(lambda flags: ",".join(flags) or "-")),
                "evidence": places(group),
            }
        )
    return pd.DataFrame(rows) if rows else _edges(calls.iloc[:0], failed.iloc[:0])


def _commonest(values: "pd.Series[str]") -> str:
    counted = values.astype("str").value_counts()
    most = counted[counted == counted.max()]
    return str(min(most.index.astype("str")))


@check(
    "traffic.server-errors",
    phase="traffic",
    plane="service",
    threshold="traffic.response-5xx-share",
    by=["host", "family"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls fail on an edge",
    detail="{caller} to {host}: {failed_calls} of {total} calls failed since {at} ({family}, flags {flags}, "
    "decided by {decided_by})",
    remediation="Read who decided: the caller's own answer is about route, trust or endpoints; a passed-on one is "
    "about the service behind.",
    source="guide, phase 2, step 3 (503 over 10 %), counted once per hop at the caller",
)
def server_errors(calls: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    seen = _in_window(calls, window)
    edges = _edges(seen, true(seen["failed"], missing=False) & (seen["status"].fillna(0) != 403))
    return edges[edges["total"] >= profile.threshold("traffic.response-5xx-share").minimum]


@check(
    "traffic.counted-errors",
    phase="traffic",
    plane="service",
    threshold="traffic.response-5xx-share",
    by=["host", "family"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls fail on an edge, as counters tell",
    detail="{caller} to {host}: {failed_calls} of {total} calls failed between {since} and {until} ({family})",
    remediation="Turn access logging on for this proxy to see which calls, and who decided.",
    source="Envoy cluster counters and istio_requests_total: two samples, or a start inside the window",
)
def counted_errors(
    counted_calls_over_time: pd.DataFrame, window: Window, profile: Profile, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Only of proxies that logged no call in the window: what was logged is judged by its lines."""
    counted = counted_calls_over_time
    recent = counted[(counted["since"] >= pd.Timestamp(window.start)) & (counted["at"] <= pd.Timestamp(window.end))]
    logged = set(keys(inside(access_log, window), "namespace", "pod")) if len(access_log) else set()
    own = where(recent, (proxy not in logged for proxy in keys(recent, "namespace", "pod")))
    edges = _counted_edges(own[own["calls"] > 0])
    return edges[edges["total"] >= profile.threshold("traffic.response-5xx-share").minimum]


def _counted_edges(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per caller and host with a failure; what is not counted by host is a share of all its calls."""
    rows = []
    for caller, own in counted.groupby("caller", observed=True):
        bad = own[true(own["failed"], missing=False)]
        for host, group in bad.groupby(text(bad["host"])):
            total = own[text(own["host"]) == host] if host else own
            failed = int(group["calls"].sum())
            rows.append(
                {
                    "caller": caller,
                    "host": host or "hosts not counted apart",
                    "total": int(total["calls"].sum()),
                    "failed_calls": failed,
                    "share": failed / int(total["calls"].sum()),
                    "since": group["since"].min(),
                    "until": group["at"].max(),
                    "family": _commonest(group["family"]) or "unknown",
                    "evidence": places(group),
                }
            )
    return pd.DataFrame(rows) if rows else counted.iloc[:0].assign(total=0, share=0.0)


@check(
    "traffic.breaker-overflow",
    phase="traffic",
    plane="service",
    threshold="traffic.overflow-share",
    by=["host"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="A circuit breaker refuses calls",
    detail="{caller} to {host}: {failed_calls} of {total} calls refused by a connection pool limit since {at}",
    remediation="Find the load first; then raise the DestinationRule's connectionPool limit or scale the service.",
    source="guide, phase 2; Envoy circuit breaking, flag UO",
)
def breaker_overflow(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    seen = _in_window(calls, window)
    return _edges(seen, seen["flags"].map(lambda flags: "UO" in flags).astype(bool))


@check(
    "traffic.breaker-open",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "name"],
    observed="value",
    title="A circuit breaker is at its limit at the capture",
    detail="{name} of {cluster} is open on {count} proxies",
    remediation="Compare the limit with the load; one capture shows one instant only.",
    source="guide, phase 2; Envoy gauges circuit_breakers.*_open are 1 while at the limit",
)
def breaker_open(stats: pd.DataFrame) -> pd.DataFrame:
    name = text(stats["name"])
    gauge = name.str.contains("circuit_breakers") & name.str.endswith("_open")
    return stats[gauge & (stats["value"].fillna(0) > 0)]


@check(
    "traffic.overflow-since-start",
    phase="traffic",
    plane="service",
    severity="info",
    by=["cluster", "name"],
    observed="value",
    unit="requests",
    title="A circuit breaker has refused calls since the proxy started",
    detail="{name} of {cluster} is {value} since start on {subject}",
    remediation="Take a second sample to see whether it rises.",
    source="Envoy counters upstream_*_overflow; one sample of a counter says nothing about when",
)
def overflow_since_start(stats: pd.DataFrame) -> pd.DataFrame:
    name = text(stats["name"])
    counter = name.str.contains(r"upstream_(?:cx|rq_pending|rq_retry|cx_pool)_overflow\Z", regex=True)
    return stats[counter & (stats["value"].fillna(0) > 0)]
