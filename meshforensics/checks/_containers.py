"""Containers of proxies and of the control plane: which they are, and what the kubelet says of them."""

from typing import NamedTuple

import pandas as pd

from meshforensics.model import Window, format_time
from meshforensics.profile import Profile
from meshforensics.tables import keys, text, true, where

PROXIES = ("istio-proxy", "linkerd-proxy", "ztunnel")
"""Containers that carry a data plane."""

_CONTROL_PLANE = (
    r'"(?:app|istio)": ?"(?:istiod|pilot|citadel|galley)"'
    r'|"linkerd\.io/control-plane-component": ?"(?:destination|identity|proxy-injector)"'
)
_ORDERLY = (0, 143)
_HOLDER = ("namespace", "pod", "container")
_MIB = 1024 * 1024


def sidecars(containers: pd.DataFrame) -> pd.DataFrame:
    """Sidecars, gateways and ztunnels."""
    return containers[containers["container"].isin(PROXIES)]


def of_control_plane(containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """Containers of istiod, its ancestors and Linkerd's control plane, by the labels that their charts set."""
    own = pods[text(pods["labels"]).str.contains(_CONTROL_PLANE)]
    mine = set(keys(own, "namespace", "pod"))
    rows = where(containers, (pod in mine for pod in keys(containers, "namespace", "pod")))
    return rows[~rows["container"].isin(PROXIES) & (rows["role"] != "init")]


def of_running_pods(containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """Those in pods that run and are not being deleted."""
    alive = pods[(pods["phase"] == "Running") & ~true(pods["deleting"], missing=False)]
    running = set(keys(alive, "namespace", "pod"))
    return where(containers, (pod in running for pod in keys(containers, "namespace", "pod")))


def unready(containers: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Those that are not ready, and did not start seconds before they were looked at."""
    waiting = containers[~true(containers["ready"], missing=True)]
    age = (waiting["captured_at"] - waiting["started_at"]).dt.total_seconds()
    fresh = (age >= 0) & (age < profile.number("starting-age"))
    orderly = waiting["last_exit_code"].isna() | waiting["last_exit_code"].isin(_ORDERLY)
    return waiting[~(fresh & orderly & (waiting["state"] == "running"))]


def crash_looping(containers: pd.DataFrame, profile: Profile, window: Window) -> pd.DataFrame:
    """Those that the kubelet holds back, or that failed often and inside the window."""
    waiting = containers["reason"] == "CrashLoopBackOff"
    many = containers["restarts"].fillna(0) >= profile.number("crash-loop-restarts")
    failed = ~containers["last_exit_code"].isin(_ORDERLY) & containers["last_exit_code"].notna()
    # a node that went away ends containers with 255 and reason Unknown: no crash of theirs
    own = containers["last_reason"] != "Unknown"
    recent = containers["last_finished_at"] >= pd.Timestamp(window.start)
    return containers[waiting | (many & failed & own & recent)]


def killed_for_memory(containers: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    """Those that were killed for memory not long ago."""
    now = (containers["reason"] == "OOMKilled") | (containers["last_reason"] == "OOMKilled")
    since = at - pd.Timedelta(seconds=profile.number("oom-age"))
    recent = containers["last_finished_at"].isna() | (containers["last_finished_at"] >= since)
    return containers[now & recent]


def ended_recently(containers: pd.DataFrame, over_time: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Those that ended inside the window, or that samples of it count more restarts of; `times` is how many."""
    least: dict[tuple[str, ...], int] = {}
    if len(over_time):
        inside = over_time[(over_time["captured_at"] >= pd.Timestamp(window.start)) & over_time["restarts"].notna()]
        for holder, count in zip(keys(inside, *_HOLDER), inside["restarts"], strict=True):
            least[holder] = min(int(count), least.get(holder, int(count)))
    held = zip(keys(containers, *_HOLDER), containers["restarts"].fillna(0), strict=True)
    rose = pd.Series([int(count) - least.get(holder, int(count)) for holder, count in held], index=containers.index)
    ended = containers["last_finished_at"] >= pd.Timestamp(window.start)
    rows = containers.assign(times=rose.clip(lower=1).astype("int64"))
    return rows[ended | (rose > 0)]


def last_usage(killed: pd.DataFrame, usage: pd.DataFrame, memory: pd.DataFrame) -> list[str]:
    """In words, of each container the memory that was last seen before it ended."""
    pods = set(keys(killed, "namespace", "pod"))
    sizes = _sizes(usage, "memory_bytes", "working set", pods) + _sizes(memory, "heap_size", "heap", pods)
    said = []
    for (namespace, pod, container), ended in zip(keys(killed, *_HOLDER), killed["last_finished_at"], strict=True):
        before = [
            size
            for size in sizes
            if size.pod == (namespace, pod)
            and size.container in {"", container}
            and (pd.isna(ended) or size.at <= ended)
        ]
        last = max(before, key=lambda size: size.at, default=None)
        said.append(
            f"last seen with a {last.what} of {in_mib(last.bytes)} at {format_time(last.at)}"
            if last
            else "what it used before was not captured"
        )
    return said


class _Size(NamedTuple):
    pod: tuple[str, ...]
    container: str
    at: pd.Timestamp
    bytes: int
    what: str


def _sizes(frame: pd.DataFrame, column: str, what: str, pods: set[tuple[str, ...]]) -> list[_Size]:
    """The memory of some pods at its times; a container of "" is the proxy."""
    if frame.empty:
        return []
    own = where(frame, (pod in pods for pod in keys(frame, "namespace", "pod")))
    at = own["at"].fillna(own["captured_at"]) if "at" in own else own["captured_at"]
    containers = text(own["container"]) if "container" in own else pd.Series("", index=own.index)
    rows = zip(keys(own, "namespace", "pod"), containers, at, own[column], strict=True)
    return [
        _Size(pod, name, when, int(size), what) for pod, name, when, size in rows if pd.notna(when) and pd.notna(size)
    ]


def in_mib(size: object) -> str:
    """Bytes in words: ``812 MiB``; ``none`` for a limit that is not there."""
    return "none" if pd.isna(size) else f"{float(size) / _MIB:.0f} MiB"  # type: ignore[call-overload, arg-type]
