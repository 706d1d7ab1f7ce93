"""The end: see that it holds, then close what was opened for the while."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step
from meshforensics.recovery.freeze import ALL_OBJECTS, PRIVATE, WITHOUT_VERSIONS

_ALL = (
    "put-both-roots", "make-new-root", "restart-istiod", "renew-refused", "renew-others", "restart-workloads",
    "restart-ztunnel", "restart-gateways", "restore-objects", "bound-requests", "authz-dry-run", "authz-overlay",
    "authz-delete", "mtls-permissive", "grow-istiod", "roll-back-control-plane", "push-again", "shift-traffic",
    "add-capacity", "raise-pool", "bring-hosts-back", "raise-memory-limit", "scope-configuration", "switch-signer",
    "gateway-certificate", "plaintext-window", "restart-linkerd",
)  # fmt: skip


@step(
    "verify",
    stage=Stage.VERIFY,
    plane="service",
    title="Capture again, and hold it against this bundle",
    when="Fifteen minutes after the last change.",
    risk="Reads only.",
    after=_ALL,
)
def verify(situation: Situation) -> Deed:
    """By two signals: what proxies say, and what users get."""
    return Deed(
        do=(
            Command(words=("meshforensics", "capture", "-o", "after.zip")),
            Command(words=("meshforensics", "triage", "after.zip")),
            Command(words=("linkerd", "check", "--proxy") if situation.mesh.linkerd else ("istioctl", "proxy-status")),
        ),
        verify=(
            "The verdict is gone; 5xx, 403 and the flags UH, UF, NC, NR are as before; a call from outside passes.",
        ),
        undo=("Not needed.",),
    )


@step(
    "close-holes",
    stage=Stage.CLOSE,
    plane="state",
    title="Close what was opened, and go back to Git",
    when="It held.",
    risk="What was opened for the while and is forgotten stays open.",
    after=(*_ALL, "verify", "drop-old-root"),
)
def close_holes(situation: Situation) -> Deed:
    """Only intended differences remain."""
    mesh = situation.mesh
    kinds = ",".join(mesh.kinds) or "virtualservices.networking.istio.io,authorizationpolicies.security.istio.io"
    return Deed(
        do=(
            kubectl("get", "authorizationpolicies.security.istio.io,peerauthentications.security.istio.io", "-A",
                    about="nothing called emergency-*, no dry run that is not meant"),
            PRIVATE,
            kubectl("get", kinds, "-A", "-o", "yaml", pipes=(WITHOUT_VERSIONS,), into="mesh-objects-after.yaml"),
            Command(words=("diff", "-u", ALL_OBJECTS, "mesh-objects-after.yaml")),
            "Turn sync, rollouts and autoscaling on again; write down each opening with namespace, from and to.",
        ),
        verify=("Every line of the difference is meant, and in Git.",),
        undo=("Not needed.",),
    )  # fmt: skip
