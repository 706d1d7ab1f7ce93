"""State: who may call whom. A policy is loosened one at a time, saved before, and closed again."""

from meshforensics.recovery._command import Command, Manifest, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step
from meshforensics.recovery._mesh import Mesh
from meshforensics.recovery._named import Named
from meshforensics.recovery.freeze import PRIVATE, WITHOUT_VERSIONS

POLICIES = "authorizationpolicies.security.istio.io"
_OVERLAY = "emergency-allow"
_WINDOW = "emergency-permissive"


def policies_of(mesh: Mesh) -> tuple[Named, ...]:
    """The policies that the verdict names; one to be filled in where it names none."""
    return mesh.named("AuthorizationPolicy") or (
        Named(kind="AuthorizationPolicy", namespace="NAMESPACE", name="POLICY"),
    )


def backup(policy: Named) -> Command:
    """Save one object, so that it can be put back as it was."""
    return kubectl(
        "get", policy.short, "-o", "yaml", namespace=policy.namespace, pipes=(WITHOUT_VERSIONS,),
        into=f"{policy.namespace}-{policy.name}.yaml", saves=(policy.subject,),
    )  # fmt: skip


@step(
    "authz-dry-run",
    stage=Stage.STATE,
    plane="state",
    title="Set the denying policy to dry run",
    when="The denials name this policy, and its action is ALLOW or DENY; one that is CUSTOM still asks its provider.",
    risk="The policy is not enforced; where it was the only ALLOW policy of a workload, everything may call it.",
    after=("save-objects", "confirm-sync"),
)
def authz_dry_run(situation: Situation) -> Deed:
    """Reversible by one annotation."""
    policies = policies_of(situation.mesh)
    return Deed(
        do=(
            PRIVATE,
            *(backup(each) for each in policies),
            *(kubectl("annotate", each.short, "istio.io/dry-run=true", namespace=each.namespace) for each in policies),
        ),
        verify=("403 stops; the counters shadow_denied go on counting what it would deny.",),
        undo=tuple(kubectl("annotate", each.short, "istio.io/dry-run-", namespace=each.namespace) for each in policies),
    )


@step(
    "authz-overlay",
    stage=Stage.STATE,
    plane="state",
    title="Or allow one workload beside the policies that are there",
    when="The denials say matched_policy[none]: there are ALLOW policies, and none of them matches.",
    risk="Every identity may call this workload; DENY and CUSTOM policies still hold.",
    after=("save-objects", "confirm-sync", "authz-dry-run"),
)
def authz_overlay(situation: Situation) -> Deed:
    """ALLOW policies add up, so that one more opens the workload without touching the others."""
    mesh = situation.mesh
    about = _selected(mesh)
    file = f"{_OVERLAY}.yaml"
    named = Named(kind="AuthorizationPolicy", namespace=about.namespace, name=_OVERLAY)
    return Deed(
        do=(
            overlay(mesh, about, file),
            kubectl("apply", "--dry-run=server", "-f", file),
            kubectl("apply", "-f", file, creates=(named.subject,)),
        ),
        verify=("403 stops for this workload; note owner and end time.",),
        undo=(kubectl("delete", named.short, namespace=named.namespace, changes=(named.subject,)),),
    )


@step(
    "authz-delete",
    stage=Stage.STATE,
    plane="state",
    title="Last resort: delete this one policy",
    when="Neither dry run nor overlay can be applied. Never a DENY or CUSTOM policy, never --all.",
    risk="What the policy protected is open until it is put back.",
    after=("authz-dry-run", "authz-overlay"),
)
def authz_delete(situation: Situation) -> Deed:
    """The backup comes first, in the same breath."""
    policies = policies_of(situation.mesh)
    return Deed(
        do=(
            PRIVATE,
            *(backup(each) for each in policies),
            *(kubectl("delete", each.short, namespace=each.namespace, changes=(each.subject,)) for each in policies),
        ),
        verify=("403 stops.",),
        undo=tuple(kubectl("create", "-f", f"{each.namespace}-{each.name}.yaml") for each in policies),
    )


@step(
    "mtls-permissive",
    stage=Stage.STATE,
    plane="state",
    title="Let this one server take plaintext too, for a while",
    when="Callers that send plaintext meet STRICT: they have no sidecar, or a DestinationRule turns TLS off. It "
    "repairs no certificate: other sidecars go on sending TLS.",
    risk="Plaintext is accepted, and policies that ask for principals deny it.",
    after=("save-objects", "confirm-sync"),
)
def mtls_permissive(situation: Situation) -> Deed:
    """By workload: a second policy for the namespace would be ignored, since the oldest one wins."""
    mesh = situation.mesh
    about = _selected(mesh)
    file = f"{_WINDOW}.yaml"
    named = Named(kind="PeerAuthentication", namespace=about.namespace, name=_WINDOW)
    return Deed(
        do=(
            permissive(mesh, about, file),
            kubectl("apply", "--dry-run=server", "-f", file),
            kubectl("apply", "-f", file, creates=(named.subject,)),
        ),
        verify=(
            "The resets (no filter chain match) end; connection_security_policy none comes from the expected callers.",
        ),
        undo=(kubectl("delete", named.short, namespace=named.namespace, changes=(named.subject,)),),
    )


@step(
    "plaintext-window",
    stage=Stage.STATE,
    plane="state",
    title="Only if it cannot wait: a few edges without TLS, for a while",
    when="Chains are invalid both ways, the business accepts plaintext for these edges, and renewal takes too long.",
    risk="No encryption and no identity on these edges; policies that ask for principals deny them.",
    after=("save-objects", "confirm-sync"),
)
def plaintext_window(_: Situation) -> Deed:
    """Both sides at once: a server that takes plaintext is of no use to callers that go on sending TLS."""
    return Deed(
        do=(
            (
                "Server: a PeerAuthentication for the workload with mtls.mode PERMISSIVE. Callers: tls.mode DISABLE in "
                "the trafficPolicy of the DestinationRule that the host has already; a second one may not be merged."
            ),
            kubectl("apply", "--dry-run=server", "-f", "FILE"),
            kubectl("diff", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("DestinationRule:*", "PeerAuthentication:*")),
        ),
        verify=("CERTIFICATE_VERIFY_FAILED ends on these edges.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )


def _selected(mesh: Mesh) -> Named:
    first = Named(kind="Deployment", namespace="NAMESPACE", name="WORKLOAD")
    return next((each for each in mesh.workloads if each in mesh.labels), (*mesh.workloads, first)[0])


def selector_of(mesh: Mesh, about: Named) -> dict[str, dict[str, str]]:
    """The labels that select a workload's pods; a placeholder where they were not captured."""
    return {"matchLabels": dict(mesh.labels.get(about) or {"app": "WORKLOAD"})}


def overlay(mesh: Mesh, about: Named, file: str) -> Manifest:
    """An ALLOW policy that matches everything, for one workload."""
    return Manifest(
        file=file,
        documents=(
            {
                "apiVersion": mesh.api("security.istio.io"),
                "kind": "AuthorizationPolicy",
                "metadata": {"name": _OVERLAY, "namespace": about.namespace},
                "spec": {"selector": selector_of(mesh, about), "action": "ALLOW", "rules": [{}]},
            },
        ),
    )


def permissive(mesh: Mesh, about: Named, file: str) -> Manifest:
    """A PeerAuthentication for one workload that takes plaintext and TLS."""
    return Manifest(
        file=file,
        documents=(
            {
                "apiVersion": mesh.api("security.istio.io"),
                "kind": "PeerAuthentication",
                "metadata": {"name": _WINDOW, "namespace": about.namespace},
                "spec": {"selector": selector_of(mesh, about), "mtls": {"mode": "PERMISSIVE"}},
            },
        ),
    )
