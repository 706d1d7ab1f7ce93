"""State: root and signing certificates, always with an overlap."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Part, Situation, Stage, step
from meshforensics.recovery._mesh import Mesh
from meshforensics.recovery.freeze import PRIVATE, WITHOUT_VERSIONS

_ROOTCA = '.dynamicActiveSecrets[] | select(.name == "ROOTCA") | .secret.validationContext.trustedCa.inlineBytes'
_BUNDLE = "root-cert.pem"
_ONLY_THE_INTERMEDIATE = (
    "A root here is still valid: where only the intermediate ended, a new one under the same root is enough; "
    "root-cert.pem stays as it is."
)
_FILES = ("ca-cert.pem", "ca-key.pem", _BUNDLE, "cert-chain.pem")


def cacerts(mesh: Mesh) -> str:
    """The Secret of a plugged-in CA, as a subject."""
    return f"Secret:{mesh.system}/cacerts"


def signer_secret(mesh: Mesh) -> str:
    """Where the signing CA lies: as captured, else where a plugged-in one does."""
    return mesh.signer or "cacerts"


@step(
    "save-roots",
    stage=Stage.FREEZE,
    plane="state",
    title="Save every root, told apart by serial and fingerprint",
    when="A proxy of each group can still be asked.",
    risk="The backup of the Secret holds the signing key: encrypt it, and take it off this machine.",
    after=("keep-evidence", "capture-missing"),
)
def save_roots(situation: Situation) -> Deed:
    """Names of certificates may be equal and prove nothing."""
    mesh = situation.mesh
    secret = signer_secret(mesh)
    return Deed(
        do=(
            PRIVATE,
            *(_root_of(serial, pods[0]) for serial, pods in mesh.roots.items()),
            kubectl(
                "get", "secret", secret, "-o", "yaml", namespace=mesh.system, pipes=(WITHOUT_VERSIONS,),
                into=f"{secret}-backup.yaml", saves=(f"Secret:{mesh.system}/{secret}", cacerts(mesh)),
                about="holds the key",
            ),
            kubectl("get", "cm", "-A", "--field-selector=metadata.name=istio-ca-root-cert", "-o", "yaml",
                    into="istio-ca-root-certs.yaml", about="what each namespace is told"),
        ),
        verify=tuple(
            Command(words=("openssl", "x509", "-noout", "-serial", "-enddate", "-in", _file(serial)))
            for serial in mesh.roots
        ) or ("openssl x509 -noout -serial -enddate says the serials that the findings name.",),
        undo=("Not needed.",),
    )  # fmt: skip


def _root_of(serial: str, pod: str) -> Command:
    namespace, _, name = pod.partition("/")
    return Command(
        words=("istioctl", "proxy-config", "secret", name, "-n", namespace, "-o", "json"),
        pipes=(("jq", "-r", _ROOTCA), ("base64", "-d")),
        into=_file(serial),
        about=f"root {serial[:8]}…",
    )


def _file(serial: str) -> str:
    return f"root-{serial[:8]}.pem"


def _apply(mesh: Mesh) -> tuple[Command, ...]:
    """Write the Secret of the plugged-in CA from the four files."""
    create = kubectl(
        "create", "secret", "generic", "cacerts", *(f"--from-file={name}" for name in _FILES), "--dry-run=client",
        "-o", "yaml", namespace=mesh.system, pipes=(("kubectl", "apply", "-f", "-"),), changes=(cacerts(mesh),),
    )  # fmt: skip
    return (Command(words=("openssl", "verify", "-CAfile", _BUNDLE, "ca-cert.pem")), create)


def _restore(mesh: Mesh) -> Part:
    return kubectl("apply", "-f", f"{signer_secret(mesh)}-backup.yaml")


@step(
    "put-both-roots",
    stage=Stage.STATE,
    plane="state",
    title="Give out every root that is still valid, and sign as before",
    when="The saved files verify, and the old signing key is there. Without it keep the new signer: calls then stay "
    "refused until all are renewed.",
    risk="Overwrites the Secret cacerts.",
    after=("save-roots", "save-objects", "confirm-sync", "pause-rollouts"),
)
def put_both_roots(situation: Situation) -> Deed:
    """The whole text of root-cert.pem is what proxies are given as trust anchors."""
    mesh = situation.mesh
    files = tuple(_file(serial) for serial in mesh.roots) or ("root-old.pem", "root-new.pem")
    note: tuple[Part, ...] = ()
    if mesh.signer == "istio-ca-secret":
        note = (
            (
                "istiod signs by itself here (istio-ca-secret). Do not delete that Secret: a new one has another key. "
                "Its ca-cert.pem and ca-key.pem become the files below, with root-cert.pem as the whole bundle."
            ),
        )
    return Deed(
        do=(*note, Command(words=("cat", *files), into=_BUNDLE), *_apply(mesh)),
        verify=(
            kubectl("get", "secret", "cacerts", "-o", r"jsonpath={.data.root-cert\.pem}", namespace=mesh.system,
                    pipes=(("base64", "-d"), ("grep", "-c", "BEGIN CERTIFICATE")),
                    about=f"at least {max(2, len(mesh.roots))}"),
        ),
        undo=(_restore(mesh),),
    )  # fmt: skip


@step(
    "make-new-root",
    stage=Stage.STATE,
    plane="state",
    title="Make a new root and signer, and give the new root out beside those still valid",
    when="No root that proxies trust is valid any more, or the last one ends soon.",
    risk="Overwrites the Secret cacerts. Old leaves never verify again: every proxy has to be renewed.",
    after=("save-roots", "save-objects", "confirm-sync"),
)
def make_new_root(situation: Situation) -> Deed:
    """Made where keys are kept, not on a laptop."""
    mesh = situation.mesh
    return Deed(
        do=(
            (
                "Make the root offline, and an intermediate that it signs (tools/certs of the Istio release, or your "
                "own CA). root-cert.pem is the new root and every old one that is valid, in one file. Files: "
                f"{', '.join(_FILES)}."
            ),
            *((_ONLY_THE_INTERMEDIATE,) if mesh.roots else ()),
            *_apply(mesh),
        ),
        verify=(
            kubectl("logs", "-l", "app=istiod", "--tail=200", namespace=mesh.system, pipes=(("grep", "-i", "root"),),
                    about="a changed root bundle is refused without a restart: next step"),
        ),
        undo=(_restore(mesh),),
    )  # fmt: skip


@step(
    "switch-signer",
    stage=Stage.STATE,
    plane="state",
    title="Sign with the new root's intermediate",
    when="Every proxy, gateway and VM trusts both roots: one trust set in a new capture.",
    risk="Low, where all trust both.",
    after=("put-both-roots", "restart-istiod", "renew-refused", "renew-others", "restart-gateways"),
)
def switch_signer(situation: Situation) -> Deed:
    """The bundle stays, so that istiod takes the new intermediate up without a restart."""
    mesh = situation.mesh
    return Deed(
        do=("ca-cert.pem, ca-key.pem and cert-chain.pem of the new signer; root-cert.pem as it is.", *_apply(mesh)),
        verify=("New leaves chain to the new root; no handshake fails for 30 minutes.",),
        undo=("The old signer's files with the same root-cert.pem.",),
    )


@step(
    "drop-old-root",
    stage=Stage.STATE,
    plane="state",
    title="Take the old root out, not before every old leaf has ended",
    when="The longest life of a leaf has passed since the signer was switched (24 h by default, jobs and VMs too).",
    risk="A leaf that was forgotten is refused.",
    after=("switch-signer", "verify"),
)
def drop_old_root(situation: Situation) -> Deed:
    """The end of the overlap."""
    mesh = situation.mesh
    return Deed(
        do=(
            "root-cert.pem = the new root alone.",
            *_apply(mesh),
            *(kubectl("rollout", "restart", each.short, namespace=each.namespace) for each in mesh.istiods),
            "Restart the workloads as before, callees first, gateways last.",
        ),
        verify=("A new capture has one trust set of one root, and no refused handshake.",),
        undo=("Put the old root back into root-cert.pem.",),
    )


@step(
    "alias-trust-domain",
    stage=Stage.STATE,
    plane="state",
    title="Accept the other trust domain beside the mesh's own, for a while",
    when="The name that is refused is of another trust domain, and that one is yours.",
    risk="Every identity of that domain counts as the mesh's own, in policies too.",
    after=("save-objects", "confirm-sync"),
)
def alias_trust_domain(situation: Situation) -> Deed | None:
    """Callers accept it with the next push; an object that says which names are accepted is put right instead."""
    mesh = situation.mesh
    if mesh.objects:
        return None
    subject = f"ConfigMap:{mesh.system}/istio"
    return Deed(
        do=(
            PRIVATE,
            kubectl("get", "configmap", "istio", "-o", "yaml", namespace=mesh.system, pipes=(WITHOUT_VERSIONS,),
                    into="mesh-config.yaml", saves=(subject,)),
            (f"Under mesh add trustDomainAliases with {', '.join(mesh.domains) or 'that domain'}; with a revision the "
             "ConfigMap is called istio-REVISION. What Helm or istioctl manage is changed there as well."),
            kubectl("edit", "configmap", "istio", namespace=mesh.system, changes=(subject,)),
        ),
        verify=("istiod takes it without a restart; flag UF with SAN matcher in its reason stops.",),
        undo=(kubectl("apply", "-f", "mesh-config.yaml"),),
    )  # fmt: skip


@step(
    "gateway-certificate",
    stage=Stage.EDGE,
    plane="edge",
    title="Replace the gateway's own certificate",
    when="The certificate that clients see from outside is the one that ended; the mesh's own are not.",
    risk="A key that does not belong to the certificate ends TLS at the gateway.",
    after=("save-objects", "confirm-sync"),
)
def gateway_certificate(situation: Situation) -> Deed | None:
    """Istiod gives it out by SDS; nothing has to be restarted. Not where other workloads alone hold what ended."""
    about, gateways = situation.mesh.workloads, situation.mesh.gateways
    if about and gateways and not set(about) & set(gateways):
        return None
    namespace = situation.mesh.gateways[0].namespace if situation.mesh.gateways else "NAMESPACE"
    subject = f"Secret:{namespace}/SECRET"
    return Deed(
        do=(
            PRIVATE,
            kubectl("get", "secret", "SECRET", "-o", "yaml", namespace=namespace, pipes=(WITHOUT_VERSIONS,),
                    into="gateway-secret-backup.yaml", saves=(subject,)),
            kubectl("create", "secret", "tls", "SECRET", "--cert=tls.crt", "--key=tls.key", "--dry-run=client", "-o",
                    "yaml", namespace=namespace, pipes=(("kubectl", "apply", "-f", "-"),), changes=(subject,)),
        ),
        verify=(Command(words=("istioctl", "proxy-config", "secret", "deploy/GATEWAY", "-n", namespace)),),
        undo=(kubectl("apply", "-f", "gateway-secret-backup.yaml"),),
    )  # fmt: skip
