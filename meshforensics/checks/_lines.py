"""The lines of one family of error texts, and what may be declared to tell of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from meshforensics.model import DeclarationError, Window
from meshforensics.tables import ABSENT, ROOT_NAMESPACE, keys, text, texts, where

Pods = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Lines:
    """What was logged of one family in the window, and the tables of the bundle; one that is not there is empty."""

    rows: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    window: Window

    @cached_property
    def pods(self) -> Pods:
        """Namespace and name of the pods that logged it, or that events are about."""
        return frozenset(pod for pod in keys(self.rows, "namespace", "pod") if pod[1])

    @cached_property
    def clusters(self) -> frozenset[str]:
        """The clusters that the lines name."""
        return frozenset(texts(self.rows["cluster"])) - {"", "-"}

    @cached_property
    def behind(self) -> Pods:
        """The pods that the proxies have as hosts of these clusters; for their own application themselves."""
        hosts, pods = self.hosts, self.table("pods")
        own = self.pods if any(name.startswith("inbound|") for name in self.clusters) else frozenset[tuple[str, ...]]()
        if hosts.empty or pods.empty:
            return own
        addresses = {address.rpartition(":")[0] for address in texts(hosts["address"])} - {""}
        known = where(pods, (ip in addresses for ip in texts(pods["ip"])))
        return own | frozenset(keys(known, "namespace", "pod"))

    @cached_property
    def hosts(self) -> pd.DataFrame:
        """The hosts of the clusters that the lines name, as the proxies that logged them see them."""
        endpoints = self.table("endpoints")
        if endpoints.empty or not self.clusters:
            return endpoints.iloc[:0]
        known = endpoints[endpoints["cluster"].isin(self.clusters)]
        seen = where(known, (pod in self.pods for pod in keys(known, "namespace", "pod")))
        return seen if len(seen) else known

    @property
    def first(self) -> pd.Timestamp:
        """When the first of them was logged."""
        return pd.Timestamp(self.rows["at"].min())

    @property
    def last(self) -> pd.Timestamp:
        """When the last of them was logged."""
        return pd.Timestamp(self.rows["at"].max())

    def table(self, name: str) -> pd.DataFrame:
        """A table of the bundle."""
        return self.frames.get(name, ABSENT)

    def own(self, name: str) -> pd.DataFrame:
        """The rows of a table that are of the pods that logged it."""
        frame = self.table(name)
        return frame if frame.empty else self.of_own_pods(frame)

    def of_own_pods(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame that are of the pods that logged it."""
        near = frame[frame["pod"].isin([pod for _, pod in self.pods])]
        return where(near, (pod in self.pods for pod in keys(near, "namespace", "pod")))

    def logged(self, name: str) -> pd.DataFrame:
        """The rows of a table of a log that were read from the same lines."""
        frame, places = self.table(name), set(keys(self.rows, "item", "pointer"))
        if frame.empty:
            return frame
        near = frame[frame["item"].isin([item for item, _ in places])]
        return where(near, (place in places for place in keys(near, "item", "pointer")))

    def near(self, kind: str) -> pd.DataFrame:
        """The objects of a kind that may be for the pods that logged it: their namespaces', and the mesh's."""
        config = self.table("config")
        if config.empty:
            return config
        spaces = [*texts(self.rows["namespace"]), *self.roots]
        return config[(text(config["kind"]) == kind) & text(config["namespace"]).isin(spaces)]

    @cached_property
    def roots(self) -> frozenset[str]:
        """The namespaces whose objects are for the whole mesh."""
        mesh = self.table("mesh_config")
        told = frozenset(texts(mesh["root_namespace"])) - {""} if len(mesh) else frozenset[str]()
        return told or frozenset({ROOT_NAMESPACE})


Judge = Callable[[Lines], str]


@dataclass(frozen=True, kw_only=True)
class Tells:
    """What else in a bundle tells of a family.

    Attributes:
        topic: which check reports the family.
        by: what `judge` looks at, in words.
        counters: counters of the proxies that logged it, as Envoy names them; ``name{label}`` where a label says which.
        of_peer: the same, where the other side judged and its alert was logged.
        of_istiod: counters of istiod.
        only: the signatures that the counters are of, where it is not all of the family.
        flags: response flags that calls of this family bear in access logs.
    """

    topic: str
    judge: Judge | None = None
    by: str = ""
    counters: tuple[str, ...] = ()
    of_peer: tuple[str, ...] = ()
    of_istiod: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse one that says nothing, or not in words what it looks at."""
        if bool(self.judge) != bool(self.by) or not (self.judge or self.counters or self.of_istiod or self.flags):
            raise DeclarationError(f"of a family of {self.topic}: say what tells, and what a judge looks at")
