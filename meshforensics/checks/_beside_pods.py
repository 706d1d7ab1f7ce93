"""What else tells of errors of pods: what the kubelet says of their containers, and what Envoy says of itself."""

import re

import pandas as pd

from meshforensics.checks._containers import sidecars
from meshforensics.checks._lines import Lines, Tells
from meshforensics.model import format_time
from meshforensics.model.words import count_of, in_words
from meshforensics.tables import text, true

_BIND = re.compile(r"cannot bind '([^']+)'")
_VALIDATORS = ("istio-validation", "linkerd-network-validator")
_CREATED = ("ContainerCreating", "PodInitializing")
_REDIRECTED = r'"ambient\.istio\.io/redirection": ?"pending"'


def _containers(lines: Lines) -> pd.DataFrame:
    """Those of the pods that it is about; where the lines name no pod, all."""
    return lines.own("containers") if lines.pods else lines.table("containers")


def _state(lines: Lines) -> str:
    states = lines.own("proxy_states")
    known = states[text(states["state"]) != ""] if len(states) else states
    if known.empty:
        return ""
    dead = known[known["state"] != "LIVE"]
    if len(dead):
        first = dead.iloc[0]
        return f"confirmed: {first['namespace']}/{first['pod']} is {first['state']} as of the capture"
    return in_words("over as of the capture: {n:~the proxy|all {n} proxies} of it {n:~is|are} live", n=len(known))


def _unready(lines: Lines) -> str:
    """Those of a job that is done are not ready either, and are not meant."""
    containers = _containers(lines)
    if containers.empty:
        return ""
    own = sidecars(containers)
    alive = own[own["state"].isin(["running", "waiting"]) & own["ready"].notna()]
    unready = int((~true(alive["ready"], missing=True)).sum())
    if unready:
        said = "confirmed: {unready} of {every:sidecar|s} {unready:~is|are} not ready"
        return in_words(said, unready=unready, every=len(alive))
    said = "over as of the capture: {every:~the only sidecar is|all {every} sidecars are} ready"
    return in_words(said, every=len(alive)) if len(alive) else ""


def _killed(lines: Lines) -> str:
    containers = _containers(lines)
    if containers.empty:
        return ""
    killed = containers[(containers["last_reason"] == "OOMKilled") | (containers["reason"] == "OOMKilled")]
    if len(killed):
        return f"confirmed: {count_of(len(killed), 'container')} ended last by OOMKilled"
    return "refuted as of the capture: no container of it ended last by OOMKilled"


def _crashing(lines: Lines) -> str:
    containers = _containers(lines)
    if containers.empty:
        return ""
    held = containers[containers["reason"] == "CrashLoopBackOff"]
    if len(held):
        first = held.sort_values("restarts", kind="stable").iloc[-1]
        return f"confirmed: {first['container']} waits in CrashLoopBackOff after {first['restarts']} restarts"
    restarts = int(containers["restarts"].fillna(0).sum())
    if restarts:
        return f"its containers have restarted {count_of(restarts, 'time')}, and none waits as of the capture"
    return "refuted as of the capture: no container of it has restarted" if containers["restarts"].notna().all() else ""


def _ended(lines: Lines) -> str:
    """The last end of a proxy of these pods in the window."""
    containers = lines.own("containers")
    own = sidecars(containers) if len(containers) else containers
    ended = own[own["last_finished_at"] >= pd.Timestamp(lines.window.start)] if len(own) else own
    if ended.empty:
        return ""
    one = ended.sort_values("last_finished_at", kind="stable").iloc[-1]
    code = one["exit_code"] if pd.notna(one["exit_code"]) else one["last_exit_code"]
    ended_so = f"ended with {code}" if pd.notna(code) else "ended"
    who = f"{one['container']} of {one['namespace']}/{one['pod']}"
    return f"confirmed: {who} {ended_so} at {format_time(one['last_finished_at'])}"


def _threads(lines: Lines) -> str:
    proxies, containers = lines.own("proxies"), lines.own("containers")
    known = proxies[proxies["concurrency"].notna()] if len(proxies) else proxies
    if known.empty:
        return ""
    most = known.sort_values("concurrency", kind="stable").iloc[-1]
    said = f"{most['namespace']}/{most['pod']} runs {count_of(int(most['concurrency']), 'worker')}"
    own = sidecars(containers) if len(containers) else containers
    limits = own[(own["pod"] == most["pod"]) & own["cpu_limit_m"].notna()] if len(own) else own
    return said + (f" on a CPU limit of {limits['cpu_limit_m'].iloc[0]}m" if len(limits) else "")


def _bound(lines: Lines) -> str:
    bound = lines.own("bound_listeners")
    asked = {address for said in text(lines.rows["text"]) for address in _BIND.findall(said)}
    if bound.empty or not asked:
        return ""
    there = asked & set(text(bound["address"]))
    if there:
        return f"over as of the capture: {min(there)} is bound"
    addresses = count_of(bound["address"].nunique(), "address", "addresses")
    return f"confirmed: {min(asked)} is not among the {addresses} that its proxy has bound"


def _raced(lines: Lines) -> str:
    containers = lines.own("containers")
    own = containers[containers["container"].isin(_VALIDATORS)] if len(containers) else containers
    failed = own[(own["exit_code"].fillna(0) != 0) | (own["last_exit_code"].fillna(0) != 0)] if len(own) else own
    if failed.empty:
        return ""
    first = failed.iloc[0]
    code = first["exit_code"] if pd.notna(first["exit_code"]) and first["exit_code"] else first["last_exit_code"]
    return f"confirmed: {first['container']} of {first['namespace']}/{first['pod']} ended with {code}"


def _created(lines: Lines) -> str:
    containers = lines.own("containers")
    if containers.empty:
        return ""
    waiting = containers[containers["reason"].isin(_CREATED)]
    if len(waiting):
        first = waiting.iloc[0]
        return f"confirmed: {first['namespace']}/{first['pod']} still waits in {first['reason']}"
    running = bool((containers["state"] == "running").any())
    return "over as of the capture: its containers run" if running else ""


def _enrolled(lines: Lines) -> str:
    pods = lines.table("pods")
    if pods.empty:
        return ""
    pending = pods[text(pods["annotations"]).str.contains(_REDIRECTED)]
    if pending.empty:
        return ""
    first = f"{pending['namespace'].iloc[0]}/{pending['pod'].iloc[0]}"
    return f"confirmed: {count_of(len(pending), 'pod is', 'pods are')} pending, {first} first"


TELLS = {
    "not-live": Tells(topic="pods", judge=_state, by="the state that Envoy gives of itself"),
    "not-ready": Tells(topic="pods", judge=_unready, by="readiness of the sidecars of the pods"),
    "out-of-memory": Tells(topic="pods", judge=_killed, by="why containers of the pods ended last"),
    "crash-loop": Tells(topic="pods", judge=_crashing, by="what the containers of the pods wait for, and restarts"),
    "drain-failed": Tells(
        topic="pods", judge=_ended, by="when the proxy ended and with which code; its counters ended with it"
    ),
    "ztunnel-lifecycle": Tells(topic="pods", judge=_ended, by="when the ztunnel ended and with which code"),
    "concurrency": Tells(topic="pods", judge=_threads, by="worker threads and the CPU limit"),
    "bind": Tells(
        topic="pods", judge=_bound, by="the addresses that the proxy has bound",
        counters=("listener_manager.listener_create_failure",),
    ),
    "cni-race": Tells(topic="pods", judge=_raced, by="exit code of istio-validation or linkerd-network-validator"),
    "cni": Tells(topic="pods", judge=_created, by="whether containers of the pod are still being created"),
    "ambient-enrolment": Tells(topic="pods", judge=_enrolled, by="pods whose redirection is pending"),
}  # fmt: skip
