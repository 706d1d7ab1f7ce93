"""A cluster in use has no healthy host and calls get UH."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("no-healthy-upstream", about="A cluster in use has no healthy host and calls get UH.", precedence=15)
def no_healthy_upstream(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("no-healthy-upstream",),
        what="a cluster has no usable endpoint",
        next_step="Look why its hosts are out: readiness, labels, ejection; not the circuit breaker.",
    )
