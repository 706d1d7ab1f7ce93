"""Connections are refused, time out or have no way, without a TLS reason."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident(
    "upstream-connect-failure",
    about="Connections are refused, time out or have no way, without a TLS reason.",
    precedence=15,
)
def upstream_connect_failure(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("connect-failure",),
        what="the connection to the endpoint fails without a TLS reason",
        next_step="Look whether the named endpoints still exist and listen, and what the network allows.",
    )
