"""Connections are refused, time out or have no way, without a TLS reason."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import failed_by, of_unconfigured, shown, unconfigured
from meshforensics.incidents._families import by_family
from meshforensics.tables import text

FAMILIES = ("connect-failure",)
_TRIED = 5


@incident(
    "upstream-connect-failure",
    about="Connections are refused, time out or have no way, without a TLS reason.",
    precedence=15,
)
def upstream_connect_failure(case: Case) -> Judgement:
    """Where the endpoint is gone, the stale configuration is the cause and this its consequence."""
    tried = tuple(sorted(set(text(failed_by(case, FAMILIES)["upstream_host"])) - {"", "-"}))[:_TRIED]
    return by_family(
        case,
        FAMILIES,
        what="the connection to the endpoint fails without a TLS reason",
        next_step="Look whether the named endpoints still exist and listen, and what the network allows.",
        extra=(_gone(case), _unconfigured(case)),
        at_server=True,
        also=tried,
        beside=f"Tried: {', '.join(tried)}." if tried else "",
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


def _unconfigured(case: Case) -> Test:
    failed = failed_by(case, FAMILIES)
    there = of_unconfigured(case, failed)
    lacking = {f"{namespace}/{pod}" for namespace, pod in unconfigured(case).values()}
    return Test(
        name="server-has-no-listeners",
        role="refutes",
        passed=len(there) * 2 > len(failed) if case.source.reason("xds_sync") == "" else None,
        text=f"the sidecar that was called was never sent listeners or refuses them: {', '.join(sorted(lacking)[:3])}"
        if len(there)
        else "the sidecars that were called have listeners",
        check="sync.never-sent",
        evidence=shown(case, there),
    )
