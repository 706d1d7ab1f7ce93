"""Phase 1: is each proxy up, and did it stay up."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import text, true

_INJECTOR = r"sidecar-injector\.istio\.io|linkerd-proxy-injector"
_BACK_OFF = pd.Timedelta(seconds=1200)
"""A controller that cannot create pods tries again after 1000 s at most, so a newer event still holds."""

_PROXY = ("istio-proxy", "linkerd-proxy", "ztunnel")
_ORDERLY = (0, 143)
_MIB = 1024 * 1024


def _sidecars(containers: pd.DataFrame) -> pd.DataFrame:
    return containers[text(containers["container"]).isin(_PROXY)]


def _of_running_pods(containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    alive = pods[(pods["phase"] == "Running") & ~true(pods["deleting"], missing=False)]
    keys = pd.MultiIndex.from_frame(alive[["namespace", "pod"]].astype("str"))
    own = pd.MultiIndex.from_frame(containers[["namespace", "pod"]].astype("str"))
    return containers[own.isin(keys)]


@check(
    "proxies.not-ready",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["namespace", "pod"],
    observed="state",
    title="Sidecar not ready in a running pod",
    detail="{container} of {namespace}/{pod} is {state} and not ready",
    remediation="Read the proxy's log for what it waits for, and /init_dump; restart it only after a capture.",
    source="guide, phase 1, step 1 (extended to native sidecars); Kubernetes container status",
)
def not_ready(containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """A container that started seconds before it was looked at is starting, not stuck."""
    sidecars = _of_running_pods(_sidecars(containers), pods)
    waiting = sidecars[~true(sidecars["ready"], missing=True)]
    age = (waiting["captured_at"] - waiting["started_at"]).dt.total_seconds()
    fresh = (age >= 0) & (age < profile.number("starting-age"))
    orderly = waiting["last_exit_code"].isna() | waiting["last_exit_code"].isin(_ORDERLY)
    return waiting[~(fresh & orderly & (text(waiting["state"]) == "running"))]


@check(
    "proxies.crash-loop",
    phase="proxy-health",
    plane="service",
    severity="critical",
    by=["namespace", "pod"],
    observed="restarts",
    unit="restarts",
    title="Sidecar is in a crash loop",
    detail="{container} of {namespace}/{pod} restarted {restarts} times; last end {last_reason}, "
    "exit code {last_exit_code}",
    remediation="Read the previous log of the container, its exit code and its limits.",
    source="guide, phase 1, step 1; kubelet back-off",
)
def crash_loop(containers: pd.DataFrame, profile: Profile, window: Window) -> pd.DataFrame:
    sidecars = _sidecars(containers)
    waiting = sidecars["reason"] == "CrashLoopBackOff"
    many = sidecars["restarts"].fillna(0) >= profile.number("crash-loop-restarts")
    failed = ~sidecars["last_exit_code"].isin(_ORDERLY) & sidecars["last_exit_code"].notna()
    # a node that went away ends containers with 255 and reason Unknown: no crash of theirs
    own = text(sidecars["last_reason"]) != "Unknown"
    recent = sidecars["last_finished_at"] >= pd.Timestamp(window.start)
    return sidecars[waiting | (many & failed & own & recent)]


@check(
    "proxies.oom-killed",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["namespace", "pod"],
    observed="memory_limit_bytes",
    unit="bytes",
    title="Sidecar was killed for memory",
    detail="{container} of {namespace}/{pod} was OOM-killed at {last_finished_at}, limit {memory_limit_bytes} bytes",
    remediation="Compare its memory over time with configuration and traffic before raising the limit.",
    source="guide, phase 1, step 2; Kubernetes container status, reason OOMKilled",
)
def oom_killed(containers: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    sidecars = _sidecars(containers)
    now = (sidecars["reason"] == "OOMKilled") | (sidecars["last_reason"] == "OOMKilled")
    since = at - pd.Timedelta(seconds=profile.number("oom-age"))
    recent = sidecars["last_finished_at"].isna() | (sidecars["last_finished_at"] >= since)
    return sidecars[now & recent]


@check(
    "proxies.not-live",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["state"],
    observed="state",
    title="Envoy is not live",
    detail="{count} proxies say {state}",
    remediation="PRE_INITIALIZING and INITIALIZING wait for configuration: read /init_dump and istiod's log.",
    source="Envoy admin /server_info, ServerInfo.State",
)
def not_live(proxies: pd.DataFrame) -> pd.DataFrame:
    said = proxies[proxies["state"].notna()]
    return said[~said["state"].isin(["LIVE", "DRAINING"])]


@check(
    "proxies.restarted",
    phase="proxy-health",
    plane="service",
    severity="info",
    by=["namespace", "pod"],
    observed="restarts",
    unit="restarts",
    title="Sidecar restarted inside the window",
    detail="{container} of {namespace}/{pod} ended at {last_finished_at} ({last_reason}, exit {last_exit_code})",
    remediation="Nothing for an orderly restart; look whether errors began with it.",
    source="Kubernetes container status",
)
def restarted(containers: pd.DataFrame, window: Window) -> pd.DataFrame:
    sidecars = _sidecars(containers)
    return sidecars[sidecars["last_finished_at"] >= pd.Timestamp(window.start)]


@check(
    "proxies.memory-grows",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["namespace", "pod"],
    observed="slope_low",
    unit="bytes/h",
    title="Live memory of a proxy grows over the series",
    detail="{namespace}/{pod} grew from {first_mib} to {last_mib} MiB live in {span} s ({samples} samples); "
    "{unfinished}",
    remediation="See whether requests, configuration or series grow with it before calling it a leak.",
    source="guide, memory-leak script (corrected: slope with interval, not first minus last)",
)
def memory_grows(growth_over_time: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    share = profile.number("memory.growth-share-per-hour") * growth_over_time["median_bytes"].astype(float)
    least = share.clip(lower=profile.number("memory.growth-per-hour"))
    enough = growth_over_time["samples"] >= profile.number("memory.samples")
    above = growth_over_time["slope_low"].astype(float) > least
    first = growth_over_time["first_bytes"].astype(float)
    noise = (profile.number("memory.least-growth-share") * first).clip(lower=profile.number("memory.least-growth"))
    grown = growth_over_time["last_bytes"].astype(float) - first > noise
    rising = growth_over_time[true(growth_over_time["rises"], missing=False) & above & grown & enough.astype(bool)]
    return rising.assign(
        first_mib=[f"{value / _MIB:.1f}" for value in rising["first_bytes"]],
        last_mib=[f"{value / _MIB:.1f}" for value in rising["last_bytes"]],
        span=[f"{value:.0f}" for value in rising["span_s"]],
        unfinished=[_unfinished(value) for value in rising["unfinished_share"]],
    )


def _unfinished(share: float) -> str:
    if pd.isna(share):
        return "how many of its requests ended is not known"
    return f"{share:.0%} of the requests begun meanwhile have not ended"


def _pods_refused(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Events of controllers that still cannot create pods, with the one who refuses as `cause`."""
    since = min(pd.Timestamp(window.start), pd.Timestamp(window.end) - _BACK_OFF)
    found = events[(events["reason"] == "FailedCreate") & (events["at"] >= since)]
    message = text(found["message"])
    webhook = message.str.extract(r'webhook "([^"]+)"', expand=False)
    return found.assign(cause=webhook.where(webhook.notna(), message.str[:80]))


@check(
    "proxies.injection-fails",
    phase="proxy-health",
    plane="control",
    severity="error",
    by=["cause"],
    observed="cause",
    title="Pods cannot be created: the sidecar injector does not answer",
    detail="{count} controllers cannot create pods: {cause}; {object}: {message}",
    remediation="Look whether the injector's service has ready endpoints and its webhook the current CA bundle.",
    source="Kubernetes event FailedCreate; Istio ops, sidecar injection problems",
)
def injection_fails(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    refused = _pods_refused(events, window)
    return refused[text(refused["message"]).str.contains(_INJECTOR)]


@check(
    "proxies.pods-refused",
    phase="proxy-health",
    plane="control",
    severity="warning",
    by=["cause"],
    observed="cause",
    title="Pods cannot be created",
    detail="{count} controllers cannot create pods: {cause}; {object}: {message}",
    remediation="Read what the policy, the quota or the service account forbids; injection adds init containers and "
    "capabilities that a policy may refuse (the CNI plugin does without).",
    source="Kubernetes event FailedCreate",
)
def pods_refused(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    refused = _pods_refused(events, window)
    return refused[~text(refused["message"]).str.contains(_INJECTOR)]
