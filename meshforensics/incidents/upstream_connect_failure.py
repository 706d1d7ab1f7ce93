"""Connections are refused, time out or have no way, without a TLS reason."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_family
from meshforensics.tables import text

FAMILIES = ("connect-failure",)


@incident(
    "upstream-connect-failure",
    about="Connections are refused, time out or have no way, without a TLS reason.",
    precedence=15,
)
def upstream_connect_failure(case: Case) -> Judgement:
    """Where the endpoint is gone, the stale configuration is the cause and this its consequence."""
    return by_family(
        case,
        FAMILIES,
        what="the connection to the endpoint fails without a TLS reason",
        next_step="Look whether the named endpoints still exist and listen, and what the network allows.",
        extra=(_gone(case),),
    )


def _gone(case: Case) -> Test:
    tried = set(text(failed_by(case, FAMILIES)["upstream_host"])) - {"", "-"}
    found = [each for each in case.found("sync.endpoint-gone") if each.observed and each.observed.value in tried]
    judged = "sync.endpoint-gone" not in case.not_evaluated
    return Test(
        name="endpoint-gone",
        role="refutes",
        passed=bool(found) if judged else None,
        text="; ".join(each.detail for each in found[:2]) or "the endpoints that were tried are pods",
        check="sync.endpoint-gone",
        evidence=tuple(place for each in found for place in each.evidence[:1]),
    )
