"""One side speaks TLS and the other plaintext."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_calls
from meshforensics.incidents._modes import plaintext_to_strict
from meshforensics.incidents._peers import (
    CUT,
    as_calls,
    objects_about,
    refused_calls,
    refused_connections,
    servers_of,
)
from meshforensics.tables import places, text, where

FAMILIES = ("tls-to-plaintext", "plaintext-to-tls", "tls-no-client-certificate")


@incident("mtls-mode-conflict", about="One side speaks TLS and the other plaintext.", precedence=16)
def mtls_mode_conflict(case: Case) -> Judgement:
    """Judged by what callers' and servers' proxies logged; certificate faults fail later, with a verify error.

    A server that takes mTLS only closes plaintext without a word: its caller sees a reset, and it itself logs
    that no filter chain fits. Where the caller has no proxy, the server's log is all there is.
    """
    failed = _failed(case)
    if failed.empty:
        failed = as_calls(case, refused_connections(case))
    servers = servers_of(case, failed)
    objects = objects_about(case, text(failed["host"]), servers)
    return by_calls(
        case,
        failed,
        what="the two sides do not agree on mTLS",
        next_step="Compare the server's PeerAuthentication with the client's DestinationRule; look for a pod without "
        "sidecar.",
        also=(*servers, *objects),
        why=f"TLS is set there by {', '.join(objects)}." if objects else "",
    )


def _failed(case: Case) -> pd.DataFrame:
    """Calls that say so themselves, and cut ones that the server's log or both configurations explain."""
    cut = failed_by(case, CUT)
    known = {*places(refused_calls(case, cut)), *places(plaintext_to_strict(case, cut))}
    explained = where(cut, (place in known for place in places(cut)))
    rows = pd.concat([failed_by(case, FAMILIES), explained]) if len(explained) else failed_by(case, FAMILIES)
    return rows.sort_values(["at", "namespace", "pod", "pointer"])
