"""What a verdict is about: pods, workloads, what serves the hosts that it names, objects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from meshforensics.model import Hypothesis
from meshforensics.recovery._command import is_name
from meshforensics.recovery._named import SHORT, Named, Pod, Sorter, labels_in
from meshforensics.tables import keys, text, texts

_IDENTITY = re.compile(
    r"spiffe://(?P<domain>[a-z0-9.-]{1,253})/ns/(?P<namespace>[a-z0-9-]{1,63})/sa/(?P<account>[a-z0-9.-]{1,253})"
)
"""What Istio calls a workload; anything else is no name of one."""


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
    identities: tuple[Named, ...]
    domains: tuple[str, ...]
    objects: tuple[Named, ...]


def about(case: Frames, verdict: Hypothesis, owners: Mapping[Pod, Named], sort: Sorter) -> Subjects:
    """Sort the subjects of a verdict; identities (``spiffe://``) are those of workloads."""
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
    identities = [each for each in map(_IDENTITY.fullmatch, verdict.subjects) if each]
    return Subjects(
        pods=tuple(dict.fromkeys(pods)),
        workloads=tuple(dict.fromkeys(each for each in found if each.kind in SHORT)),
        servers=tuple(dict.fromkeys(servers)),
        identities=tuple(dict.fromkeys(one for each in identities for one in _running_as(case, each, owners))),
        domains=tuple(dict.fromkeys(each["domain"] for each in identities)),
        objects=tuple(dict.fromkeys(each for each in found if each.kind not in {*SHORT, "Pod"})),
    )


def is_host(subject: str) -> bool:
    """Whether it is a host of the mesh: ``payment.shop.svc.cluster.local``."""
    return "/" not in subject and "." in subject and is_name(subject)


def _running_as(case: Frames, identity: re.Match[str], owners: Mapping[Pod, Named]) -> list[Named]:
    """The workloads whose pods run as a service account."""
    rows = keys(case.frame("pods"), "namespace", "pod", "service_account")
    wanted = (identity["namespace"], identity["account"])
    return sorted({owners[namespace, pod] for namespace, pod, account in rows
                   if (namespace, account) == wanted and (namespace, pod) in owners})  # fmt: skip


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
