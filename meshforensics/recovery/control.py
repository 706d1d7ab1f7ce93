"""Control: istiod able to compute and to sign."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step


@step(
    "look-at-istiod",
    stage=Stage.CONTROL,
    plane="control",
    title="Look at istiod before it is touched",
    when="Configuration arrives late, or not at all.",
    risk="Reads only. Never scale it to nothing: all configuration would be frozen.",
    after=("keep-evidence", "capture-missing", "confirm-sync"),
)
def look_at_istiod(situation: Situation) -> Deed:
    """Throttling, restarts, errors."""
    mesh = situation.mesh
    return Deed(
        do=(
            kubectl("get", "pods", "-l", "app=istiod", "-o", "wide", namespace=mesh.system),
            kubectl("top", "pods", "-l", "app=istiod", "--containers", namespace=mesh.system),
            kubectl("logs", "-l", "app=istiod", "--tail=200", namespace=mesh.system),
            *(kubectl("describe", each.short, namespace=each.namespace) for each in mesh.istiods),
        ),
        verify=("You can say what it lacks: processor, memory, the API server, or nothing.",),
        undo=("Not needed.",),
    )


@step(
    "restart-istiod",
    stage=Stage.CONTROL,
    plane="control",
    title="Restart istiod, one replica after the other",
    when="The root bundle changed, or istiod is stuck. A changed object needs no restart: it is pushed by itself.",
    risk="All proxies connect again at once; until then they keep what they have. New pods wait for the injector.",
    after=("look-at-istiod", "put-both-roots", "make-new-root", "restore-objects"),
)
def restart_istiod(situation: Situation) -> Deed:
    """With two replicas or more nobody notices."""
    istiods = situation.mesh.istiods
    restart = tuple(
        command
        for each in istiods
        for command in (
            kubectl("rollout", "restart", each.short, namespace=each.namespace),
            kubectl("rollout", "status", each.short, "--timeout=10m", namespace=each.namespace),
        )
    )
    return Deed(
        do=restart,
        verify=(
            Command(words=("istioctl", "proxy-status"), about="every proxy is there again, and SYNCED"),
            kubectl("get", "cm", "-A", "--field-selector=metadata.name=istio-ca-root-cert", "-o",
                    r"custom-columns=IN:.metadata.namespace,ROOTS:.data.root-cert\.pem"),
        ),
        undo=tuple(kubectl("rollout", "undo", each.short, namespace=each.namespace) for each in istiods),
    )  # fmt: skip


@step(
    "grow-istiod",
    stage=Stage.CONTROL,
    plane="control",
    title="Give istiod what it lacks",
    when="It is throttled, near its memory limit, or one replica serves all.",
    risk="New replicas do not take over connections by themselves; those are renewed within 30 minutes.",
    after=("look-at-istiod",),
)
def grow_istiod(situation: Situation) -> Deed:
    """More replicas, and less to compute."""
    istiods = situation.mesh.istiods
    return Deed(
        do=(
            *(kubectl("get", "hpa", "-o", "wide", namespace=each.namespace) for each in istiods[:1]),
            *(
                command
                for each in istiods
                for command in (
                    kubectl("get", each.short, "-o", "wide", namespace=each.namespace, about="note READY"),
                    kubectl("scale", each.short, "--replicas=REPLICAS", namespace=each.namespace),
                )
            ),
            "Scope what is computed: Sidecar resources with egress hosts, exportTo, discoverySelectors.",
        ),
        verify=("The 99th percentile of pilot_proxy_convergence_time falls; the queue empties.",),
        undo=("Scale back to the replicas that you noted.",),
    )


@step(
    "roll-back-control-plane",
    stage=Stage.CONTROL,
    plane="control",
    title="Point the tag at the revision that worked",
    when="More fails than the objects above explain, and the old revision still runs. Upgraded in place: install the "
    "version that ran before with its own istioctl or chart; custom resource definitions stay.",
    risk="Proxies follow after their restart only.",
    after=("restore-objects", "look-at-istiod"),
)
def roll_back_control_plane(situation: Situation) -> Deed:
    """By tag, so that no namespace has to be labelled anew."""
    tag = ("tag",) if situation.mesh.at_least(1, 12) else ("x", "revision", "tag")
    return Deed(
        do=(
            Command(words=("istioctl", *tag, "list"), about="note what the tag points at"),
            Command(words=("istioctl", *tag, "set", "TAG", "--revision", "REVISION", "--overwrite")),
        ),
        verify=(Command(words=("istioctl", *tag, "list")), "A new pod has the old revision's sidecar, and serves."),
        undo=("The same command with the revision that you noted.",),
    )


@step(
    "push-again",
    stage=Stage.CONTROL,
    plane="control",
    title="Have istiod send once more",
    when="Configuration is surely newer than what proxies have, nothing was rejected, and istiod is well. There is no "
    "command to force it; any change of an object is pushed.",
    risk="One more computation for the whole mesh.",
    after=("look-at-istiod", "restore-objects"),
)
def push_again(situation: Situation) -> Deed:
    """An annotation is a change."""
    mesh = situation.mesh
    spaces = {each.namespace for each in mesh.workloads}
    routes = sorted((*mesh.objects, *mesh.routes), key=lambda each: each.namespace not in spaces)
    named = next((each for each in routes if each.kind in {"VirtualService", "DestinationRule"}), None)
    namespace, target = (named.namespace, named.short) if named else ("NAMESPACE", "virtualservices/OBJECT")
    return Deed(
        do=(kubectl("annotate", target, "pushed-again=1", "--overwrite", namespace=namespace),),
        verify=(Command(words=("istioctl", "proxy-status"), about="no STALE older than a minute"),),
        undo=(kubectl("annotate", target, "pushed-again-", namespace=namespace),),
    )
