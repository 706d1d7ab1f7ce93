"""Calls end by a route's timeout (UT)."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("upstream-timeout", about="Calls end by a route's timeout (UT).", precedence=15)
def upstream_timeout(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("upstream-timeout",),
        what="the route's timeout ends them",
        next_step="Look at the slow workload first, then at timeout and retries.",
    )
