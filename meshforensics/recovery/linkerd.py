"""Linkerd: its trust anchor and issuer, saved and renewed, and what holds the old ones restarted."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Part, Situation, Stage, step
from meshforensics.recovery.freeze import PRIVATE, WITHOUT_VERSIONS
from meshforensics.recovery.propagate import restarts

ANCHORS, ISSUER = "linkerd-identity-trust-roots", "linkerd-identity-issuer"
_BACKUP = "linkerd-identity-backup.yaml"
_CHECK = Command(words=("linkerd", "check", "--proxy"), about="anchors, issuer, proxies that match, clocks")
_MADE = ("--no-password", "--insecure")
_HELM = (
    "Installed with Helm: give helm upgrade linkerd-control-plane the same files (identityTrustAnchorsPEM, "
    "identity.issuer.tls.crtPEM and keyPEM), or the next upgrade puts the old ones back; with cert-manager renew its "
    "Certificate instead."
)


def _held(situation: Situation) -> tuple[str, str]:
    """The anchors and the issuer, as subjects."""
    namespace = situation.mesh.linkerd
    return f"ConfigMap:{namespace}/{ANCHORS}", f"Secret:{namespace}/{ISSUER}"


def _anchor_ended(situation: Situation) -> bool:
    return any(subject.endswith(f"/{ANCHORS}") for subject in situation.verdict.subjects)


@step(
    "save-linkerd-identity",
    stage=Stage.FREEZE,
    plane="state",
    title="Save the trust anchors and the issuer of Linkerd",
    when="Always, before they are replaced.",
    risk="The backup of the Secret holds the issuer's key: encrypt it, and take it off this machine.",
    after=("keep-evidence", "capture-missing"),
)
def save_linkerd_identity(situation: Situation) -> Deed | None:
    """The proxies have their anchors from their start on, so that these may differ from what they trust."""
    if not situation.mesh.linkerd:
        return None
    get = ("-o", "yaml")
    return Deed(
        do=(
            PRIVATE,
            kubectl("get", f"configmap/{ANCHORS}", f"secret/{ISSUER}", *get, namespace=situation.mesh.linkerd,
                    pipes=(WITHOUT_VERSIONS,), into=_BACKUP, saves=_held(situation), about="holds the key"),
        ),
        verify=(_CHECK,),
        undo=("Not needed.",),
    )  # fmt: skip


@step(
    "renew-linkerd-issuer",
    stage=Stage.STATE,
    plane="state",
    title="Sign a new issuer by the trust anchor that is still valid",
    when="The trust anchor has not ended and its key is at hand (ca.crt, ca.key). Without the key replace both.",
    risk="Proxies take the new one with their next certificate; running connections go on.",
    after=("save-linkerd-identity",),
)
def renew_linkerd_issuer(situation: Situation) -> Deed | None:
    """Linkerd says so by an event of reason IssuerUpdated."""
    namespace = situation.mesh.linkerd
    if not namespace or _anchor_ended(situation):
        return None
    return Deed(
        do=(
            *_issuer("ca"),
            _upgrade(situation),
            _HELM,
        ),
        verify=(kubectl("get", "events", "--field-selector=reason=IssuerUpdated", namespace=namespace), _CHECK),
        undo=(kubectl("apply", "-f", _BACKUP),),
    )  # fmt: skip


@step(
    "replace-linkerd-anchor",
    stage=Stage.STATE,
    plane="state",
    title="Replace the trust anchor and the issuer, both at once",
    when="The trust anchor ended: nothing verifies by it any more, so that an overlap with it helps nobody.",
    risk="Until it is restarted a proxy trusts the old anchor alone, and refuses those with new certificates.",
    after=("save-linkerd-identity",),
)
def replace_linkerd_anchor(situation: Situation) -> Deed | None:
    """`--force` leaves out the check that running proxies trust the new issuer: they cannot."""
    namespace = situation.mesh.linkerd
    if not namespace or not _anchor_ended(situation):
        return None
    made: tuple[Part, ...] = (
        Command(words=("step", "certificate", "create", "root.linkerd.cluster.local", "ca-new.crt", "ca-new.key",
                       "--profile", "root-ca", *_MADE)),
        *_issuer("ca-new"),
    )  # fmt: skip
    return Deed(
        do=(
            *made,
            "An anchor that is still valid goes into ca-new.crt too, behind the new one.",
            _upgrade(situation, "--identity-trust-anchors-file=ca-new.crt", "--force"),
            _HELM,
        ),
        verify=(
            kubectl("get", f"configmap/{ANCHORS}", "-o", r"jsonpath={.data.ca-bundle\.crt}", namespace=namespace,
                    pipes=(("openssl", "x509", "-noout", "-enddate"),)),
        ),
        undo=(kubectl("apply", "-f", _BACKUP),),
    )  # fmt: skip


@step(
    "restart-linkerd",
    stage=Stage.PROPAGATE,
    plane="service",
    title="Restart Linkerd's control plane, then every meshed workload",
    when="The new anchor is given out. Where only the issuer was renewed, those alone whose certificate has ended.",
    risk="Workloads that were not restarted yet refuse those that were, and the other way round.",
    after=("renew-linkerd-issuer", "replace-linkerd-anchor"),
)
def restart_linkerd(situation: Situation) -> Deed | None:
    """A proxy reads its trust anchors when it starts."""
    mesh = situation.mesh
    if not mesh.linkerd:
        return None
    unknown = "Every workload with a linkerd-proxy, callees first: kubectl -n NAMESPACE rollout restart WORKLOAD"
    return Deed(
        do=(
            kubectl("rollout", "restart", "deploy", namespace=mesh.linkerd),
            kubectl("rollout", "status", "deploy", "--timeout=10m", namespace=mesh.linkerd),
            *(restarts(mesh.order) or (unknown,)),
        ),
        verify=(_CHECK,),
        undo=("None: the old certificates are of no use any more.",),
    )


def _issuer(anchor: str) -> tuple[Command, Command]:
    """An issuer signed by the anchor in these files, and whether it is."""
    make = Command(
        words=("step", "certificate", "create", "identity.linkerd.cluster.local", "issuer-new.crt", "issuer-new.key",
               "--profile", "intermediate-ca", "--not-after", "8760h", *_MADE, "--ca", f"{anchor}.crt", "--ca-key",
               f"{anchor}.key"),
        about="with another trust domain, its name in place of cluster.local",
    )  # fmt: skip
    return make, Command(words=("openssl", "verify", "-CAfile", f"{anchor}.crt", "issuer-new.crt"))


def _upgrade(situation: Situation, *options: str) -> Command:
    """Linkerd's own configuration with the new issuer."""
    issuer = ("--identity-issuer-certificate-file=issuer-new.crt", "--identity-issuer-key-file=issuer-new.key")
    return Command(
        words=("linkerd", "upgrade", "--linkerd-namespace", situation.mesh.linkerd, *issuer, *options),
        pipes=(("kubectl", "apply", "-f", "-"),),
        changes=_held(situation),
    )
