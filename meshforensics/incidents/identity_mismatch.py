"""The chain verifies, but the name in the leaf is not among those accepted."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident(
    "identity-mismatch",
    about="The chain verifies, but the name in the leaf is not among those accepted.",
    precedence=15,
)
def identity_mismatch(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("tls-identity",),
        what="the peer's identity is not accepted",
        next_step="Compare trust domain, service account and accepted SANs; add the old trust domain as alias.",
    )
