"""Pushes: how long istiod takes to make and deliver configuration, how large it is, and what fails on the way."""

import pandas as pd

from meshforensics.checks._counts import label, of, recent, since_start
from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, of_items, places, text, texts, where

_CONVERGENCE, _QUEUE, _PUSH = "pilot_proxy_convergence_time", "pilot_proxy_queue_time", "pilot_xds_push_time"
_SIZE, _PUSHES, _NONCES = "pilot_xds_config_size_bytes", "pilot_xds_pushes", "pilot_xds_expired_nonce"
_LIMITS = {_CONVERGENCE: "convergence-limit", _QUEUE: "queue-time-limit", _PUSH: "push-time-limit"}
_WHAT = {
    _CONVERGENCE: "proxies had a change",
    _QUEUE: "proxies waited in the push queue",
    _PUSH: "a push was made",
}
_REJECT_GAUGES = ("pilot_xds_cds_reject", "pilot_xds_lds_reject", "pilot_xds_eds_reject", "pilot_xds_rds_reject")


@check(
    "control-plane.slow-convergence",
    phase="control-plane",
    plane="control",
    threshold="control-plane.convergence-share",
    by=["namespace", "pod"],
    observed="share",
    unit="ratio",
    title="Configuration reaches proxies slowly",
    detail="{slow} of {total:push|pushes} of {namespace}/{pod} took over {limit_s} s to reach a proxy since {since}; "
    "the median {p50} s, the 99th percentile {p99} s",
    remediation="Look at istiod's throttling, its queue and the size of pushes; scope them by Sidecar resources.",
    source="guide, phase 1, step 2; istiod pilot_proxy_convergence_time",
)
def slow_convergence(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    return _slow(recent(istiod_counts_over_time, window, profile), _CONVERGENCE, profile.number("convergence-limit"))


@check(
    "control-plane.slow-queue",
    phase="control-plane",
    plane="control",
    threshold="control-plane.slow-share",
    by=["namespace", "pod"],
    observed="share",
    unit="ratio",
    title="Proxies wait long in istiod's push queue",
    detail="{slow} of {total:proxy|s} waited over {limit_s} s in the queue of {namespace}/{pod} since {since}; "
    "the median {p50} s, the 99th percentile {p99} s",
    remediation="Look at istiod's CPU and throttling; more replicas share the proxies among them.",
    source="guide, phase 1, step 2; istiod pilot_proxy_queue_time",
)
def slow_queue(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    return _slow(recent(istiod_counts_over_time, window, profile), _QUEUE, profile.number("queue-time-limit"))


@check(
    "control-plane.slow-push",
    phase="control-plane",
    plane="control",
    threshold="control-plane.slow-share",
    by=["namespace", "pod", "type"],
    observed="share",
    unit="ratio",
    title="istiod takes long to make a push",
    detail="{slow} of {total:push|pushes} of {type} of {namespace}/{pod} took over {limit_s} s to make since {since}; "
    "the median {p50} s, the 99th percentile {p99} s",
    remediation="Look at istiod's CPU and throttling, at the number of services, and at large EnvoyFilters.",
    source="guide, phase 1, step 2; istiod pilot_xds_push_time by type",
)
def slow_push(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    rows = _slow(recent(istiod_counts_over_time, window, profile), _PUSH, profile.number("push-time-limit"))
    return rows.assign(type=label(rows, "type"))


def _slow(counts: pd.DataFrame, name: str, limit: float) -> pd.DataFrame:
    """Of each istiod and label the share of observations above a limit, and the percentiles, from buckets.

    A limit between two bounds counts what is above the lower one's next: a share is never too large.
    """
    own = counts[(text(counts["name"]) == name) & counts["le"].notna()]
    rows = []
    for _, buckets in own.groupby(["namespace", "pod", "labels"], observed=True):
        ordered = buckets.sort_values("le", kind="stable")
        total = int(ordered["rose"].iloc[-1])
        bounds = ordered["le"].astype(float)
        enough = ordered[bounds >= limit]["rose"]
        if total <= 0 or enough.empty:
            continue
        above = total - int(enough.iloc[0])
        rows.append(
            {
                **ordered.iloc[0],
                "slow": above,
                "total": total,
                "share": above / total,
                "limit_s": limit,
                "p50": _percentile(ordered, 0.50),
                "p99": _percentile(ordered, 0.99),
                "evidence": places(ordered),
            }
        )
    columns = [*counts.columns, "slow", "total", "share", "limit_s", "p50", "p99", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def _percentile(buckets: pd.DataFrame, share: float) -> str:
    """A percentile in words, from the bounds that it lies between: ``5 to 10``, ``above 30``."""
    bounds = [float(bound) for bound in buckets["le"]]
    held = [int(count) for count in buckets["rose"]]
    place = next(number for number, count in enumerate(held) if count >= share * held[-1])
    low = bounds[place - 1] if place else 0.0
    return f"above {low:g}" if bounds[place] == float("inf") else f"{low:g} to {bounds[place]:g}"


@check(
    "control-plane.slow-since-start",
    phase="control-plane",
    plane="control",
    severity="info",
    by=["namespace", "pod", "name"],
    observed="share",
    unit="ratio",
    title="istiod was slow at some time since its start",
    detail="{slow} of {total:time|s} it took {namespace}/{pod} over {limit_s} s until {what}; the median {p50} s, "
    "the 99th percentile {p99} s; when is not told",
    remediation="Capture a second time: the difference tells of the time between.",
    source="guide, phase 1, step 2; histograms of one sample count since the start of the process",
)
def slow_since_start(
    istiod_counts: pd.DataFrame,
    window: Window,
    profile: Profile,
    istiod_counts_over_time: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    counts = since_start(istiod_counts, istiod_counts_over_time, window, profile)
    level = {
        _CONVERGENCE: min(profile.threshold("control-plane.convergence-share").levels.values()),
        _QUEUE: min(profile.threshold("control-plane.slow-share").levels.values()),
    }
    level[_PUSH] = level[_QUEUE]
    parts = [_slow(counts, name, profile.number(limit)).assign(what=_WHAT[name]) for name, limit in _LIMITS.items()]
    held = [part[part["share"].astype(float) > level[name]] for name, part in zip(_LIMITS, parts, strict=True)]
    found = [part for part in held if len(part)]
    return pd.concat(found, ignore_index=True) if found else parts[0].iloc[:0]


@check(
    "control-plane.config-size",
    phase="control-plane",
    plane="control",
    threshold="control-plane.config-size",
    by=["namespace", "pod", "type"],
    observed="exceeded",
    unit="bytes",
    title="Configuration of proxies is large",
    detail="{large} of {total:push|pushes} of {type} by {namespace}/{pod} {large:~was|were} larger than {exceeded} "
    "bytes",
    remediation="Scope what proxies are sent: Sidecar resources, exportTo, discoverySelectors.",
    source="guide, phase 1, step 2; istiod pilot_xds_config_size_bytes and the bounds that its source explains",
)
def config_size(istiod_counts: pd.DataFrame) -> pd.DataFrame:
    """A size is the configuration's own, so that of any time since the start will do."""
    own = istiod_counts[(text(istiod_counts["name"]) == _SIZE) & istiod_counts["le"].notna()]
    rows = []
    for _, buckets in own.groupby(["namespace", "pod", "labels"], observed=True):
        ordered = buckets.sort_values("le", kind="stable")
        total = int(ordered["rose"].iloc[-1])
        below = ordered[ordered["rose"] < total]
        if total > 0 and len(below):
            last = below.iloc[-1]
            kind = label(below.tail(1), "type")[0].rpartition(".")[2]
            large = total - int(last["rose"])
            rows.append({**last, "exceeded": float(last["le"]), "large": large, "total": total, "type": kind})
    columns = [*istiod_counts.columns, "exceeded", "large", "total", "type"]
    return pd.DataFrame(rows, columns=columns)


@check(
    "control-plane.rejects",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["namespace", "pod", "type"],
    observed="rose",
    unit="responses",
    title="Proxies reject what istiod sends",
    detail="proxies rejected {rose:response|s} of {namespace}/{pod} since {since}: {type}",
    remediation="Read the rejection in istiod's log or in syncz: it names the listener, cluster or route.",
    source="guide, phase 1, step 2; istiod pilot_total_xds_rejects",
)
def rejects(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    rejected = _rose(istiod_counts_over_time, window, profile, "pilot_total_xds_rejects")
    return rejected.assign(type=[kind.rpartition(".")[2] or "of any type" for kind in label(rejected, "type")])


@check(
    "control-plane.rejecting-proxies",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["name"],
    observed="real",
    unit="proxies",
    title="istiod counts proxies that reject their configuration",
    detail="{name} of {namespace}/{pod} is {real}",
    remediation="Read the rejection in istiod's log or in syncz: it names the listener, cluster or route.",
    source="guide, phase 1, step 2; istiod pilot_xds_{cds,lds,eds,rds}_reject (gauges, up to about Istio 1.22)",
)
def rejecting_proxies(stats: pd.DataFrame) -> pd.DataFrame:
    own = of_items(stats[stats["name"].isin(_REJECT_GAUGES)], "istiod.metrics")
    return own[own["real"] > 0]


@check(
    "control-plane.write-timeouts",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["namespace", "pod"],
    observed="rose",
    unit="responses",
    title="istiod cannot send to proxies in time",
    detail="{rose:response|s} of {namespace}/{pod} timed out since {since}, or could not be sent ({name})",
    remediation="Look at the network to these proxies, at their CPU, and at the size of what is sent.",
    source="guide, phase 1, step 2; istiod pilot_xds_write_timeout, pilot_xds_push_timeout and pilot_xds_pushes "
    "of types that end in senderr",
)
def write_timeouts(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    timed_out = _rose(istiod_counts_over_time, window, profile, "pilot_xds_write_timeout", "pilot_xds_push_timeout")
    pushed = _rose(istiod_counts_over_time, window, profile, _PUSHES)
    unsent = where(pushed, (kind.endswith(("_senderr", "_builderr")) for kind in label(pushed, "type")))
    return pd.concat([timed_out, unsent], ignore_index=True) if len(unsent) else timed_out


@check(
    "control-plane.expired-nonces",
    phase="control-plane",
    plane="control",
    threshold="control-plane.expired-nonce-share",
    by=["namespace", "pod", "type"],
    observed="share",
    unit="ratio",
    title="Proxies answer to pushes that are outdated",
    detail="{rose:request|s} for {type} to {namespace}/{pod} {rose:~was|were} for an outdated push, of "
    "{total:push|pushes} since {since}",
    remediation="Configuration changes faster than proxies take it: look what changes it, and at debouncing.",
    source="guide, phase 1, step 2; istiod pilot_xds_expired_nonce against pilot_xds_pushes",
)
def expired_nonces(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    counts = recent(istiod_counts_over_time, window, profile)
    pushed = of(counts, [_PUSHES])
    totals = dict(
        zip(zip(*_istiod(pushed), label(pushed, "type"), strict=True), pushed["rose"].astype(int), strict=True)
    )
    late = of(counts, [_NONCES])
    kinds = label(late, "type")
    total = [totals.get(key, 0) for key in zip(*_istiod(late), kinds, strict=True)]
    rows = late.assign(type=kinds, total=total)
    rows = rows[rows["total"] >= profile.threshold("control-plane.expired-nonce-share").minimum]
    return rows.assign(share=rows["rose"].astype(float) / rows["total"].clip(lower=1))


def _istiod(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    return texts(rows["namespace"]), texts(rows["pod"])


@check(
    "control-plane.errors-since-start",
    phase="control-plane",
    plane="control",
    severity="info",
    by=["name"],
    observed="rose",
    unit="times",
    title="istiod counted trouble at some time since its start",
    detail="{name} {labels} of {namespace}/{pod} is {rose} since {since}; when is not told",
    remediation="Capture a second time: the difference tells of the time between.",
    source="guide, phase 1, step 2; counters of one sample count since the start of the process",
)
def errors_since_start(
    istiod_counts: pd.DataFrame,
    window: Window,
    profile: Profile,
    istiod_counts_over_time: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    counts = since_start(istiod_counts, istiod_counts_over_time, window, profile)
    own = of(counts, _TROUBLE)
    return own[own["rose"] > 0]


_TROUBLE = (
    "pilot_total_xds_rejects",
    "pilot_total_xds_internal_errors",
    "pilot_xds_write_timeout",
    "pilot_xds_push_timeout",
    "pilot_jwks_resolver_network_fetch_fail_total",
    "citadel_server_csr_sign_err_count",
    "citadel_server_csr_parsing_err_count",
    "citadel_server_id_extraction_err_count",
    "citadel_server_authentication_failure_count",
    "galley_validation_http_error",
    "galley_validation_config_load_error",
    "sidecar_injection_failure_total",
)


@check(
    "control-plane.internal-errors",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["namespace", "pod", "name"],
    observed="rose",
    unit="errors",
    title="istiod fails inside",
    detail="{name} of {namespace}/{pod} rose by {rose} since {since}",
    remediation="Read istiod's log of that time: it names what it could not build.",
    source="guide, phase 1, step 2; istiod pilot_total_xds_internal_errors",
)
def internal_errors(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    return _rose(istiod_counts_over_time, window, profile, "pilot_total_xds_internal_errors")


def _rose(counts: pd.DataFrame, window: Window, profile: Profile, *names: str) -> pd.DataFrame:
    own = of(recent(counts, window, profile), names)
    return own[own["rose"] > 0]


@check(
    "control-plane.reconnects",
    phase="control-plane",
    plane="control",
    threshold="control-plane.reconnect-share",
    by=["istiod"],
    subject="istiod",
    observed="share",
    unit="ratio",
    title="Most proxies of an istiod have just connected to it",
    detail="{young} of {total:proxy|s} connected to {istiod} within {limit_s} s before the capture",
    remediation="Look whether istiod or the way to it restarted, and whether it can serve all of them.",
    source="istiod debug/adsz connectedAt; istiod itself ends connections after 30 minutes",
)
def reconnects(xds_connections: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    known = xds_connections[xds_connections["connected_at"].notna() & xds_connections["captured_at"].notna()]
    limit = profile.number("reconnect-age")
    rows = []
    for _, own in known.groupby("istiod", observed=True):
        age = (own["captured_at"] - own["connected_at"]).dt.total_seconds()
        young, total = int((age <= limit).sum()), len(own)
        if total >= profile.threshold("control-plane.reconnect-share").minimum:
            newest = own[age <= limit]
            said = {"young": young, "total": total, "share": young / total, "limit_s": limit}
            rows.append({**own.iloc[0], **said, "evidence": places(newest)})
    return pd.DataFrame(rows, columns=[*xds_connections.columns, "young", "total", "share", "limit_s", "evidence"])
