"""What proxies use, beside what they may use, what they hold and serve, and what their siblings use."""

from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

import pandas as pd

from meshforensics.profile import Profile
from meshforensics.tables import keys, text, texts, where
from meshforensics.tables.growth import drivers_of

_HOLDER = ("namespace", "pod", "container")
_REQUESTS = "istio_requests_total"
_UPTIME = ("envoy_server_uptime", "server.uptime")

Pod = tuple[str, ...]
"""Namespace and pod."""


class Load(NamedTuple):
    """What a proxy holds and serves; None where that was not captured."""

    clusters: int | None = None
    connections: int | None = None
    requests: int | None = None
    rate: float | None = None

    def __str__(self) -> str:
        """In words."""
        said = (
            (self.clusters, "clusters held"),
            (self.connections, "connections open"),
            (self.requests, "requests served"),
        )
        return ", ".join(f"{'unknown' if number is None else number} {what}" for number, what in said)


def used_by(usage: pd.DataFrame, containers: tuple[str, ...], column: str) -> pd.DataFrame:
    """The newest measure of each container of these names."""
    own = usage[usage["container"].isin(containers) & usage[column].notna()]
    return own.sort_values("captured_at", kind="stable").drop_duplicates(list(_HOLDER), keep="last").sort_index()


def of_limit(used: pd.DataFrame, containers: pd.DataFrame, measure: str, limit: str) -> pd.DataFrame:
    """Those that have a limit, with it and with the share of it that they use."""
    limits = dict(zip(keys(containers, *_HOLDER), containers[limit], strict=True))
    held = pd.Series([limits.get(holder) for holder in keys(used, *_HOLDER)], index=used.index, dtype="Float64")
    limited = used.assign(**{limit: held.where(held > 0)})
    limited = limited[limited[limit].notna()]
    return limited.assign(share=limited[measure].astype(float) / limited[limit].astype(float))


def workloads(pods: pd.DataFrame) -> dict[Pod, str]:
    """The workload of each pod that has one."""
    return {(namespace, pod): of for namespace, pod, of in keys(pods, "namespace", "pod", "workload") if of}


def loads(of: set[Pod], stats: pd.DataFrame, instances: pd.DataFrame) -> dict[Pod, Load]:
    """What some proxies hold and serve."""
    held: dict[Pod, int] = {}
    if len(instances):
        for pod in keys(instances, "namespace", "pod"):
            if pod in of:
                held[pod] = held.get(pod, 0) + 1
    made = {pod: Load(clusters=held.get(pod)) for pod in of}
    if len(stats):
        own = where(stats, (pod in of for pod in keys(stats, "namespace", "pod")))
        for (namespace, name), rows in own.groupby([text(own["namespace"]), text(own["pod"])]):
            pod = (str(namespace), str(name))
            made[pod] = _served(rows, made[pod])
    return made


def _served(stats: pd.DataFrame, load: Load) -> Load:
    scrapes = text(stats["item"]).str.startswith("envoy.stats_prometheus")
    stats = stats[scrapes] if scrapes.any() else stats
    name = text(stats["name"])
    driven = drivers_of(stats)
    counted = stats[(name == _REQUESTS) & stats["value"].notna()]["value"]
    requests = int(counted.sum()) if len(counted) else _last(driven.get("requests"))
    uptime = stats[name.isin(_UPTIME)]["real"].max()
    rate = requests / float(uptime) if requests is not None and pd.notna(uptime) and uptime > 0 else None
    return load._replace(connections=_last(driven.get("connections")), requests=requests, rate=rate)


def _last(series: "pd.Series[float] | None") -> int | None:
    return None if series is None or series.empty else int(series.iloc[-1])


def above_siblings(
    used: pd.DataFrame, measure: str, pods: pd.DataFrame, least: float, profile: Profile
) -> pd.DataFrame:
    """Those that use more than the others of their workload by at least `least`, with `ratio` to their median."""
    names = workloads(pods)
    groups: dict[tuple[str, str], list[float]] = {}
    rows = list(zip(keys(used, "namespace", "pod"), texts(used["container"]), used[measure], strict=True))
    for pod, container, value in rows:
        if pod in names:
            groups.setdefault((names[pod], container), []).append(float(value))
    usual: list[float | None] = []
    for pod, container, value in rows:
        others = list(groups.get((names.get(pod, ""), container), ()))
        if others:
            others.remove(float(value))
        usual.append(median(others) if len(others) >= profile.number("siblings.least") else None)
    made = used.assign(
        workload=[names.get(pod, "") for pod, _, _ in rows], usual=pd.Series(usual, index=used.index, dtype="Float64")
    )
    value = made[measure].astype("Float64")
    made = made.assign(ratio=value / made["usual"].clip(lower=1))
    return made[(value - made["usual"] >= least).fillna(value=False).astype(bool)]


def unexplained(
    high: pd.DataFrame, pods: pd.DataFrame, stats: pd.DataFrame, instances: pd.DataFrame, profile: Profile
) -> pd.DataFrame:
    """Those whose load is not as far above that of their siblings as their use, with both loads in words."""
    names = workloads(pods)
    wanted = set(high["workload"]) if len(high) else set()
    known = loads({pod for pod, of in names.items() if of in wanted}, stats, instances)
    keep, own, theirs = [], [], []
    for pod, of, ratio in zip(keys(high, "namespace", "pod"), texts(high["workload"]), high["ratio"], strict=True):
        load = known.get(pod, Load())
        usual = _usual([each for other, each in known.items() if other != pod and names[other] == of])
        keep.append(_times(load, usual) < profile.number("siblings.load-share") * float(ratio))
        own.append(str(load))
        theirs.append(str(usual))
    return where(high.assign(own=own, theirs=theirs), keep)


def _usual(loads: list[Load]) -> Load:
    found: Mapping[str, list[float]] = {
        name: [value for each in loads if (value := getattr(each, name)) is not None] for name in Load._fields
    }
    made = {name: int(median(values)) for name, values in found.items() if values and name != "rate"}
    return Load(**made)


def _times(load: Load, usual: Load) -> float:
    """How many times the usual the load is, in whatever of it is farthest above; 1 where nothing is known."""
    pairs = [(mine, theirs) for mine, theirs in zip(load[:3], usual[:3], strict=True) if mine and theirs is not None]
    return max((mine / max(theirs, 1) for mine, theirs in pairs), default=1.0)
