"""An authorization policy denies callers that the mesh otherwise serves."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident(
    "rbac-denied", about="An authorization policy denies callers that the mesh otherwise serves.", precedence=15
)
def rbac_denied(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("rbac-denied",),
        what="an authorization policy denies them",
        next_step="Correct the rule or the principal; do not delete all policies.",
    )
