"""What a verdict is about: pods, workloads, what serves the hosts that it names, objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from meshforensics.model import Hypothesis
from meshforensics.recovery._command import is_name
from meshforensics.recovery._named import SHORT, Named, Pod, Sorter, labels_in
from meshforensics.tables import keys, text, texts


class Frames(Protocol):
    """Where tables come from."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """The names in a verdict, by what they name."""

    pods: tuple[Pod, ...]
    workloads: tuple[Named, ...]
    servers: tuple[Named, ...]
    objects: tuple[Named, ...]


def about(case: Frames, verdict: Hypothesis, owners: Mapping[Pod, Named], sort: Sorter) -> Subjects:
    """Sort the subjects of a verdict; identities (``spiffe://``) name nothing that a command could be about."""
    pods: list[Pod] = []
    found: list[Named] = []
    servers: list[Named] = []
    known = {(each.namespace, each.name): each for each in owners.values()}
    for subject in verdict.subjects:
        if subject.startswith("spiffe://"):
            continue
        if is_host(subject):
            servers += _serving(case, subject, owners)
            continue
        colon = ":" in subject
        namespace, _, name = subject.rpartition(":")[2].partition("/")
        named = sort.of(subject) if colon else sort.named("Pod", namespace, name)
        if named is None:
            continue
        if colon and named.kind != "Pod":
            found.append(named)
            continue
        if (namespace, name) in owners:
            pods.append((namespace, name))
        found.append(owners.get((namespace, name)) or known.get((namespace, name)) or named)
    return Subjects(
        pods=tuple(dict.fromkeys(pods)),
        workloads=tuple(dict.fromkeys(each for each in found if each.kind in SHORT)),
        servers=tuple(dict.fromkeys(servers)),
        objects=tuple(dict.fromkeys(each for each in found if each.kind not in {*SHORT, "Pod"})),
    )


def is_host(subject: str) -> bool:
    """Whether it is a host of the mesh: ``payment.shop.svc.cluster.local``."""
    return "/" not in subject and "." in subject and is_name(subject)


def _serving(case: Frames, host: str, owners: Mapping[Pod, Named]) -> list[Named]:
    """The workloads whose pods the host's Service selects."""
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0]
    services, pods = case.frame("services"), case.frame("pods")
    own = services[(text(services["namespace"]) == namespace) & (text(services["name"]) == name)]
    selectors = [labels_in(each) for each in texts(own["selector"])]
    rows = keys(pods, "namespace", "pod", "labels")
    return sorted(
        {
            owners[pod_namespace, pod]
            for pod_namespace, pod, labels in rows
            if pod_namespace == namespace and (pod_namespace, pod) in owners
            if any(selector and selector.items() <= labels_in(labels).items() for selector in selectors)
        }
    )
