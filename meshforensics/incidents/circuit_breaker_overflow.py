"""Calls are refused by a connection pool limit (UO)."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_family
from meshforensics.tables import texts

FAMILIES = ("overflow",)
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_NONE = 2**32 - 1


@incident("circuit-breaker-overflow", about="Calls are refused by a connection pool limit (UO).", precedence=15)
def circuit_breaker_overflow(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged or counted; limit and object are told by the cluster."""
    objects, limits = _limits(case)
    return by_family(
        case,
        FAMILIES,
        what="a connection pool limit refuses them",
        next_step="Find the load that fills the pool before raising the limit; do not reset counters.",
        also=objects,
        beside=f"Limits{' of ' + ', '.join(objects) if objects else ''}: {'; '.join(limits)}." if limits else "",
    )


def _limits(case: Case) -> tuple[tuple[str, ...], list[str]]:
    """The objects that set limits on the clusters of refused calls, and those limits in words."""
    names = set(texts(failed_by(case, FAMILIES)["cluster"])) - {""}
    clusters = case.source.frame("clusters")
    own = clusters[clusters["name"].isin(sorted(names))]
    said = {
        f"{limit} {int(value)} of {name}"
        for limit in _LIMITS
        for name, value in zip(texts(own["name"]), own[limit].fillna(_NONE), strict=True)
        if value < _NONE
    }
    return tuple(sorted(set(texts(own["object"])) - {""})), sorted(said)[:4]
