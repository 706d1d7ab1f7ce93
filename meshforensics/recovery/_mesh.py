"""What commands need to know of a mesh: the names, namespaces and versions in a bundle."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Protocol

import pandas as pd

from meshforensics.model import Hypothesis, Item
from meshforensics.recovery._command import LABEL_KEY, LABEL_VALUE, is_name, version_of
from meshforensics.recovery._edges import edges
from meshforensics.recovery._named import OF_THE_GATEWAY_API, PLURALS, Named, Pod, Sorter, labels_in
from meshforensics.recovery._subjects import about
from meshforensics.tables import text, texts

SYSTEM = "istio-system"
"""Where istiod is installed unless told otherwise."""

_OF_A_REPLICA_SET = re.compile(r"(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}")
_LINKERD_KEEPS = re.compile(r"(?:ConfigMap|Secret):([^/]+)/linkerd-identity-(?:trust-roots|issuer)")
_FIRST_V1 = (1, 22)
"""The release of Istio that first served its APIs as v1."""


class Bag(Protocol):
    """What is needed of a bundle."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item."""


class Case(Protocol):
    """One bundle as of one instant: what ``mf.open`` returns."""

    @property
    def bundle(self) -> Bag:
        """The evidence."""

    @property
    def at(self) -> datetime | None:
        """The instant of every verdict."""

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Every incident with its standing, best first."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a sidecar asks for and may use; what was not captured is as Istio's injector sets it."""

    cpu_request_m: int = 100
    cpu_limit_m: int = 2000
    memory_request_bytes: int = 128 * 2**20
    memory_limit_bytes: int = 1024 * 2**20


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """The names of one mesh; without a bundle all is unknown, and commands show placeholders.

    Attributes:
        system: namespace of istiod, which is the root namespace unless `root` says otherwise.
        version: Istio of the control plane, as ``(1, 31)``; None where it is not known.
        kinds: what there is of Istio's kinds, by the name that kubectl asks for.
        workloads: what the verdict is about, those that are called before those that call them; gateways too.
        servers: what serves the hosts that the verdict names.
        identities: what runs as the identities (``spiffe://``) that the verdict names.
        domains: the trust domains of those identities.
        order: every workload with a sidecar, those that are called before those that call them.
        gateways: workloads whose proxy is a gateway; they are not in `order`.
        objects: configuration that the verdict names.
        routes: VirtualServices and DestinationRules that there are.
        pods: pods that the verdict is about, by namespace and name.
        labels: labels that select a workload's pods, by the workload.
        resources: what the sidecar asks for and may use, by workload.
        roots: serials of the trusted roots that have not ended, each with the pods that trust it.
        signer: Secret that holds the signing CA, as far as the bundle tells.
        linkerd: namespace of Linkerd's control plane where the verdict is about what it keeps; else empty.
        refused: names in the evidence that are none, so that no command holds them.
    """

    system: str = SYSTEM
    root: str = SYSTEM
    istiods: tuple[Named, ...] = (Named(namespace=SYSTEM, kind="Deployment", name="istiod"),)
    version: tuple[int, int] | None = None
    versions: tuple[str, ...] = ()
    apis: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    workloads: tuple[Named, ...] = ()
    servers: tuple[Named, ...] = ()
    identities: tuple[Named, ...] = ()
    domains: tuple[str, ...] = ()
    order: tuple[Named, ...] = ()
    gateways: tuple[Named, ...] = ()
    ztunnel: bool = False
    objects: tuple[Named, ...] = ()
    routes: tuple[Named, ...] = ()
    pods: tuple[tuple[str, str], ...] = ()
    labels: Mapping[Named, Mapping[str, str]] = field(default_factory=dict)
    resources: Mapping[Named, Resources] = field(default_factory=dict)
    roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signer: str = ""
    linkerd: str = ""
    refused: tuple[str, ...] = ()

    def api(self, group: str) -> str:
        """``security.istio.io/v1``: as the bundle has it, else by the version; v1 where nothing is known."""
        before = "v1alpha1" if group == "telemetry.istio.io" else "v1beta1"
        version = "v1" if self.version is None or self.version >= _FIRST_V1 else before
        return self.apis.get(group, f"{group}/{version}")

    def at_least(self, major: int, minor: int) -> bool:
        """Whether Istio is of that release or newer; an unknown one is taken for today's."""
        return self.version is None or self.version >= (major, minor)

    @property
    def behind(self) -> tuple[Named, ...]:
        """What the verdict is about without gateways: those come last, by themselves."""
        return tuple(each for each in self.workloads if each not in self.gateways)

    def named(self, kind: str) -> tuple[Named, ...]:
        """The objects of one kind that the verdict names."""
        return tuple(each for each in self.objects if each.kind == kind)


def mesh_of(case: Case, verdict: Hypothesis) -> Mesh:
    """What a bundle tells of the names that commands about `verdict` need."""
    sort = Sorter()
    owners = _owners(case, sort)
    subjects = about(case, verdict, owners, sort)
    linkerd = _linkerd(verdict)
    order = _of_linkerd(case, owners, linkerd) if linkerd else _callees_first(case, owners)
    gateways = tuple(sorted({owners[pod] for pod in _gateway_pods(case) if pod in owners}))
    istiods = _istiods(case, sort)
    system = istiods[0].namespace if istiods else SYSTEM
    version, versions = _versions(case)
    return Mesh(
        system=system,
        root=_root(case, system),
        istiods=istiods or (Named(namespace=system, kind="Deployment", name="istiod"),),
        version=version,
        versions=versions,
        apis=_apis(case),
        kinds=_kinds(case),
        workloads=tuple(sorted(subjects.workloads, key=lambda one: order.index(one) if one in order else len(order))),
        servers=subjects.servers,
        identities=subjects.identities,
        domains=subjects.domains,
        order=tuple(each for each in order if each not in gateways),
        gateways=gateways,
        ztunnel=any(item.kind.startswith("ztunnel.") for item in case.bundle.items),
        objects=subjects.objects,
        routes=_routes(case),
        pods=subjects.pods,
        labels=_labels(case, sort),
        resources=_resources(case, owners),
        roots=_roots(case),
        signer=_signer(case, system),
        linkerd=linkerd,
        refused=tuple(sorted(sort.refused)),
    )


def _owners(case: Case, sort: Sorter) -> dict[Pod, Named]:
    """The workload of each pod: as its owner says, else by the name that a Deployment gives its pods."""
    pods, proxies = case.frame("pods"), case.frame("proxies")
    found: dict[Pod, Named] = {}
    for namespace, pod, workload in zip(
        texts(pods["namespace"]), texts(pods["pod"]), texts(pods["workload"]), strict=True
    ):
        named = sort.of(workload) if workload else None
        if named:
            found[namespace, pod] = named
    for namespace, pod in zip(texts(proxies["namespace"]), texts(proxies["pod"]), strict=True):
        guessed = _OF_A_REPLICA_SET.fullmatch(pod)
        named = sort.named("Deployment", namespace, guessed[1]) if guessed and (namespace, pod) not in found else None
        if named:
            found[namespace, pod] = named
    return found


def _gateway_pods(case: Case) -> list[Pod]:
    proxies = case.frame("proxies")
    routers = proxies[proxies["role"] == "router"]
    return list(zip(texts(routers["namespace"]), texts(routers["pod"]), strict=True))


def _istiods(case: Case, sort: Sorter) -> tuple[Named, ...]:
    """The Deployments of istiod: by label, else by the names of the pods that answered."""
    workloads = case.frame("workloads")
    found = {
        sort.of(subject)
        for subject, labels in zip(texts(workloads["object"]), texts(workloads["pod_labels"]), strict=True)
        if labels_in(labels).get("app") == "istiod"
    }
    if not found:
        pods = {item.subject for item in case.bundle.items if item.kind.startswith("istiod.")}
        for namespace, _, pod in (pod.partition("/") for pod in sorted(pods)):
            guessed = _OF_A_REPLICA_SET.fullmatch(pod)
            found.add(sort.named("Deployment", namespace, guessed[1]) if guessed else None)
    return tuple(sorted(each for each in found if each))


def _root(case: Case, system: str) -> str:
    named = [each for each in texts(case.frame("mesh_config")["root_namespace"]) if is_name(each)]
    return named[0] if named else system


def _versions(case: Case) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    versions, proxies = case.frame("versions"), case.frame("proxies")
    pilots = [each for each in texts(versions[versions["component"] == "pilot"]["version"]) if version_of(each)]
    held = [each for each in texts(proxies["version"]) if version_of(each)]
    newest = max(filter(None, map(version_of, pilots or held)), default=None)
    return newest, tuple(sorted({*pilots, *held}))


def _apis(case: Case) -> dict[str, str]:
    """By group the version that the captured objects have; the newest form where there are several."""
    config = case.frame("config")
    found: dict[str, str] = {}
    for group, version in zip(texts(config["group"]), texts(config["api_version"]), strict=True):
        stable = re.fullmatch(r"([a-z0-9.-]+\.istio\.io)/v1(alpha1|beta1)?", version)
        if stable and stable[1] == group:
            found[group] = min(version, found.get(group, version))
    return found


def _kinds(case: Case) -> tuple[str, ...]:
    config = case.frame("config")
    pairs = set(zip(texts(config["kind"]), texts(config["group"]), strict=True))
    known = {(kind, plural.partition(".")[2]): plural for kind, plural in PLURALS.items()} | {
        (kind, plural.partition(".")[2]): plural for kind, plural in OF_THE_GATEWAY_API.items()
    }
    return tuple(sorted(plural for pair, plural in known.items() if pair in pairs))


def _routes(case: Case) -> tuple[Named, ...]:
    config = case.frame("config")
    rows = zip(texts(config["kind"]), texts(config["namespace"]), texts(config["name"]), strict=True)
    return tuple(
        sorted(
            Named(kind=kind, namespace=namespace, name=name)
            for kind, namespace, name in rows
            if kind in {"VirtualService", "DestinationRule"} and is_name(namespace) and is_name(name)
        )
    )


def _callees_first(case: Case, owners: Mapping[Pod, Named]) -> tuple[Named, ...]:
    """Every workload with a proxy, what is called before what calls it; in a ring, by name."""
    proxies = case.frame("proxies")
    waits: dict[Named, set[Named]] = {
        owners[pod]: set()
        for pod in zip(texts(proxies["namespace"]), texts(proxies["pod"]), strict=True)
        if pod in owners
    }
    for calling, called in edges(case):
        caller, callee = owners.get(calling), owners.get(called)
        if caller in waits and callee in waits and caller != callee and callee:
            waits[caller].add(callee)
    ordered: list[Named] = []
    while waits:
        free = sorted(each for each, callees in waits.items() if not callees & waits.keys()) or [min(waits)]
        ordered += free
        waits = {each: callees for each, callees in waits.items() if each not in free}
    return tuple(ordered)


def _linkerd(verdict: Hypothesis) -> str:
    """The namespace of the anchors or the issuer that a verdict is about."""
    found = (_LINKERD_KEEPS.fullmatch(subject) for subject in verdict.subjects)
    return next((each[1] for each in found if each and is_name(each[1])), "")


def _of_linkerd(case: Case, owners: Mapping[Pod, Named], namespace: str) -> tuple[Named, ...]:
    """Every workload with a proxy of Linkerd's, its own control plane left out."""
    containers = case.frame("containers")
    proxies = containers[containers["container"] == "linkerd-proxy"]
    places = zip(texts(proxies["namespace"]), texts(proxies["pod"]), strict=True)
    return tuple(sorted({owners[pod] for pod in places if pod in owners and pod[0] != namespace}))


def _labels(case: Case, sort: Sorter) -> dict[Named, dict[str, str]]:
    workloads = case.frame("workloads")
    found = {}
    for subject, selector in zip(texts(workloads["object"]), texts(workloads["selector"]), strict=True):
        named = sort.of(subject)
        labels = labels_in(selector)
        if named and labels and all(LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(labels[key]) for key in labels):
            found[named] = labels
    return found


def _resources(case: Case, owners: Mapping[Pod, Named]) -> dict[Named, Resources]:
    containers = case.frame("containers")
    proxies = containers[containers["container"] == "istio-proxy"]
    places = zip(texts(proxies["namespace"]), texts(proxies["pod"]), strict=True)
    names = [each.name for each in fields(Resources)]
    rows = proxies[names].to_dict("records")
    return {
        owners[pod]: Resources(**{str(name): int(row[name]) for name in row if not pd.isna(row[name])})
        for pod, row in zip(places, rows, strict=True)
        if pod in owners
    }


def _roots(case: Case) -> dict[str, tuple[str, ...]]:
    trust = case.frame("trust")
    if case.at is not None:
        trust = trust[~(trust["not_after"] <= pd.Timestamp(case.at))]
    held: dict[str, set[str]] = {}
    for serial, namespace, pod in zip(
        texts(trust["serial"]), texts(trust["namespace"]), texts(trust["pod"]), strict=True
    ):
        if re.fullmatch(r"[0-9a-f]{1,40}", serial) and is_name(namespace) and is_name(pod):
            held.setdefault(serial, set()).add(f"{namespace}/{pod}")
    return {serial: tuple(sorted(pods)) for serial, pods in sorted(held.items())}


def _signer(case: Case, system: str) -> str:
    secrets = case.frame("cluster_secrets")
    own = set(texts(secrets[text(secrets["namespace"]) == system]["name"]))
    return next((name for name in ("cacerts", "istio-ca-secret") if name in own), "")
