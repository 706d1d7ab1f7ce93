"""One side speaks TLS and the other plaintext."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("mtls-mode-conflict", about="One side speaks TLS and the other plaintext.", precedence=15)
def mtls_mode_conflict(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged; certificate faults fail later, with a verify error."""
    return by_family(
        case,
        ("tls-to-plaintext", "plaintext-to-tls", "tls-no-client-certificate"),
        what="the two sides do not agree on mTLS",
        next_step="Compare the server's PeerAuthentication with the client's DestinationRule; look for a pod without "
        "sidecar.",
    )
