"""The chain verifies, but the name in the leaf is not among those accepted."""

import re
from collections.abc import Iterable

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_calls
from meshforensics.incidents._names import Refused, by_the_peer, in_words, refusals
from meshforensics.incidents._peers import destination_rules, servers_of
from meshforensics.tables import text, where

_DOMAIN = re.compile(r"spiffe://([^/]+)")


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
    objects = destination_rules(case, text(failed["host"]), sets="subjectAltNames")
    return by_calls(
        case,
        failed,
        what="the peer's identity is not accepted",
        next_step=_next(objects, names),
        also=(*servers, *objects, *_named(names)),
        why=(f"{', '.join(objects)} says which names are accepted. " if objects else "")
        + "; ".join(in_words(each) for each in names[:3])
        + ("." if names else ""),
    )


def _next(objects: tuple[str, ...], names: list[Refused]) -> str:
    """An object that names identities is put right; a trust domain may have an alias; else it is the account."""
    if objects:
        return f"Put the subjectAltNames of {', '.join(objects)} right: they do not name what the server is."
    shown, accepted = _domains(each.names for each in names), _domains(each.accepted for each in names)
    if shown and accepted and shown.isdisjoint(accepted):
        who = ", ".join(sorted({"/".join(each.shows) for each in names}))
        return (
            f"Find why {who} is of trust domain {', '.join(sorted(shown))}; until it is renewed, add that to "
            "meshConfig.trustDomainAliases."
        )
    return "Compare service account and trust domain with the names that the other side accepts."


def _domains(names: Iterable[tuple[str, ...]]) -> set[str]:
    """The trust domains in names of workloads, and in matchers of such names."""
    return {found.group(1) for several in names for each in several if (found := _DOMAIN.search(each))}


def _failed(case: Case) -> pd.DataFrame:
    said = failed_by(case, ("tls-identity",))
    alerts = failed_by(case, ("tls-verify",))
    alerts = where(alerts, by_the_peer(alerts))
    refused = where(alerts, (each is not None for each in refusals(case, alerts)))
    rows = pd.concat([said, refused]) if len(refused) else said
    return rows.sort_values(["at", "namespace", "pod", "pointer"])


def _named(names: list[Refused]) -> tuple[str, ...]:
    return tuple(sorted({name for each in names for name in each.names}))
