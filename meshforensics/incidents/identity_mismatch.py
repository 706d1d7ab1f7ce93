"""The chain verifies, but the name in the leaf is not among those accepted."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_calls
from meshforensics.incidents._names import Refused, by_the_peer, in_words, refusals
from meshforensics.incidents._peers import objects_about, servers_of
from meshforensics.tables import text, where


@incident(
    "identity-mismatch",
    about="The chain verifies, but the name in the leaf is not among those accepted.",
    precedence=15,
)
def identity_mismatch(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged.

    A caller that refuses the server's name says so. A server that refuses the caller's sends an alert that
    does not say why; it counts where its configuration does not accept the name that the caller shows.
    """
    failed = _failed(case)
    names = list(dict.fromkeys(each for each in refusals(case, failed) if each is not None))
    servers = servers_of(case, failed)
    return by_calls(
        case,
        failed,
        what="the peer's identity is not accepted",
        next_step="Compare trust domain, service account and accepted SANs; add the old trust domain as alias.",
        also=(*servers, *objects_about(case, text(failed["host"]), ()), *_named(names)),
        why="; ".join(in_words(each) for each in names[:3]) + ("." if names else ""),
    )


def _failed(case: Case) -> pd.DataFrame:
    said = failed_by(case, ("tls-identity",))
    alerts = failed_by(case, ("tls-verify",))
    alerts = where(alerts, by_the_peer(alerts))
    refused = where(alerts, (each is not None for each in refusals(case, alerts)))
    rows = pd.concat([said, refused]) if len(refused) else said
    return rows.sort_values(["at", "namespace", "pod", "pointer"])


def _named(names: list[Refused]) -> tuple[str, ...]:
    return tuple(sorted({name for each in names for name in each.names}))
