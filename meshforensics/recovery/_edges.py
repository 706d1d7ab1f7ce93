"""Who calls whom, pod by pod."""

from collections.abc import Iterator
from typing import Protocol

import pandas as pd

from meshforensics.recovery._named import Pod
from meshforensics.tables import ips_of, texts

Edge = tuple[Pod, Pod]


class Frames(Protocol):
    """Where tables come from."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""


def edges(case: Frames) -> list[Edge]:
    """Callers with those that they call, sorted: of captured calls; where there is none, of what callers are sent."""
    return sorted(set(_called(case))) or sorted(set(_may_call(case)))


def _called(case: Frames) -> Iterator[Edge]:
    calls, pods = case.frame("calls"), case.frame("pods")
    owners = dict(zip(texts(pods["ip"]), zip(texts(pods["namespace"]), texts(pods["pod"]), strict=True), strict=True))
    hosts = ips_of(calls["upstream_host"])
    for namespace, pod, host in zip(texts(calls["namespace"]), texts(calls["pod"]), hosts, strict=True):
        if host and host in owners and owners[host] != (namespace, pod):
            yield (namespace, pod), owners[host]


def _may_call(case: Frames) -> Iterator[Edge]:
    pairs = case.frame("tls_pairs")
    ends = (texts(pairs[name]) for name in ("namespace", "pod", "server_namespace", "server_pod"))
    for namespace, pod, other, server in zip(*ends, strict=True):
        yield (namespace, pod), (other, server)
