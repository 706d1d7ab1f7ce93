"""One service of a mesh: who serves it, who calls it, and which objects route to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from meshforensics.model import UnknownNameError, UsageError
from meshforensics.recovery import Case, Named, edges, is_name
from meshforensics.tables import keys, text, texts

PLACEHOLDER = ("NAMESPACE", "SERVICE")


@dataclass(frozen=True, kw_only=True)
class Held:
    """An object of the bundle, with what it says."""

    named: Named
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service by name; what is not known is a placeholder, or empty.

    Attributes:
        port: its first port; None where it is not known.
        pod: namespace and name of a pod that serves it.
        caller: namespace and name of a pod that calls it.
        workload: what owns `pod`.
        selector: the labels of the pods that serve it.
        route: the VirtualService for its host, where there is one.
        rule: the DestinationRule for its host, where there is one.
        of: how many services there are in the bundle; 0 without one.
    """

    namespace: str = PLACEHOLDER[0]
    name: str = PLACEHOLDER[1]
    port: int | None = None
    pod: tuple[str, str] = ("NAMESPACE", "POD")
    caller: tuple[str, str] = ("NAMESPACE", "POD")
    workload: Named = field(default_factory=lambda: Named(kind="Deployment", namespace="NAMESPACE", name="WORKLOAD"))
    selector: Mapping[str, str] = field(default_factory=dict)
    route: Held | None = None
    rule: Held | None = None
    of: int = 0

    @property
    def host(self) -> str:
        """``payment.shop.svc.cluster.local``."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def labels(self) -> dict[str, str]:
        """The labels that select its pods; a placeholder where they are not known."""
        return dict(self.selector) or {"app": self.name}


def service_named(asked: str) -> Service:
    """The service ``NS/NAME``, of which nothing else is known.

    Raises:
        UsageError: it has not that form, or Kubernetes lets nothing be called so.
    """
    if not asked:
        return Service()
    namespace, _, name = asked.partition("/")
    if not (is_name(namespace) and is_name(name)):
        raise UsageError(f"{asked!r} is no service: give it as NAMESPACE/NAME, like shop/payment")
    return Service(
        namespace=namespace,
        name=name,
        pod=(namespace, "POD"),
        workload=Named(kind="Deployment", namespace=namespace, name="WORKLOAD"),
    )


def service_of(case: Case, asked: str, workloads: tuple[Named, ...]) -> Service:
    """A service of a bundle: the one asked for, else the first that serves what the verdict is about, else the first.

    Raises:
        UnknownNameError: the bundle has none of that name.
        UsageError: it has not the form ``NS/NAME``.
    """
    services = case.frame("services")
    names = [
        f"{namespace}/{name}"
        for namespace, name in keys(services, "namespace", "name")
        if is_name(namespace) and is_name(name)
    ]
    given = service_named(asked)
    if asked and names and asked not in names:
        raise UnknownNameError("service", asked, names)
    if not names:
        return given
    chosen = asked or _about(workloads, names) or min(names)
    return _whole(case, services, chosen, len(names))


def _about(workloads: tuple[Named, ...], names: list[str]) -> str:
    """The first service that is called as a workload of the verdict begins."""
    for workload in workloads:
        for name in names:
            namespace, _, own = name.partition("/")
            if namespace == workload.namespace and (workload.name == own or workload.name.startswith(f"{own}-")):
                return name
    return ""


def _whole(case: Case, services: pd.DataFrame, chosen: str, number: int) -> Service:
    namespace, _, name = chosen.partition("/")
    row = services[(text(services["namespace"]) == namespace) & (text(services["name"]) == name)].iloc[0]
    selector = _strings(str(row["selector"])) if isinstance(row["selector"], str) else {}
    pods = _selected(case.frame("pods"), namespace, selector)
    base = service_named(chosen)
    pod = pods[0] if pods else base.pod
    return Service(
        namespace=namespace,
        name=name,
        port=_port(row["ports"]),
        pod=pod,
        caller=_caller(case, set(pods)),
        workload=_workload(case.frame("pods"), pod) or base.workload,
        selector=selector,
        route=_object(case, "VirtualService", base),
        rule=_object(case, "DestinationRule", base),
        of=number,
    )


def _strings(payload: str) -> dict[str, str]:
    try:
        read = json.loads(payload)
    except ValueError:
        return {}
    return {str(key): value for key, value in read.items() if isinstance(value, str)} if isinstance(read, dict) else {}


def _port(ports: object) -> int | None:
    """The first port of ``http:8080/TCP>8080``."""
    for each in ports if isinstance(ports, (tuple, list)) else ():
        number = str(each).rpartition("/")[0].rpartition(":")[2]
        if number.isdecimal():
            return int(number)
    return None


def _selected(pods: pd.DataFrame, namespace: str, selector: Mapping[str, str]) -> list[tuple[str, str]]:
    own = pods[text(pods["namespace"]) == namespace]
    held = keys(own, "pod", "labels")
    return sorted(
        (namespace, pod)
        for pod, labels in held
        if selector and is_name(pod) and selector.items() <= _strings(labels).items()
    )


def _caller(case: Case, servers: set[tuple[str, str]]) -> tuple[str, str]:
    found = (caller for caller, called in edges(case) if called in servers and all(map(is_name, caller)))
    return next(found, ("NAMESPACE", "POD"))


def _workload(pods: pd.DataFrame, pod: tuple[str, str]) -> Named | None:
    own = pods[(text(pods["namespace"]) == pod[0]) & (text(pods["pod"]) == pod[1])]
    for subject in texts(own["workload"]):
        kind, _, rest = subject.partition(":")
        namespace, _, name = rest.partition("/")
        if kind.isalpha() and is_name(namespace) and is_name(name):
            return Named(kind=kind, namespace=namespace, name=name)
    return None


def _object(case: Case, kind: str, service: Service) -> Held | None:
    """The object of a kind that is for the service's host, by any of the host's short forms."""
    config = case.frame("config")
    own = config[text(config["kind"]) == kind]
    rows = keys(own, "namespace", "name", "group", "spec")
    for namespace, name, group, payload in rows:
        spec = _json(payload)
        hosts = spec.get("hosts") if kind == "VirtualService" else [spec.get("host")]
        gateways = spec.get("gateways") or ["mesh"]
        if group != "networking.istio.io" or "mesh" not in gateways or not (is_name(namespace) and is_name(name)):
            continue
        if any(_full(str(each), namespace) == service.host for each in hosts or ()):
            return Held(named=Named(kind=kind, namespace=namespace, name=name), spec=spec)
    return None


def _json(payload: str) -> dict[str, Any]:
    try:
        read = json.loads(payload) if payload else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _full(host: str, namespace: str) -> str:
    """A host's whole name; a short one is of the object's own namespace."""
    parts = host.split(".")
    if len(parts) == 1:
        return f"{host}.{namespace}.svc.cluster.local"
    return f"{host}.svc.cluster.local" if len(parts) == 2 else host
