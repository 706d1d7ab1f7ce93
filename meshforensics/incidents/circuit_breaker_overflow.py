"""Calls are refused by a connection pool limit (UO)."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("circuit-breaker-overflow", about="Calls are refused by a connection pool limit (UO).", precedence=15)
def circuit_breaker_overflow(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("overflow",),
        what="a connection pool limit refuses them",
        next_step="Find the load that fills the pool before raising the limit; do not reset counters.",
    )
