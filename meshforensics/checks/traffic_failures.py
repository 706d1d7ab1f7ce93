"""Phase 2: how calls failed, by kind. How many of an edge failed at all is judged by `traffic.server-errors`.

Each kind is a warning: it says what the failures of an edge are, and does not count them a second time.
"""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._edges import edges, has_flag, together
from meshforensics.checks._logged import beside_log
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, text, texts, true, unlogged, where

_EDGE = ["namespace", "pod", "cluster"]
_TIMEOUTS = ("upstream_rq_timeout", "upstream_rq_per_try_timeout")
_CONNECTS = ("upstream_cx_connect_fail", "upstream_cx_connect_timeout")


def _kind(calls: pd.DataFrame, window: Window, *families: str) -> pd.DataFrame:
    """The edges of failed calls of some families."""
    seen = inside(calls, window)
    return edges(seen, true(seen["failed"], missing=False) & text(seen["family"]).isin(families))


@check(
    "traffic.retries-exhausted",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["host"],
    subject="caller",
    observed="failed_calls",
    unit="requests",
    title="Calls failed after all their retries",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} failed on every try since {began} ({ways}){together}",
    remediation="Each was sent several times: look at the upstream first, and keep retries from multiplying the load.",
    source="guide, phase 2, step 3; Envoy flag URX, upstream_rq_retry_limit_exceeded",
)
def retries_exhausted(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    seen = inside(calls, window)
    return together(edges(seen, has_flag(seen, "URX")), "host")


@check(
    "traffic.retry-share",
    phase="traffic",
    plane="service",
    threshold="traffic.retry-share",
    by=["cluster"],
    observed="share",
    unit="ratio",
    title="Many requests to a service are retries",
    detail="{subject} to {cluster}: {rise:retry|s} between {since} and {until}, of {tries:try|s}{how}{logged}",
    remediation="Retries multiply the load on what already fails: fewer attempts, or a retry budget.",
    source="guide, phase 2, step 3; Envoy counters upstream_rq_retry, upstream_rq_total (tries that got a connection) "
    "and upstream_rq_pending_failure_eject (those that got none); thresholds 22",
)
def retry_share(
    rises_over_time: pd.DataFrame, window: Window, profile: Profile, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Tries that got no connection are not among Envoy's requests, and may not be counted at all.

    A log has a line of each call, not of its tries: it says how they ended.
    """
    own = unlogged(rises_over_time, ABSENT, window)
    sent, refused = (_by_sample(own, name) for name in ("upstream_rq_total", "upstream_rq_pending_failure_eject"))
    again = own[(own["name"] == "upstream_rq_retry") & (own["rise"].fillna(0) > 0)]
    samples = keys(again, *_EDGE, "captured_at")
    tries = pd.Series([sent.get(key, 0) + refused.get(key, 0) for key in samples], index=again.index, dtype="float64")
    rise = again["rise"].astype("float64")
    how = ["" if key in refused and few <= many else " as far as counted"
           for key, few, many in zip(samples, rise, tries, strict=True)]  # fmt: skip
    told = again.assign(tries=tries.clip(lower=rise), until=again["at"], how=pd.Series(how, again.index, dtype="str"))
    told = told[told["tries"] >= max(1, profile.threshold("traffic.retry-share").minimum)]
    told = told.assign(share=told["rise"].astype("float64") / told["tries"], tries=told["tries"].astype("int64"))
    many = told[told["share"] > min(profile.threshold("traffic.retry-share").levels.values())]
    return many.assign(logged=beside_log(many, access_log))


def _by_sample(rises: pd.DataFrame, name: str) -> dict[tuple[str, ...], int]:
    """By how much a counter of each cluster rose in each sample."""
    own = rises[rises["name"] == name]
    return dict(zip(keys(own, *_EDGE, "captured_at"), own["rise"].fillna(0).astype("int64"), strict=True))


@check(
    "traffic.timeouts",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["host"],
    subject="caller",
    observed="failed_calls",
    unit="requests",
    title="Calls ran into a timeout of the mesh",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} {failed_calls:~was|were} ended by a timeout since "
    "{began} ({ways}){together}",
    remediation="Compare the route's timeout with how long the service takes; the slow workload is the cause.",
    source="guide, phase 2, step 3 (request_timeout); Envoy flags UT, SI, DT, UMSDR, details max_duration_timeout",
)
def timeouts(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Of a stream at its greatest duration only the details tell: it has no flag."""
    seen = inside(calls, window)
    timed = has_flag(seen, "UT", "SI", "DT", "UMSDR") | seen["family"].isin(["upstream-timeout", "max-duration"])
    return together(edges(seen, true(seen["failed"], missing=False) & timed), "host")


@check(
    "traffic.no-healthy-upstream",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["host"],
    subject="caller",
    observed="failed_calls",
    unit="requests",
    title="Calls found no healthy host",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} found no healthy host since {began} ({ways})"
    "{together}",
    remediation="Look why the hosts are out: readiness, labels of the subset, ejection, health checks.",
    source="guide, overview (no healthy upstream; it is no circuit breaker, claims 0.6); Envoy flag UH",
)
def no_healthy_upstream(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    return together(_kind(calls, window, "no-healthy-upstream"), "host")


@check(
    "traffic.no-route",
    phase="traffic",
    plane="service",
    threshold="traffic.no-route-share",
    by=["host"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls found no route, or a route to no cluster",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} found no route or cluster since {began} ({ways})"
    "{together}",
    remediation="Compare hosts and paths with the VirtualServices, and subsets with the DestinationRules.",
    source="guide, phase 2, step 4; Envoy flags NR (404) and NC (503, 500); strangers at a gateway ask for anything",
)
def no_route(calls: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    seen = inside(calls, window)
    lost = edges(seen, has_flag(seen, "NR", "NC"))
    return together(lost[lost["total"] >= profile.threshold("traffic.no-route-share").minimum], "host")


@check(
    "traffic.too-many-requests",
    phase="traffic",
    plane="service",
    threshold="traffic.limited-share",
    by=["host", "family"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls are answered 429, too many requests",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} {failed_calls:~was|were} answered 429 since {began} "
    "({family}, decided by "
    "{decided_by}; {ways}){together}",
    remediation="A limit of the mesh is in its server's own log (local_rate_limited); else the application has one. "
    "Find the caller that spends it.",
    source="guide, Edge (rate limiting); Envoy flag RL, details local_rate_limited, request_rate_limited",
)
def too_many_requests(calls: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """A limit is there to refuse: that it does is no error of itself."""
    seen = inside(calls, window)
    limited = edges(seen, seen["status"].fillna(0) == 429)
    return together(limited[limited["total"] >= profile.threshold("traffic.limited-share").minimum], "host", "family")


@check(
    "traffic.connect-failures",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["host", "upstream_host"],
    subject="caller",
    observed="failed_calls",
    unit="requests",
    title="Connections to an endpoint fail",
    detail="{caller} to {host}: {failed_calls:call|s} could not connect to {upstream_host} since {began} ({ways})",
    remediation="Look whether the endpoint exists and listens, and whether a network policy is between.",
    source="guide, overview (reset reason: connection failure); Envoy flags UF without a TLS reason",
)
def connect_failures(calls: pd.DataFrame, window: Window) -> pd.DataFrame:
    """By endpoint: one bad host of a service is another cause than all of them."""
    seen = inside(calls, window)
    seen = seen.assign(upstream_host=text(seen["upstream_host"]).replace("", "-"))
    failed = true(seen["failed"], missing=False) & (seen["family"] == "connect-failure")
    return edges(seen, failed, "upstream_host")


@check(
    "traffic.connect-failure-share",
    phase="traffic",
    plane="service",
    threshold="traffic.connect-failure-share",
    by=["cluster"],
    observed="share",
    unit="ratio",
    title="A share of the connections to a service fails, as counters tell",
    detail="{subject} to {cluster}: {failures} of {connections:connection|s} failed between {since} and {until}",
    remediation="Look at each host in /clusters: cx_connect_fail tells which.",
    source="guide, overview (connection success 99.9 -> 60 %); Envoy counters upstream_cx_connect_fail and "
    "upstream_cx_total; thresholds 15",
)
def connect_failure_share(
    rises_over_time: pd.DataFrame, window: Window, profile: Profile, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Only of proxies that logged no request in the window; connections to xDS and agent are not of the mesh."""
    own = unlogged(rises_over_time, access_log, window)
    own = own[text(own["cluster"]).str.startswith(("outbound|", "inbound|"))]
    failed = _by_edge(own[own["name"] == "upstream_cx_connect_fail"])
    tried = _by_edge(own[own["name"] == "upstream_cx_total"])
    both = failed.merge(tried[[*_EDGE, "captured_at", "rise"]], on=[*_EDGE, "captured_at"], suffixes=("", "_all"))
    both = both[(both["rise"] > 0) & (both["rise_all"] >= profile.threshold("traffic.connect-failure-share").minimum)]
    share = (both["rise"] / both["rise_all"]).clip(upper=1.0)
    return both.assign(failures=both["rise"].astype("int64"), connections=both["rise_all"].astype("int64"), share=share)


def _by_edge(rises: pd.DataFrame) -> pd.DataFrame:
    """Plain columns, so that two of them can be joined."""
    made = rises.assign(until=rises["at"], rise=rises["rise"].astype("float64").fillna(0.0))
    return made.assign(**{name: text(made[name]) for name in _EDGE})


@check(
    "traffic.counted-kinds",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "name"],
    observed="rise",
    title="Counters of failed requests rise",
    detail="{name} of {cluster} rose by {rise} on {namespace}/{pod} between {since} and {until}; "
    "{count:proxy counts|proxies count} it",
    remediation="Turn access logging on for these proxies to see which requests, and who decided.",
    source="guide, phase 2, step 3; Envoy counters upstream_rq_timeout, upstream_rq_per_try_timeout, "
    "upstream_rq_retry_limit_exceeded, upstream_cx_none_healthy: two samples or a start inside the window",
)
def counted_kinds(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Only of proxies that logged no request in the window: what was logged is told by its lines."""
    own = unlogged(rises_over_time, access_log, window)
    names = (*_TIMEOUTS, "upstream_rq_retry_limit_exceeded", "upstream_cx_none_healthy")
    risen = own[own["name"].isin(names) & (own["rise"].fillna(0) > 0)]
    of_mesh = (each.startswith(("outbound|", "inbound|")) for each in texts(risen["cluster"]))
    return where(risen.assign(until=risen["at"]), of_mesh)
