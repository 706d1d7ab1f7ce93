"""Before anything is changed: keep what was captured, get what is missing, save what will be changed."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step

WITHOUT_VERSIONS = ("sed", "-E", "/^( {2}| {4})(resourceVersion|uid): /d")
"""Saved objects can be applied again only without what ties them to one state of the server."""

PRIVATE = Command(words=("umask", "077"), about="what is saved is for you alone")
ALL_OBJECTS = "mesh-objects.yaml"
_FALLBACK = (
    "authorizationpolicies.security.istio.io",
    "destinationrules.networking.istio.io",
    "envoyfilters.networking.istio.io",
    "gateways.networking.istio.io",
    "peerauthentications.security.istio.io",
    "serviceentries.networking.istio.io",
    "sidecars.networking.istio.io",
    "virtualservices.networking.istio.io",
)


@step(
    "keep-evidence",
    stage=Stage.FREEZE,
    plane="control",
    title="Keep this bundle",
    when="Now: counters, error states, previous logs and leaf certificates are gone after a restart.",
    risk="No call notices it.",
)
def keep_evidence(situation: Situation) -> Deed:
    """The bundle that the verdict rests on."""
    return Deed(
        do=(
            Command(words=("meshforensics", "import", *situation.paths, "-o", "incident.zip")),
            Command(words=("meshforensics", "verify", "incident.zip")),
        ),
        verify=("verify says that every member is as it was sealed.",),
        undo=("Not needed.",),
    )


@step(
    "capture-missing",
    stage=Stage.FREEZE,
    plane="control",
    title="Capture what is missing to tell",
    when="The mesh is reachable; nothing was restarted since.",
    risk="Reads only, within a fixed time.",
    after=("keep-evidence",),
)
def capture_missing(situation: Situation) -> Deed | None:
    """What the verdict says that it lacks, by the commands that it names; else a whole capture."""
    missing = situation.verdict.missing
    wanted = tuple(
        f"It holds {each.kind}{f' of {each.subject}' if each.subject not in {'', '-'} else ''}; now: {each.why}."
        for each in missing[:5]
    )
    series = any(each.kind == "envoy.memory" for each in missing)
    watch = ("--watch", "2h", "--every", "10m") if series else ()
    return Deed(
        do=(Command(words=("meshforensics", "capture", *watch, "-o", "more.zip")),),
        verify=(
            *wanted,
            Command(words=("meshforensics", "triage", *situation.paths, "more.zip"), about="both together"),
        ),
        undo=("Not needed.",),
    )


@step(
    "pause-rollouts",
    stage=Stage.FREEZE,
    plane="state",
    title="Stop what could restart or revert things",
    when="GitOps, autoscaling or a rollout could act on what the next steps touch.",
    risk="Drift from Git while it is paused.",
    after=("keep-evidence", "capture-missing"),
)
def pause_rollouts(situation: Situation) -> Deed:
    """Only Deployments can be paused."""
    paused = situation.paused
    return Deed(
        do=(
            Command(words=("argocd", "app", "set", "APP", "--sync-policy", "none"), about="where Argo CD applies it"),
            Command(words=("flux", "suspend", "kustomization", "APP"), about="where Flux applies it"),
            *(kubectl("rollout", "pause", each.short, namespace=each.namespace) for each in paused),
        ),
        verify=("No pod is younger than this step.",),
        undo=(
            *(kubectl("rollout", "resume", each.short, namespace=each.namespace) for each in paused),
            "Turn the sync on again.",
        ),
    )


@step(
    "save-objects",
    stage=Stage.FREEZE,
    plane="state",
    title="Save every object of the mesh",
    when="You may read them.",
    risk="The files may hold tokens: keep them for yourself.",
    after=("keep-evidence", "capture-missing"),
)
def save_objects(situation: Situation) -> Deed:
    """All kinds that the bundle has objects of; one that the server does not know makes kubectl fail."""
    mesh = situation.mesh
    kinds = tuple(dict.fromkeys((*mesh.kinds, *(each.short.partition("/")[0] for each in mesh.objects)))) or _FALLBACK
    return Deed(
        do=(
            PRIVATE,
            kubectl(
                "get", ",".join(kinds), "-A", "-o", "yaml", pipes=(WITHOUT_VERSIONS,), into=ALL_OBJECTS, saves=("*",)
            ),
            kubectl(
                "get", "deploy,ds,svc,cm", "-o", "yaml", namespace=mesh.system, pipes=(WITHOUT_VERSIONS,),
                into="control-plane.yaml",
            ),
            kubectl(
                "get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "yaml",
                pipes=(WITHOUT_VERSIONS,), into="webhooks.yaml", saves=("MutatingWebhookConfiguration:*",
                                                                         "ValidatingWebhookConfiguration:*"),
            ),
        ),
        verify=(
            Command(words=("grep", "-c", "^ *kind: ", ALL_OBJECTS), about="how many objects; none is a failure"),
            kubectl("apply", "--dry-run=client", "-f", ALL_OBJECTS, about="the file can be put back"),
        ),
        undo=("Not needed.",),
    )  # fmt: skip


@step(
    "confirm-sync",
    stage=Stage.CONFIRM,
    plane="control",
    title="See that it is still so",
    when="Before the first change; the capture may be old.",
    risk="Reads only.",
    after=("keep-evidence", "capture-missing"),
)
def confirm_sync(_: Situation) -> Deed:
    """Nothing is changed by looking."""
    return Deed(
        do=(
            Command(words=("istioctl", "proxy-status")),
            Command(words=("istioctl", "analyze", "-A")),
        ),
        verify=("The picture is that of the verdict; else capture again and start over.",),
        undo=("Not needed.",),
    )
