"""Whether a rejection that a log tells of is over, as the proxy that refused it shows by what it holds."""

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from meshforensics.tables._frames import keys, text, texts

_Key = tuple[str, ...]
_NEVER = pd.Timestamp.min.tz_localize("UTC")

_UPDATED = {
    "lds": re.compile(r"listener_manager[._]lds[._]update_time\Z"),
    "cds": re.compile(r"cluster_manager[._]cds[._]update_time\Z"),
}


def mended(
    reports: pd.DataFrame, listener_instances: pd.DataFrame, cluster_instances: pd.DataFrame, stats: pd.DataFrame
) -> Iterator[bool]:
    """Whether each report of a log is over, as the proxy that refused it shows.

    A dump of later tells of each listener whether it is refused still, and of a cluster when it last changed. The
    gauge of the last accepted update decides where the dump does not tell of the resource: a delta update may have
    been about another one.
    """
    refused, dumped = _refused_listeners(listener_instances)
    changed = _changed({"lds": listener_instances, "cds": cluster_instances})
    updated = _updated(stats)
    names = text(reports["resource_name"])
    for (namespace, pod, kind), name, at in zip(
        keys(reports, "namespace", "pod", "type"), names, reports["at"], strict=True
    ):
        proxy = (namespace, pod)
        if kind == "lds" and dumped.get(proxy, _NEVER) > at:
            yield not (refused.get(proxy, set()) & {name, ""} or (not name and refused.get(proxy)))
        elif (namespace, pod, kind, name) in changed:
            yield changed[namespace, pod, kind, name] > at
        else:
            yield updated.get((namespace, pod, kind), _NEVER) > at


def _refused_listeners(
    held: pd.DataFrame,
) -> tuple[dict[_Key, set[str]], dict[_Key, pd.Timestamp]]:
    """By proxy: the names of the listeners that its dump shows as refused, and when it was captured."""
    refused: dict[_Key, set[str]] = {}
    dumped: dict[_Key, pd.Timestamp] = {}
    if held.empty:
        return refused, dumped
    timed = held[held["captured_at"].notna()]
    dumped.update(zip(keys(timed, "namespace", "pod"), timed["captured_at"], strict=True))
    bad = held[(held["state"] == "error") | (text(held["error"]) != "")]
    for namespace, pod, name in keys(bad, "namespace", "pod", "name"):
        refused.setdefault((namespace, pod), set()).add(name)
    return refused, dumped


def _changed(instances: Mapping[str, pd.DataFrame]) -> dict[_Key, pd.Timestamp]:
    """When each resource that a proxy runs last changed."""
    made: dict[_Key, pd.Timestamp] = {}
    for kind, held in instances.items():
        if held.empty:
            continue
        live = held[held["state"].isin(["active", "warming"]) & held["last_updated"].notna()]
        for (namespace, pod, name), at in zip(
            keys(live, "namespace", "pod", "name"), live["last_updated"], strict=True
        ):
            made[namespace, pod, kind, name] = at
    return made


def _updated(stats: pd.DataFrame) -> dict[_Key, pd.Timestamp]:
    """When a proxy last accepted an update of a type, as its gauge tells: milliseconds since 1970."""
    made: dict[_Key, pd.Timestamp] = {}
    if stats.empty:
        return made
    names = set(texts(stats["name"]))
    for kind, pattern in _UPDATED.items():
        own = stats[stats["name"].isin([name for name in names if pattern.search(name)]) & (stats["value"] > 0)]
        at = pd.to_datetime(own["value"].astype("float64"), unit="ms", utc=True, errors="coerce")
        for (namespace, pod), instant in zip(keys(own, "namespace", "pod"), at, strict=True):
            if not pd.isna(instant):
                made[namespace, pod, kind] = max(instant, made.get((namespace, pod, kind), instant))
    return made
