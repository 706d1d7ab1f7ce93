"""Propagate: restarts, only of what needs one, callees first, gateways last."""

from collections.abc import Iterable

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step
from meshforensics.recovery._named import Named

_RIGHT = ("put-both-roots", "make-new-root", "restore-objects", "restart-istiod", "roll-back-control-plane",
          "push-again", "grow-istiod")  # fmt: skip
"""State and control are right before anything that consumes them is restarted."""


def restarts(workloads: Iterable[Named], paused: Iterable[Named] = ()) -> tuple[Command, ...]:
    """Restart each and wait for it; what was paused is resumed before, since kubectl refuses it otherwise."""
    held = tuple(paused)
    return tuple(
        kubectl("rollout", *words, namespace=each.namespace)
        for each in workloads
        for words in (
            *((("resume", each.short),) if each in held else ()),
            ("restart", each.short),
            ("status", each.short, "--timeout=10m"),
        )
    )


def _unknown(what: str = "WORKLOAD") -> tuple[Named, ...]:
    return (Named(kind="Deployment", namespace="NAMESPACE", name=what),)


@step(
    "renew-refused",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart those that are refused, one first",
    when="istiod gives out both roots: istio-ca-root-cert of their namespace holds them.",
    risk="Half a service's capacity for a moment; it serves no refused call now.",
    after=_RIGHT,
)
def renew_refused(situation: Situation) -> Deed | None:
    """Their new leaf is accepted at once."""
    mesh = situation.mesh
    if mesh.workloads and not mesh.behind:
        return None
    workloads = mesh.behind or _unknown()
    return Deed(
        do=restarts(workloads, situation.paused),
        verify=("After the first: fail_verify_error stops rising, calls to it answer 200, its ROOTCA has all roots.",),
        undo=("Stop after the first: no worse than before.",),
    )


@step(
    "renew-others",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart the others, one at a time, callees first",
    when="The first ones serve. Or wait for half the life of a leaf (12 h of 24 h) instead.",
    risk="Ordinary restart risk: mind disruption budgets, and how many certificates istiod signs at once.",
    after=(*_RIGHT, "renew-refused"),
)
def renew_others(situation: Situation) -> Deed | None:
    """After this every proxy trusts all roots."""
    mesh = situation.mesh
    others = tuple(each for each in mesh.order if each not in mesh.workloads)
    if mesh.order and not others:
        return None
    return Deed(
        do=restarts(others or _unknown(), situation.paused),
        verify=("A new capture has one trust set, and no pair that cannot verify.",),
        undo=("Stop between any two.",),
    )


@step(
    "restart-workloads",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart the workloads that the verdict names, one first",
    when="What was wrong is put right, and they do not come back by themselves.",
    risk="A pod that restarts under wrong state loses its last good copy.",
    after=_RIGHT,
)
def restart_workloads(situation: Situation) -> Deed:
    """Never delete pods in a loop: that ignores disruption budgets."""
    workloads = situation.mesh.workloads or _unknown()
    return Deed(
        do=restarts(workloads, situation.paused),
        verify=(Command(words=("istioctl", "proxy-status")), "It is ready, rejected nothing, and calls to it succeed."),
        undo=tuple(kubectl("rollout", "undo", each.short, namespace=each.namespace) for each in workloads),
    )


@step(
    "restart-shown",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart those whose certificate says the wrong name, one first",
    when="Their service account or trust domain is right again. A changed DestinationRule is pushed: it needs no "
    "restart.",
    risk="Half a service's capacity for a moment; it serves no refused call now.",
    after=(*_RIGHT, "alias-trust-domain"),
)
def restart_shown(situation: Situation) -> Deed | None:
    """A new leaf has the name that holds now; who refuses it needs none."""
    mesh = situation.mesh
    if mesh.objects:
        return None
    workloads = mesh.identities or _unknown()
    return Deed(
        do=restarts(workloads, situation.paused),
        verify=("Its leaf has the name that callers accept: istioctl proxy-config secret; calls to it answer 200.",),
        undo=("Stop after the first: no worse than before.",),
    )


@step(
    "restart-servers",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart the server that does not answer, one pod first",
    when="Its pods are ready, and its application does not listen or hangs; its log is kept.",
    risk="Half a service's capacity for a moment; what it holds in memory goes.",
    after=(*_RIGHT, "bring-hosts-back"),
)
def restart_servers(situation: Situation) -> Deed:
    """Not the callers: they find it by themselves."""
    servers = situation.mesh.servers or _unknown()
    logs = tuple(
        kubectl("logs", each.short, "--all-containers", "--tail=200", namespace=each.namespace,
                about="why it does not listen")
        for each in servers
    )  # fmt: skip
    return Deed(
        do=(*logs, *restarts(servers, situation.paused)),
        verify=("Calls to it are answered; flag UF stops.",),
        undo=tuple(kubectl("rollout", "undo", each.short, namespace=each.namespace) for each in servers),
    )


@step(
    "restart-ztunnel",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Renew ztunnel, node by node",
    when="The mesh is ambient, and its workloads' certificates come from ztunnel.",
    risk="Cuts a node's connections after its drain.",
    after=(*_RIGHT, "renew-refused"),
)
def restart_ztunnel(situation: Situation) -> Deed | None:
    """The ztunnel of a node holds the certificates of all its workloads."""
    mesh = situation.mesh
    if not mesh.ztunnel:
        return None
    config = ("ztunnel-config",) if mesh.at_least(1, 24) else ("x", "ztunnel-config")
    return Deed(
        do=restarts([Named(kind="DaemonSet", namespace=mesh.system, name="ztunnel")]),
        verify=(Command(words=("istioctl", *config, "certificates")),),
        undo=("Stop: the update strategy takes one node at a time.",),
    )


@step(
    "restart-gateways",
    stage=Stage.EDGE,
    plane="edge",
    title="Restart the gateways, last",
    when="State and control are right, and one gateway pod was tried first.",
    risk="A restarted gateway loses warm endpoints; long streams end after its drain (5 s by default).",
    after=(*_RIGHT, "renew-refused", "renew-others", "restart-workloads", "restart-ztunnel"),
)
def restart_gateways(situation: Situation) -> Deed | None:
    """Everything behind them serves by then."""
    gateways = situation.mesh.gateways
    if situation.mesh.order and not gateways:
        return None
    return Deed(
        do=restarts(gateways or _unknown("GATEWAY"), situation.paused),
        verify=("The load balancer's check on 15021 /healthz/ready passes; a call from outside answers.",),
        undo=("Stop between any two pods.",),
    )
