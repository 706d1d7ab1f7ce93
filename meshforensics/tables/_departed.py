"""Pods that went away during a capture or between two of them: what was captured of them is state no more."""

from collections.abc import Callable, Iterable
from datetime import datetime

from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.model import MESH, Item, Status, pod_of

Listed = Callable[[Item], tuple[KubernetesObject, ...]]
"""The objects of an item; empty where it cannot be decoded."""

_LISTS = ("kubernetes.pods", "foreign.k8s-resources")
_LOGS = "log."


def departed(items: Iterable[Item], at: datetime | None, listed: Listed) -> dict[str, datetime]:
    """Subjects of pods that a list of all pods had and the newest does not have, with the time of that newest.

    A proxy that no list ever had, such as one outside Kubernetes, never departs.
    """
    lists = [
        (item.captured_at, item)
        for item in items
        if item.kind in _LISTS
        and item.subject == MESH
        and item.status is Status.CAPTURED
        and item.stored
        and item.captured_at is not None
        and (at is None or item.captured_at <= at)
    ]
    if len({when for when, _ in lists}) < 2:
        return {}
    pods = [(when, _pods(listed(item))) for when, item in sorted(lists, key=lambda each: each[0])]
    told = [(when, names) for when, names in pods if names]
    if not told:
        return {}
    newest, there = told[-1]
    return dict.fromkeys(sorted({name for _, names in told for name in names} - there), newest)


def is_over(item: Item, gone: dict[str, datetime]) -> bool:
    """Whether the item tells of a pod that was gone later; its log remains what was written in its time."""
    if item.captured_at is None or item.kind.startswith(_LOGS) or pod_of(item.subject) is None:
        return False
    since = gone.get(item.subject)
    return since is not None and item.captured_at < since


def _pods(objects: Iterable[KubernetesObject]) -> set[str]:
    return {f"{one.namespace}/{one.name}" for one in objects if one.kind == "Pod"}
