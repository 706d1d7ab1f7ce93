"""Service: less load, more room, without touching what decides."""

import json

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step
from meshforensics.recovery._mesh import Resources
from meshforensics.recovery._named import Named

_MIB = 2**20
_PROXY = '[?(@.name=="istio-proxy")].resources.limits.memory}'
_LIMITS = (
    'jsonpath={range .items[*]}{.metadata.name}{" "}'
    f'{{.spec.containers{_PROXY}{{.spec.initContainers{_PROXY}{{"\\n"}}{{end}}'
)
_UNKNOWN = (Named(kind="Deployment", namespace="NAMESPACE", name="WORKLOAD"),)
_BEFORE = ("save-objects", "confirm-sync")


def _workloads(situation: Situation) -> tuple[Named, ...]:
    return situation.mesh.workloads or _UNKNOWN


def _as_it_is(objects: tuple[Named, ...]) -> tuple[Command, ...]:
    """The objects that the verdict names, as they are now, with who changed what."""
    return tuple(
        kubectl("get", each.short, "-o", "yaml", "--show-managed-fields", namespace=each.namespace,
                about="what it says, and who changed it when")
        for each in objects
    )  # fmt: skip


def _servers(situation: Situation) -> tuple[Named, ...]:
    """What serves the hosts that the verdict names; else what it is about."""
    return situation.mesh.servers or _workloads(situation)


@step(
    "shift-traffic",
    stage=Stage.RELIEVE,
    plane="service",
    title="Send calls to what still serves",
    when="Another subset, zone or cluster is healthy and has room.",
    risk="Overload of the rest.",
    after=_BEFORE,
)
def shift_traffic(_: Situation) -> Deed:
    """By the weights of the route."""
    return Deed(
        do=(
            "Change the weights in the VirtualService's file.",
            kubectl("apply", "--dry-run=server", "-f", "FILE"),
            kubectl("diff", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("VirtualService:*",)),
        ),
        verify=("The share of 5xx falls; the rest keeps its latency.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )


@step(
    "add-capacity",
    stage=Stage.RELIEVE,
    plane="service",
    title="Add replicas",
    when="The workload is at its processor's limit, or more calls wait than its limits admit.",
    risk="More load on what it calls.",
    after=_BEFORE,
)
def add_capacity(situation: Situation) -> Deed:
    """Note the number of replicas first."""
    return Deed(
        do=tuple(
            command
            for each in _servers(situation)
            for command in (
                kubectl("get", each.short, "-o", "wide", namespace=each.namespace, about="note READY"),
                kubectl("scale", each.short, "--replicas=REPLICAS", namespace=each.namespace),
            )
        ),
        verify=("Waiting and refused calls stop rising.",),
        undo=("Scale back to the number that you noted.",),
    )


@step(
    "raise-pool",
    stage=Stage.RELIEVE,
    plane="service",
    title="Raise the limit that is reached",
    when="The limit is below what the load needs: calls per second × seconds per call.",
    risk="The server gets what the limit kept from it.",
    after=_BEFORE,
)
def raise_pool(situation: Situation) -> Deed:
    """There is nothing to reset: a limit admits calls again as soon as fewer are active."""
    return Deed(
        do=(
            *_as_it_is(situation.mesh.named("DestinationRule")),
            (
                "In the DestinationRule raise connectionPool: tcp.maxConnections, http.http1MaxPendingRequests, "
                "http.http2MaxRequests or http.maxRetries, whichever overflowed."
            ),
            kubectl("apply", "--dry-run=server", "-f", "FILE"),
            kubectl("diff", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("DestinationRule:*",)),
        ),
        verify=("The overflow counters stop; flag UO is gone.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )


@step(
    "bring-hosts-back",
    stage=Stage.RELIEVE,
    plane="service",
    title="Bring the missing hosts back",
    when="The hosts are away because pods are not ready, the selector matches none, or outlier detection put them out.",
    risk="Calls reach hosts that may still fail.",
    after=_BEFORE,
)
def bring_hosts_back(situation: Situation) -> Deed:
    """First why, then the rule."""
    spaces = tuple(dict.fromkeys(each.namespace for each in _servers(situation)))
    return Deed(
        do=(
            *(kubectl("get", "pods,endpointslices", "-o", "wide", namespace=each) for each in spaces[:4]),
            *_as_it_is(situation.mesh.named("DestinationRule")),
            ("Pods not ready: their readiness. No pod selected: the Service's selector. All ejected: raise "
            "consecutive5xxErrors in the DestinationRule's outlierDetection, or take it out for now; an ejected host "
            "comes back after baseEjectionTime by itself."),
            kubectl("diff", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("DestinationRule:*", "Service:*")),
        ),
        verify=("The health flags clear, and flag UH stops.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )  # fmt: skip


@step(
    "raise-memory-limit",
    stage=Stage.RELIEVE,
    plane="service",
    title="Give the sidecar more memory, to have time",
    when="At the measured slope the limit is reached within a day.",
    risk="The pods restart, which ends the evidence in them: the capture comes first. More memory of the node.",
    after=_BEFORE,
)
def raise_memory_limit(situation: Situation) -> Deed:
    """All four annotations: with one of them the injector leaves out every default of the others."""
    mesh = situation.mesh
    return Deed(
        do=tuple(
            kubectl("patch", each.short, "--type=merge", "-p", _annotations(mesh.resources.get(each, Resources())),
                    namespace=each.namespace)
            for each in _workloads(situation)
        ),
        verify=(
            kubectl("get", "pods", "-o", _LIMITS,
                    namespace=_workloads(situation)[0].namespace),
        ),
        undo=tuple(kubectl("rollout", "undo", each.short, namespace=each.namespace)
                   for each in _workloads(situation)),
    )  # fmt: skip


def _annotations(held: Resources) -> str:
    """A patch of the pod template that doubles the memory limit and says the rest as it is."""
    values = {
        "proxyCPU": f"{held.cpu_request_m}m",
        "proxyCPULimit": f"{held.cpu_limit_m}m",
        "proxyMemory": f"{held.memory_request_bytes // _MIB}Mi",
        "proxyMemoryLimit": f"{2 * held.memory_limit_bytes // _MIB}Mi",
    }
    annotations = {f"sidecar.istio.io/{name}": value for name, value in values.items()}
    return json.dumps({"spec": {"template": {"metadata": {"annotations": annotations}}}})


@step(
    "watch-memory",
    stage=Stage.CONFIRM,
    plane="service",
    title="Follow memory long enough to tell",
    when="Before anything is restarted: a restart ends the series.",
    risk="A small request to each proxy every ten minutes.",
    after=("keep-evidence", "capture-missing"),
)
def watch_memory(situation: Situation) -> Deed:
    """Two hours tell a leak from warming up."""
    pods = tuple(word for namespace, name in situation.mesh.pods[:8] for word in ("--pod", f"{namespace}/{name}"))
    return Deed(
        do=(Command(words=("meshforensics", "capture", *pods, "--watch", "2h", "--every", "10m", "-o", "series.zip")),),
        verify=(Command(words=("meshforensics", "triage", "series.zip")),),
        undo=("Not needed.",),
    )


@step(
    "scope-configuration",
    stage=Stage.STATE,
    plane="state",
    title="Send proxies less",
    when="Memory follows what they are sent, or the series that labels make.",
    risk="A host that is left out is not found: flag NR, or BlackHoleCluster.",
    after=_BEFORE,
)
def scope_configuration(situation: Situation) -> Deed:
    """A Sidecar resource names what a namespace calls."""
    mesh = situation.mesh
    spaces = tuple(dict.fromkeys(each.namespace for each in _workloads(situation)))
    return Deed(
        do=(
            *(kubectl("get", "sidecars.networking.istio.io", "-o", "yaml", namespace=each) for each in spaces[:4]),
            (f"Add a Sidecar ({mesh.api('networking.istio.io')}) with egress hosts: what the namespace calls, and "
            f"{mesh.system}/*; try it on one namespace."),
            kubectl("apply", "--dry-run=server", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("Sidecar:*",)),
        ),
        verify=("Clusters and memory of one proxy fall; no new NR or BlackHoleCluster in its log.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )  # fmt: skip
