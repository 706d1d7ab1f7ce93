"""Phase 2: limits of connection pools, how near they are, and what they refused."""

import re
from collections.abc import Mapping

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._edges import edges, has_flag, together
from meshforensics.checks._logged import beside_log
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, places, text, texts, unlogged

_REFUSES = ("upstream_rq_pending_overflow", "upstream_rq_active_overflow", "upstream_cx_pool_overflow")
_DELAYS = (
    "upstream_cx_overflow",
    "upstream_rq_retry_overflow",
    "downstream_cx_overflow",
    "downstream_cx_overload_reject",
)
_DEFAULT = 1024
"""Envoy's limit where a cluster sets none; Istio sets all of them to 2^32-1."""

_UNLIMITED = 2**32 - 1
_EDGE = ["namespace", "pod", "cluster"]


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
    detail="{caller} to {host}: {failed_calls} of {total:call|s} refused by a connection pool limit since {began}"
    "{together}",
    remediation="Find the load first; then raise the DestinationRule's connectionPool limit or scale the service.",
    source="guide, phase 2, step 3 (circuit breaker activated); Envoy circuit breaking, flag UO",
)
def breaker_overflow(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    seen = inside(calls, window)
    return together(edges(seen, has_flag(seen, "UO")), "host")


@check(
    "traffic.breaker-open",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "name"],
    observed="value",
    title="A circuit breaker is at its limit at the capture",
    detail="{name} of {cluster} is open on {count:proxy|s}",
    remediation="Compare the limit with the load; one capture shows one instant only.",
    source="guide, phase 2, step 3 (rq_pending_open > 0); Envoy gauges circuit_breakers.{default,high}.*_open are 1 "
    "while at the limit: cx, cx_pool, rq, rq_pending, rq_retry",
)
def breaker_open(stats: pd.DataFrame) -> pd.DataFrame:
    return _above_zero(stats, r"circuit_breakers[._](?:default|high)[._]\w+_open")


def _above_zero(stats: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """The statistics of some names that are not 0, by their common names: once where two forms were captured."""
    name = text(stats["name"])
    known = {each: found[1] for each in set(name) if (found := re.search(rf"({pattern})\Z", each))}
    own = stats[name.isin(known) & (stats["value"].fillna(0) > 0)]
    common = text(own["name"]).map(known).str.replace(r"[._](default|high)[._]", r".\1.", regex=True)
    return own.assign(name=common.astype("str")).drop_duplicates(["namespace", "pod", "cluster", "name"])


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
    source="guide, phase 2, step 3; Envoy counters upstream_*_overflow; one sample says nothing about when",
)
def overflow_since_start(stats: pd.DataFrame) -> pd.DataFrame:
    return _above_zero(stats, "upstream_(?:cx|rq_pending|rq_active|rq_retry|cx_pool)_overflow")


@check(
    "traffic.overflow-rising",
    phase="traffic",
    plane="service",
    threshold="traffic.overflow-share",
    by=["cluster", "name"],
    observed="share",
    unit="ratio",
    title="A circuit breaker refuses calls, as counters tell",
    detail="{name} of {cluster} rose by {rise} on {namespace}/{pod} between {since} and {until}, of {requests} "
    "requests; {count:proxy counts|proxies count} it",
    remediation="Find the load first; then raise the DestinationRule's connectionPool limit or scale the service.",
    source="guide, phase 2, step 3; Envoy counters upstream_{rq_pending,rq_active,cx_pool}_overflow, two samples or a "
    "start inside the window",
)
def overflow_rising(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Only of proxies that logged no request in the window: what was logged is judged by its flags."""
    own = unlogged(rises_over_time, access_log, window)
    totals = own[own["name"] == "upstream_rq_total"]
    sent = dict(zip(keys(totals, *_EDGE, "captured_at"), totals["rise"].fillna(0).astype("int64"), strict=True))
    refused = own[own["name"].isin(_REFUSES) & (own["rise"].fillna(0) > 0)]
    requests = [sent.get(key, 0) for key in keys(refused, *_EDGE, "captured_at")]
    rise = refused["rise"].astype("float64")
    told = refused.assign(requests=pd.Series(requests, index=refused.index, dtype="int64") + rise.astype("int64"))
    return told.assign(until=told["at"], share=rise / told["requests"].astype("float64"))


@check(
    "traffic.limit-reached",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "name"],
    observed="rise",
    title="A limit of connections or retries was reached",
    detail="{name} of {cluster}{listener} rose by {rise} on {namespace}/{pod} between {since} and {until}{logged}; "
    "{count:proxy counts|proxies count} it",
    remediation="Requests wait, or are not tried again: compare maxConnections and maxRetries with the load.",
    source="guide, phase 2, step 3; Envoy counters upstream_cx_overflow, upstream_rq_retry_overflow, "
    "downstream_cx_overflow, downstream_cx_overload_reject",
)
def limit_reached(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """No log tells of it; one says whether calls failed meanwhile."""
    own = unlogged(rises_over_time, ABSENT, window)
    hit = own[own["name"].isin(_DELAYS) & (own["rise"].fillna(0) > 0)]
    said = zip(beside_log(hit, access_log), texts(hit["cluster"]), strict=True)
    return hit.assign(until=hit["at"], logged=[each if cluster else "" for each, cluster in said])


@check(
    "traffic.active-requests",
    phase="traffic",
    plane="service",
    threshold="traffic.active-requests",
    by=["name"],
    observed="active",
    unit="requests",
    title="Many requests are under way at once in a proxy",
    detail="{subject} has {active:request|s} under way at the capture; {count:proxy has|proxies have} that many",
    remediation="By Little's law that is rate times latency: look which of the two grew, and at the slow upstream.",
    source="guide, phase 2, step 3 (downstream_rq_active > 1000); claims 4.4: a number without a source",
)
def active_requests(stats: pd.DataFrame) -> pd.DataFrame:
    """Sums the connection managers of each proxy, its own admin, agent and scrape listeners left out.

    Where a capture has the gauges in two forms, in the one that tells most: the same requests are in both.
    """
    name = text(stats["name"])
    gauge = name.str.contains(r"(?:\A|[._])downstream_rq_active\Z", regex=True)
    own = stats[
        gauge & ~(text(stats["listener"]) + " " + name).str.contains(r"\badmin\b|\bagent\b|\bstats\b", regex=True)
    ]
    rows = []
    for key, group in own.groupby(["namespace", "pod"], observed=True):
        forms = [form for _, form in group.groupby(text(group["item"]).str.split(":").str[0])]
        best = max(forms, key=lambda form: int(form["value"].fillna(0).sum()))
        active = int(best["value"].fillna(0).sum())
        namespace, pod = map(str, key)
        rows.append(
            {"namespace": namespace, "pod": pod, "name": "requests", "active": active, "evidence": places(best)}
        )
    return pd.DataFrame(rows, columns=["namespace", "pod", "name", "active", "evidence"])


@check(
    "traffic.pool-saturated",
    phase="traffic",
    plane="service",
    threshold="traffic.pool-share",
    by=["cluster", "limit_of"],
    observed="share",
    unit="ratio",
    title="A connection pool is near its limit",
    detail="{subject} to {cluster}: {rate} requests/s of {latency_ms} ms keep {active} open, and {limit_of} is {limit}",
    remediation="Raise the limit, scale the service, or make it faster: beyond it requests wait or are refused.",
    source="guide, Lyft's connection pools; Little's law: active = rate x latency, against the effective limit of the "
    "proxy's cluster (claims 4.4, 4.5)",
)
def pool_saturated(
    calls: pd.DataFrame, clusters: pd.DataFrame, cluster_instances: pd.DataFrame, window: Window, profile: Profile
) -> pd.DataFrame:
    """Per proxy, since each has its own breaker; a cluster without a limit cannot be full.

    Connections limit requests only of HTTP/1, which has one at a time on each.
    """
    seen = inside(calls, window)
    limits = _limits(clusters, cluster_instances)
    fewest = profile.threshold("traffic.pool-share").minimum
    rows = []
    for key, own in seen[text(seen["cluster"]) != ""].groupby(_EDGE, observed=True):
        namespace, pod, cluster = map(str, key)
        span = (own["at"].max() - own["at"].min()).total_seconds()
        limit = _limit(limits.get((namespace, pod, cluster), {}), own)
        if limit is None or span <= 0 or len(own) < fewest:
            continue
        rate, latency = len(own) / span, float(own["duration_ms"].fillna(0).mean())
        active = rate * latency / 1000
        said = {"rate": round(rate, 1), "latency_ms": round(latency), "active": round(active, 1)}
        said |= {"limit": limit[0], "limit_of": limit[1], "share": active / limit[0], "evidence": places(own)}
        rows.append({"namespace": namespace, "pod": pod, "cluster": cluster, **said})
    return pd.DataFrame(rows, columns=[*_EDGE, *_SAID])


_SAID = ("rate", "latency_ms", "active", "limit", "limit_of", "share", "evidence")


def _limit(limits: Mapping[str, int], calls: pd.DataFrame) -> tuple[int, str] | None:
    """The least limit on requests under way that these calls have, and its name."""
    single = text(calls["protocol"]).str.startswith("HTTP/1").all()
    held = [(value, name) for name, value in limits.items() if name == "max_requests" or single]
    return min(held, default=None)


def _limits(clusters: pd.DataFrame, cluster_instances: pd.DataFrame) -> dict[tuple[str, ...], dict[str, int]]:
    """The limits of each proxy's cluster; those of 2^32-1 are none."""
    names = ("max_requests", "max_connections")
    of_resource: dict[str, dict[str, int]] = {}
    for resource, *several in zip(texts(clusters["resource"]), *(clusters[name] for name in names), strict=True):
        given = {name: _DEFAULT if pd.isna(value) else int(value) for name, value in zip(names, several, strict=True)}
        of_resource[resource] = {name: value for name, value in given.items() if 0 < value < _UNLIMITED}
    live = cluster_instances[cluster_instances["state"].isin(["active", "static"])]
    held = zip(keys(live, "namespace", "pod", "name"), texts(live["resource"]), strict=True)
    return {key: of_resource.get(resource, {}) for key, resource in held}
