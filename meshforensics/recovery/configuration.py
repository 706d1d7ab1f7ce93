"""State: what the verdict names is put back as it was, or corrected, with everything checked before."""

from meshforensics.recovery._command import Command, kubectl
from meshforensics.recovery._declare import Deed, Situation, Stage, step
from meshforensics.recovery._named import Named
from meshforensics.recovery.access import backup
from meshforensics.recovery.freeze import PRIVATE

_RANK = ("DestinationRule", "ServiceEntry", "Gateway", "VirtualService")
"""What is named comes before what names it."""


@step(
    "restore-objects",
    stage=Stage.STATE,
    plane="state",
    title="Put the object back as it last worked",
    when="The good version is in Git or in a file; take the whole object, not a patch.",
    risk="apply merges: where a field must go, use kubectl replace.",
    after=("save-objects", "confirm-sync", "pause-rollouts"),
)
def restore_objects(situation: Situation) -> Deed | None:
    """Destinations before the routes that name them; a deletion goes the other way round.

    Not where a verdict names identities and no object: what is wrong is then in certificates.
    """
    if situation.mesh.identities and not situation.mesh.objects:
        return None
    objects = sorted(situation.mesh.objects, key=_rank) or [Named(kind="KIND", namespace="NAMESPACE", name="OBJECT")]
    history = tuple(
        kubectl(
            "get", each.short, "-o", "yaml", "--show-managed-fields", namespace=each.namespace,
            about="who changed which field, when",
        )
        for each in objects
    )  # fmt: skip
    return Deed(
        do=(
            PRIVATE,
            *history,
            *(backup(each) for each in objects),
            Command(words=("istioctl", "analyze", "--use-kube=false", "FILE"), about="the file by itself"),
            kubectl("apply", "--dry-run=server", "-f", "FILE", about="schema and webhooks, changes nothing"),
            kubectl("diff", "-f", "FILE", about="what would change"),
            kubectl("apply", "-f", "FILE", changes=tuple(each.subject for each in objects)),
            "What is new and never worked is taken out instead: kubectl delete -f with its backup.",
        ),
        verify=(
            Command(words=("istioctl", "analyze", "-A")),
            "One proxy first: it has what the object says; then the calls that failed succeed.",
        ),
        undo=tuple(kubectl("apply", "-f", f"{each.namespace}-{each.name}.yaml") for each in objects),
    )


def _rank(named: Named) -> tuple[int, Named]:
    return (_RANK.index(named.kind) if named.kind in _RANK else len(_RANK), named)


@step(
    "bound-requests",
    stage=Stage.STATE,
    plane="state",
    title="Bound what piles up",
    when="Requests are opened and not finished: the callers' route has no timeout, or retries multiply calls.",
    risk="Slow calls end with 504 that would have ended well.",
    after=("save-objects", "confirm-sync"),
)
def bound_requests(_: Situation) -> Deed:
    """By the route: timeout, and no more tries than fit into it."""
    return Deed(
        do=(
            (
                "In the VirtualService of the slow service set http[].timeout, and retries so that "
                "(attempts + 1) × perTryTimeout is not above it; attempts: 0 sheds a storm of retries."
            ),
            kubectl("apply", "--dry-run=server", "-f", "FILE"),
            kubectl("diff", "-f", "FILE"),
            kubectl("apply", "-f", "FILE", changes=("VirtualService:*",)),
        ),
        verify=("Active requests and live memory stop rising; retries per request fall.",),
        undo=(kubectl("apply", "-f", "mesh-objects.yaml", about="puts every saved object back"),),
    )
