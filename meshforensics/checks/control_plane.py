"""Phase 1, step 2: is istiod up, did it stay up, and has it what it needs."""

from collections import Counter

import pandas as pd

from meshforensics.checks._containers import (
    crash_looping,
    ended_recently,
    in_mib,
    killed_for_memory,
    last_usage,
    of_control_plane,
    unready,
)
from meshforensics.checks._declare import check
from meshforensics.checks._usage import of_limit, used_by
from meshforensics.checks.proxies_cpu import held_back
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, of_items, text, texts, true, where

_ISTIOD = ("discovery",)
_NAMED = ("discovery", "destination", "identity", "proxy-injector", "citadel", "galley")
_RESIDENT = "process_resident_memory_bytes"
_WHOLE = ("kubernetes.pods:-@", "foreign.k8s-resources:")


@check(
    "control-plane.down",
    phase="control-plane",
    plane="control",
    severity="critical",
    by=["workload"],
    observed="state",
    title="No replica of the control plane is ready",
    detail="none of the {replicas:pod|s} of {workload} is ready; {container} of {namespace}/{pod} is {state} "
    "({reason})",
    remediation="Read its log and the events of its pods; proxies keep their last configuration, but get no "
    "certificates, and new pods get no sidecar.",
    source="guide, phase 1, step 2; Kubernetes container status",
)
def down(containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Judged where all pods are listed, so that another replica cannot be what was not captured."""
    if not text(pods["item"]).str.startswith(_WHOLE).any():
        return containers.iloc[:0].assign(workload="", replicas=0)
    return _replicas(containers, pods, profile, all_of_them=True)


@check(
    "control-plane.replica-not-ready",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["workload"],
    observed="state",
    title="A replica of the control plane is not ready",
    detail="{container} of {namespace}/{pod} is {state} ({reason}) and not ready; {replicas:pod|s} of {workload} run",
    remediation="Read its log and the events of its pod; the other replicas serve its proxies meanwhile.",
    source="guide, phase 1, step 2; Kubernetes container status",
)
def replica_not_ready(containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    whole = text(pods["item"]).str.startswith(_WHOLE).any()
    return _replicas(containers, pods, profile, all_of_them=False if whole else None)


def _replicas(
    containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile, *, all_of_them: bool | None
) -> pd.DataFrame:
    """Replicas that are not ready, of workloads of which no other one is, or another is; None takes both."""
    names = dict(zip(keys(pods, "namespace", "pod"), texts(pods["workload"]), strict=True))
    staying = pods[~true(pods["deleting"], missing=False) & ~pods["phase"].isin(["Succeeded", "Failed"])]
    kept = set(keys(staying, "namespace", "pod"))
    own = of_control_plane(containers, pods)
    own = where(own, (pod in kept for pod in keys(own, "namespace", "pod")))
    own = own.assign(workload=[names.get(pod, "") or "/".join(pod) for pod in keys(own, "namespace", "pod")])
    pending = set(keys(pods[pods["phase"] == "Pending"], "namespace", "pod"))
    own = own.assign(ready=own["ready"].fillna(_not_in(own, pending)))
    bad = unready(own, profile)
    failing = set(keys(bad, "namespace", "pod"))
    starting = own[~true(own["ready"], missing=True)]
    absent = failing | set(keys(starting, "namespace", "pod"))
    replicas = own.drop_duplicates(["namespace", "pod"])
    count = replicas.groupby("workload")["pod"].size().to_dict()
    ready = {of for of, *pod in keys(replicas, "workload", "namespace", "pod") if tuple(pod) not in absent}
    rows = bad.assign(replicas=[count.get(of, 0) for of in bad["workload"]])
    return rows if all_of_them is None else where(rows, ((of not in ready) is all_of_them for of in rows["workload"]))


def _not_in(rows: pd.DataFrame, pending: set[tuple[str, ...]]) -> "pd.Series[bool]":
    """What stands for a missing `ready`: a pod that waits for its node has no status of containers."""
    return pd.Series([pod not in pending for pod in keys(rows, "namespace", "pod")], index=rows.index, dtype="boolean")


@check(
    "control-plane.crash-loop",
    phase="control-plane",
    plane="control",
    severity="critical",
    by=["container", "last_reason", "last_exit_code"],
    observed="restarts",
    unit="restarts",
    title="The control plane is in a crash loop",
    detail="{container} of {namespace}/{pod} restarted {restarts:time|s}; last end {last_reason}, exit "
    "{last_exit_code}",
    remediation="Read the previous log of the container, its exit code and its limits.",
    source="guide, phase 1, step 2; kubelet back-off",
)
def crash_loop(containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile, window: Window) -> pd.DataFrame:
    return crash_looping(of_control_plane(containers, pods), profile, window)


@check(
    "control-plane.oom-killed",
    phase="control-plane",
    plane="control",
    severity="error",
    by=["container", "memory_limit_bytes"],
    observed="memory_limit_bytes",
    unit="bytes",
    title="The control plane was killed for memory",
    detail="{container} of {namespace}/{pod} was OOM-killed at {last_finished_at}, limit {limit}; {usage_before}",
    remediation="Raise its limit, then scope what each proxy is sent (Sidecar resources, discoverySelectors).",
    source="guide, phase 1, step 2; Kubernetes container status, reason OOMKilled",
)
def oom_killed(
    containers: pd.DataFrame,
    pods: pd.DataFrame,
    at: pd.Timestamp,
    profile: Profile,
    usage_over_time: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = killed_for_memory(of_control_plane(containers, pods), at, profile)
    return rows.assign(
        limit=[in_mib(size) for size in rows["memory_limit_bytes"]],
        usage_before=last_usage(rows, usage_over_time, ABSENT),
    )


@check(
    "control-plane.restarted",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["container", "last_reason", "last_exit_code"],
    observed="times",
    unit="restarts",
    title="The control plane restarted inside the window",
    detail="{container} of {namespace}/{pod} ended {times:time|s} in the window, the last at {last_finished_at} "
    "({last_reason}, exit {last_exit_code})",
    remediation="Look whether pushes or errors began with it; every proxy of this replica connected anew.",
    source="guide, phase 1, step 2; Kubernetes container status",
)
def restarted(
    containers: pd.DataFrame, pods: pd.DataFrame, window: Window, containers_over_time: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    return ended_recently(of_control_plane(containers, pods), containers_over_time, window)


@check(
    "control-plane.throttled",
    phase="control-plane",
    plane="control",
    threshold="cpu.throttled-share",
    by=["container"],
    observed="share",
    unit="ratio",
    title="istiod is throttled",
    detail="{container} of {namespace}/{pod} was throttled in a share of {share:.2f} of its periods in the window",
    remediation="Raise or remove its CPU limit: its pushes wait while it is throttled.",
    source="guide, phase 1, step 2; cAdvisor container_cpu_cfs_throttled_periods_total",
)
def throttled(throttling: pd.DataFrame, window: Window) -> pd.DataFrame:
    return held_back(throttling, _ISTIOD, window)


@check(
    "control-plane.cpu-near-limit",
    phase="control-plane",
    plane="control",
    threshold="cpu.share-of-limit",
    by=["container", "cpu_limit_m"],
    observed="share",
    unit="ratio",
    title="The control plane uses nearly all the CPU it may",
    detail="{container} of {namespace}/{pod} uses {cpu_m}m of {cpu_limit_m}m",
    remediation="Raise or remove its CPU limit, or add replicas: its pushes wait while it is throttled.",
    source="guide, phase 1, step 2; Kubernetes metrics API and limits",
)
def cpu_near_limit(usage: pd.DataFrame, containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    return of_limit(_used(usage, containers, pods, "cpu_m"), containers, "cpu_m", "cpu_limit_m")


@check(
    "control-plane.memory-near-limit",
    phase="control-plane",
    plane="control",
    threshold="memory.share-of-limit",
    by=["container", "memory_limit_bytes"],
    observed="share",
    unit="ratio",
    title="The control plane uses nearly all the memory it may",
    detail="{container} of {namespace}/{pod} uses {used} of {limit}",
    remediation="Raise its limit; the kernel kills it there, and every proxy then connects anew.",
    source="guide, phase 1, step 2; Kubernetes metrics API and limits",
)
def memory_near_limit(usage: pd.DataFrame, containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    used = _used(usage, containers, pods, "memory_bytes")
    rows = of_limit(used, containers, "memory_bytes", "memory_limit_bytes")
    return rows.assign(
        used=[in_mib(size) for size in rows["memory_bytes"]],
        limit=[in_mib(size) for size in rows["memory_limit_bytes"]],
    )


def _used(usage: pd.DataFrame, containers: pd.DataFrame, pods: pd.DataFrame, column: str) -> pd.DataFrame:
    own = set(keys(of_control_plane(containers, pods), "namespace", "pod", "container"))
    used = used_by(usage, _NAMED, column)
    return where(used, (holder in own for holder in keys(used, "namespace", "pod", "container")))


@check(
    "control-plane.cpu-over-profile",
    phase="control-plane",
    plane="control",
    threshold="control-plane.cpu",
    by=["container"],
    observed="cpu_m",
    unit="millicores",
    title="istiod uses much CPU",
    detail="{container} of {namespace}/{pod} uses {cpu_m}m",
    remediation="See what it does: pushes (push time, triggers), certificates (CSR count and errors), validation.",
    source="guide, phase 1, step 2 (citadel CPU over 500m: Pilot, Citadel and Galley are one process since Istio 1.5)",
)
def cpu_over_profile(usage: pd.DataFrame) -> pd.DataFrame:
    return used_by(usage, _ISTIOD, "cpu_m")


@check(
    "control-plane.memory-over-profile",
    phase="control-plane",
    plane="control",
    threshold="control-plane.memory",
    by=["namespace", "pod"],
    observed="unexplained_bytes",
    unit="bytes",
    title="istiod uses more memory than its proxies explain",
    detail="{namespace}/{pod} uses {used}, with {proxies:proxy|s} connected",
    remediation="Scope what it watches and sends (discoverySelectors, Sidecar resources, exportTo).",
    source="guide, phase 1, step 2 (pilot memory over 2 GB); Istio: 1.5 GB for 1000 services and 2000 sidecars",
)
def memory_over_profile(stats: pd.DataFrame, profile: Profile, usage: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """The working set where the metrics API told it, else what istiod says is resident."""
    own = of_items(stats[stats["real"].notna()], "istiod.metrics")
    connected = own[own["name"] == "pilot_xds"]
    proxies: Counter[tuple[str, ...]] = Counter()
    for pod, count in zip(keys(connected, "namespace", "pod"), connected["real"], strict=True):
        proxies[pod] += int(count)
    resident = own[own["name"] == _RESIDENT].drop_duplicates(["namespace", "pod"])
    parts = [resident.assign(size=resident["real"])[["namespace", "pod", "size", "item", "pointer"]]]
    if len(usage):
        used = used_by(usage, _ISTIOD, "memory_bytes")
        parts.insert(0, used.assign(size=used["memory_bytes"].astype("Float64"))[parts[0].columns])
    held = [part.astype("object") for part in parts if len(part)]
    rows = pd.concat(held, ignore_index=True) if held else parts[-1].astype("object")
    rows = rows.drop_duplicates(["namespace", "pod"])
    counts = [proxies.get(pod) for pod in keys(rows, "namespace", "pod")]
    explained = [profile.number("control-plane.memory-per-proxy") * (count or 0) for count in counts]
    return rows.assign(
        unexplained_bytes=rows["size"].astype(float) - pd.Series(explained, index=rows.index, dtype=float),
        used=[in_mib(size) for size in rows["size"]],
        proxies=["an unknown number of" if count is None else count for count in counts],
    )
