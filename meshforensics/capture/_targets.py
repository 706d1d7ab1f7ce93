"""Which pods have what: proxies, control planes, their logs; and how sick each one looks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from meshforensics.capture._ask import Stage
from meshforensics.formats.kubernetes import KubernetesObject, mapping, members
from meshforensics.formats.pages import AGENT_PAGES, ENVOY_PAGES, ISTIOD_PAGES, LINKERD_PAGES, ZTUNNEL_PAGES, Page

_STAGES = {
    "envoy.server_info": Stage.HEALTH,
    "envoy.memory": Stage.HEALTH,
    "envoy.stats_prometheus": Stage.HEALTH,
    "envoy.config_dump": Stage.TRAFFIC,
    "envoy.clusters": Stage.TRAFFIC,
    "envoy.listeners": Stage.TRAFFIC,
    "istiod.registryz": Stage.TRAFFIC,
    "istiod.endpointz": Stage.TRAFFIC,
    "istiod.configz": Stage.TRAFFIC,
    "istiod.syncz": Stage.HEALTH,
    "istiod.adsz": Stage.HEALTH,
    "istiod.push_status": Stage.HEALTH,
    "istiod.metrics": Stage.HEALTH,
    "istiod.version": Stage.HEALTH,
    "ztunnel.config_dump": Stage.TRAFFIC,
    "ztunnel.metrics": Stage.HEALTH,
    "linkerd.metrics": Stage.HEALTH,
}
"""When a page is asked for; those not named, last."""
_LOGGED = ("istio-proxy", "discovery", "ztunnel", "linkerd-proxy")
_SETUP = ("istio-init", "istio-validation", "linkerd-init", "linkerd-network-validator")
"""Containers that are injected to prepare a pod; where one of them fails, no other starts."""
_ENDED = ("Succeeded", "Failed", "Pending")


@dataclass(frozen=True, kw_only=True)
class Log:
    """The log of one container.

    Attributes:
        container: its name in the pod.
        kind: the kind of item.
        previous: whether it is of the run before the last restart.
    """

    container: str
    kind: str
    previous: bool = False

    @property
    def stage(self) -> Stage:
        """What a crash left behind and what the control plane says come first."""
        return Stage.HEALTH if self.previous or self.container == "discovery" else Stage.TRAFFIC


@dataclass(frozen=True, kw_only=True)
class Target:
    """One pod of the mesh.

    Attributes:
        container: where a command could be run that asks for pages; empty where there is none.
        program: that command.
        sickness: 0 not ready, 1 restarted, 2 well.
        pages: what its ports give.
        logs: which logs it has.
    """

    namespace: str
    name: str
    container: str
    program: str
    sickness: int
    pages: tuple[Page, ...]
    logs: tuple[Log, ...]

    @property
    def subject(self) -> str:
        """The subject of its items."""
        return f"{self.namespace}/{self.name}"

    def of_stage(self, stage: Stage) -> tuple[Page, ...]:
        """The pages that are asked for in a stage."""
        return tuple(page for page in self.pages if stage_of(page) is stage)


def stage_of(page: Page) -> Stage:
    """The stage in which a page is asked for."""
    return _STAGES.get(page.kind, Stage.ACCESS)


def targets(pods: Iterable[KubernetesObject], *, application_logs: bool = False) -> Iterator[Target]:
    """The pods that a mesh has a part in, each once; with `application_logs` the logs of all their containers."""
    seen: set[tuple[str, str]] = set()
    for pod in pods:
        key = (pod.namespace or "", pod.name)
        if pod.kind != "Pod" or key in seen:
            continue
        seen.add(key)
        target = _target(pod, application_logs)
        if target.pages or target.logs:
            yield target


def _target(pod: KubernetesObject, application_logs: bool) -> Target:
    names = {str(one.get("name")) for key in ("containers", "initContainers") for one in members(pod.spec, key)}
    container, program, pages = _role(pod, names)
    statuses = _statuses(pod)
    running = pod.status.get("phase") not in _ENDED
    return Target(
        namespace=pod.namespace or "",
        name=pod.name,
        container=container,
        program=program,
        sickness=_sickness(pod, statuses, names),
        pages=pages if running else (),
        logs=tuple(_logs(pod, _logged(names, application_logs) | _failing(names, statuses), statuses)),
    )


def _role(pod: KubernetesObject, names: set[str]) -> tuple[str, str, tuple[Page, ...]]:
    """Container and command for exec, and the pages of a pod."""
    if pod.labels.get("app") == "ztunnel":
        return "", "", ZTUNNEL_PAGES
    if "discovery" in names:
        return "discovery", "pilot-discovery", ISTIOD_PAGES
    if "istio-proxy" in names:
        return "istio-proxy", "pilot-agent", (*ENVOY_PAGES, *AGENT_PAGES)
    if "linkerd-proxy" in names:
        return "", "", LINKERD_PAGES
    return "", "", ()


def _statuses(pod: KubernetesObject) -> dict[str, dict[str, Any]]:
    """Status by container; native sidecars stand among the init containers."""
    keys = ("initContainerStatuses", "containerStatuses")
    return {str(one.get("name")): one for key in keys for one in members(pod.status, key)}


def _logs(pod: KubernetesObject, names: set[str], statuses: dict[str, dict[str, Any]]) -> Iterator[Log]:
    ztunnel = pod.labels.get("app") == "ztunnel"
    for name in sorted(names):
        kind = "log.ztunnel" if ztunnel and name == "istio-proxy" else f"log.{name}"
        if _restarted(statuses.get(name)):
            yield Log(container=name, kind=f"{kind}.previous", previous=True)
        yield Log(container=name, kind=kind)


def _logged(names: set[str], application_logs: bool) -> set[str]:
    """The containers whose logs are read: those of a mesh, and where it is wanted all others beside them."""
    own = names & set(_LOGGED)
    return names if own and application_logs else own


def _failing(names: set[str], statuses: dict[str, dict[str, Any]]) -> set[str]:
    """The containers that prepare a pod and have not done so; of the others nobody needs the log."""
    return {name for name in names & set(_SETUP) if name in statuses and not _is_done(statuses[name])}


def _is_done(status: dict[str, Any]) -> bool:
    return mapping(mapping(status, "state"), "terminated").get("exitCode") == 0


def _restarted(status: dict[str, Any] | None) -> bool:
    """Whether there may be a log of an earlier run; where the status is not told, there may."""
    return status is None or bool(status.get("restartCount"))


def _sickness(pod: KubernetesObject, statuses: dict[str, dict[str, Any]], names: set[str]) -> int:
    ready = [one.get("status") for one in members(pod.status, "conditions") if one.get("type") == "Ready"]
    proxies = [statuses[name] for name in names & set(_LOGGED) if name in statuses]
    if "False" in ready or any(one.get("ready") is False for one in proxies):
        return 0
    return 1 if any(one.get("restartCount") for one in proxies) else 2
