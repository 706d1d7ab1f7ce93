"""Which proxies an EnvoyFilter is for, and whether it is old enough to have reached them."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.checks._hosts import labels_of
from meshforensics.tables import keys, mapping_in, spec_of, text, texts

_ROLES = {"SIDECAR_INBOUND": {"sidecar"}, "SIDECAR_OUTBOUND": {"sidecar"}, "GATEWAY": {"router"}}


class Proxy(NamedTuple):
    """A proxy that an EnvoyFilter may be for."""

    namespace: str
    pod: str
    role: str
    version: str
    labels: frozenset[tuple[str, str]]


def roots_of(mesh_config: pd.DataFrame) -> set[str]:
    """The namespaces whose filters are for the whole mesh."""
    return {"istio-system"} if mesh_config.empty else {*texts(mesh_config["root_namespace"]), "istio-system"}


def settled(patches: pd.DataFrame, config: pd.DataFrame, age_s: float) -> Iterable[bool]:
    """Whether the object of each patch is known to be older than `age_s` at the capture, or of unknown age."""
    if config.empty:
        return [True] * len(patches)
    changed = config["changed_at"].fillna(config["created_at"])
    fresh = (config["captured_at"] - changed).dt.total_seconds() < age_s
    young = set(text(config["object"])[fresh.fillna(False).astype(bool)])
    return (name not in young for name in texts(patches["object"]))


def proxies_of(proxies: pd.DataFrame, pods: pd.DataFrame, listener_instances: pd.DataFrame) -> Iterator[Proxy]:
    """The proxies whose configuration was captured, with the labels of their pods."""
    dumped = set(keys(listener_instances, "namespace", "pod"))
    said = keys(pods, "namespace", "pod", "labels")
    labels = {(namespace, pod): frozenset(labels_of(own).items()) for namespace, pod, own in said}
    for namespace, pod, role, version in keys(proxies, "namespace", "pod", "role", "version"):
        if (namespace, pod) in dumped and (namespace, pod) in labels:
            yield Proxy(namespace, pod, role, version, labels[namespace, pod])


def is_for(patch: Mapping[Hashable, Any], proxy: Proxy, roots: set[str]) -> bool:
    """Whether a patch is known to be for a proxy; what metadata a proxy bears is not told."""
    if str(patch["namespace"]) not in {proxy.namespace, *roots}:
        return False
    if proxy.role not in _ROLES.get(str(patch["context"]), {"sidecar", "router"}):
        return False
    if mapping_in(spec_of(str(patch["match"] or "")), "proxy", "metadata"):
        return False
    selector, version = patch["selector"], patch["proxy_version"]
    if isinstance(selector, str) and not labels_of(selector).items() <= proxy.labels:
        return False
    return not (isinstance(version, str) and version) or _fits(version, proxy.version)


def _fits(pattern: str, version: str) -> bool:
    """Whether a version fits a pattern; one that Python cannot read is taken not to, so that nothing is said.

    Envoy's expressions take linear time and Python's do not: one that could take long is not tried.
    """
    if _REPEATED_GROUP.search(pattern) or len(_REPEATS.findall(pattern)) > _MOST_REPEATS or len(version) > _LONGEST:
        return False
    try:
        return bool(re.search(pattern, version))
    except re.error:
        return False


_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_REPEATS = re.compile(r"[*+{]")
_MOST_REPEATS = 3
_LONGEST = 80
