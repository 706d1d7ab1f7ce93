"""Phase 1: is each proxy up, and did it stay up."""

import re

import pandas as pd

from meshforensics.checks._containers import (
    crash_looping,
    ended_recently,
    in_mib,
    killed_for_memory,
    last_usage,
    of_running_pods,
    sidecars,
    unready,
)
from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, true, where

_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-f:]+\]")


@check(
    "proxies.not-ready",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["waits_for"],
    observed="waits_for",
    title="Sidecar not ready in a running pod",
    detail="{count:pod|s}, {namespace}/{pod}{count:~| among them}: {container} is not ready, {waits_for}",
    remediation="Read the proxy's log for what it waits for, and /init_dump; restart it only after a capture.",
    source="guide, phase 1, step 1 (extended to native sidecars); Kubernetes container status, probes and events",
)
def not_ready(
    containers: pd.DataFrame, pods: pd.DataFrame, profile: Profile, events: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """A container that started seconds before it was looked at is starting, not stuck."""
    rows = unready(of_running_pods(sidecars(containers), pods), profile)
    return rows.assign(waits_for=_waits_for(rows, _failures_of_probes(events)))


def _waits_for(rows: pd.DataFrame, failures: dict[tuple[str, ...], str]) -> list[str]:
    """Which probe did not pass, with what it got where an event tells that; else how the container stands."""
    said = []
    started = true(rows["started"], missing=True)
    columns = ("namespace", "pod", "state", "reason", "readiness_probe", "startup_probe")
    for (namespace, pod, state, reason, readiness, startup), passed in zip(keys(rows, *columns), started, strict=True):
        if state not in {"running", ""}:
            said.append(f"it is {state}: {reason or 'no reason given'}")
            continue
        kind, probe = ("Readiness", readiness) if passed else ("Startup", startup)
        got = failures.get((namespace, pod, kind))
        said.append(f"{kind.lower()} probe {probe or 'unknown'}" + (f" failed: {got}" if got else " has not passed"))
    return said


def _failures_of_probes(events: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """By pod and probe what the newest failure got, without addresses, so that one cause reads alike everywhere."""
    if events.empty:
        return {}
    failed = events[events["reason"] == "Unhealthy"].sort_values("at", kind="stable")
    found: dict[tuple[str, ...], str] = {}
    for namespace, pod, message in keys(failed, "namespace", "name", "message"):
        kind, probe, got = message.partition(" probe failed: ")
        if probe:
            found[namespace, pod, kind] = _ADDRESS.sub("…", got).strip()[:120]
    return found


@check(
    "proxies.crash-loop",
    phase="proxy-health",
    plane="service",
    severity="critical",
    by=["container", "last_reason", "last_exit_code"],
    observed="restarts",
    unit="restarts",
    title="Sidecar is in a crash loop",
    detail="{count:pod|s}: {container} of {namespace}/{pod} restarted {restarts:time|s}; last end {last_reason}, "
    "exit code {last_exit_code}",
    remediation="Read the previous log of the container, its exit code and its limits.",
    source="guide, phase 1, step 1; kubelet back-off",
)
def crash_loop(containers: pd.DataFrame, profile: Profile, window: Window) -> pd.DataFrame:
    return crash_looping(sidecars(containers), profile, window)


@check(
    "proxies.oom-killed",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["container", "memory_limit_bytes"],
    observed="memory_limit_bytes",
    unit="bytes",
    title="Sidecar was killed for memory",
    detail="{count:pod|s}: {container} of {namespace}/{pod} was OOM-killed at {last_finished_at}, limit {limit}; "
    "{usage_before}",
    remediation="Compare its memory over time with configuration and traffic before raising the limit.",
    source="guide, phase 1, step 1; Kubernetes container status, reason OOMKilled",
)
def oom_killed(
    containers: pd.DataFrame,
    at: pd.Timestamp,
    profile: Profile,
    usage_over_time: pd.DataFrame = ABSENT,
    memory_over_time: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = killed_for_memory(sidecars(containers), at, profile)
    return rows.assign(
        limit=[in_mib(size) for size in rows["memory_limit_bytes"]],
        usage_before=last_usage(rows, usage_over_time, memory_over_time),
    )


@check(
    "proxies.not-live",
    phase="proxy-health",
    plane="service",
    severity="error",
    by=["state"],
    observed="state",
    title="Envoy is not live",
    detail="{count:proxy says|proxies say} {state}; {waits}",
    remediation="PRE_INITIALIZING and INITIALIZING wait for configuration: read /init_dump and istiod's log.",
    source="guide, phase 1, step 1; Envoy admin /server_info, ServerInfo.State, or the gauge server.state",
)
def not_live(proxy_states: pd.DataFrame, profile: Profile, init_targets: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """One that started seconds ago is starting; of one that tells no uptime that is not known."""
    young = proxy_states["uptime_s"] < profile.number("starting-age")
    rows = proxy_states[~proxy_states["state"].isin(["LIVE", "DRAINING"]) & ~true(young, missing=False)]
    return rows.assign(waits=_awaited(rows, init_targets))


def _awaited(rows: pd.DataFrame, targets: pd.DataFrame) -> list[str]:
    if targets.empty:
        return ["what they wait for was not captured"] * len(rows)
    waiting_for: dict[tuple[str, ...], list[str]] = {}
    for namespace, pod, target in keys(targets, "namespace", "pod", "target"):
        waiting_for.setdefault((namespace, pod), []).append(target)
    found = [waiting_for.get(pod, []) for pod in keys(rows, "namespace", "pod")]
    return [
        f"waits for {', '.join(each[:3])}" if each else "/init_dump names nothing that is awaited" for each in found
    ]


@check(
    "proxies.draining",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["state"],
    observed="state",
    title="Envoy drains in a pod that stays",
    detail="{count:proxy drains and its pod is|proxies drain and their pods are} not being deleted",
    remediation="Look who called /drain_listeners or /healthcheck/fail; a restart of the pod ends it.",
    source="guide, phase 1, step 1; Envoy admin /server_info, state DRAINING",
)
def draining(proxy_states: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    staying = pods[(pods["phase"] == "Running") & ~true(pods["deleting"], missing=True)]
    stays = set(keys(staying, "namespace", "pod"))
    drains = proxy_states[proxy_states["state"] == "DRAINING"]
    return where(drains, (pod in stays for pod in keys(drains, "namespace", "pod")))


@check(
    "proxies.restarted",
    phase="proxy-health",
    plane="service",
    severity="info",
    by=["container", "last_reason", "last_exit_code"],
    observed="times",
    unit="restarts",
    title="Sidecar restarted inside the window",
    detail="{count:pod|s}: {container} of {namespace}/{pod} ended {times:time|s} in the window, the last at "
    "{last_finished_at} ({last_reason}, exit {last_exit_code})",
    remediation="Nothing for an orderly restart; look whether errors began with it.",
    source="guide, phase 1, step 1; Kubernetes container status",
)
def restarted(containers: pd.DataFrame, window: Window, containers_over_time: pd.DataFrame = ABSENT) -> pd.DataFrame:
    return ended_recently(sidecars(containers), containers_over_time, window)
