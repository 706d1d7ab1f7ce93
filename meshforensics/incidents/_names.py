"""Names in certificates: who shows which, and whether the other side accepts it."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._peers import accepts, ip_of, pods_by_address
from meshforensics.tables import keys, text, texts

Proxy = tuple[str, ...]
_LIVE = ("active", "static")
_PEER = "CERTIFICATE_UNKNOWN"


class Refused(NamedTuple):
    """A name that a peer does not accept: who shows it, who judges, and what would be accepted."""

    shows: Proxy
    names: tuple[str, ...]
    judges: Proxy
    accepted: tuple[str, ...]


class _Known(NamedTuple):
    """What the configuration of all proxies says of names, read once for a case."""

    pods: dict[str, Proxy]
    names: dict[Proxy, tuple[str, ...]]
    clusters: dict[tuple[Proxy, str], tuple[str, ...]]
    servers: dict[Proxy, tuple[str, ...]]


def refusals(case: Case, failed: pd.DataFrame) -> list[Refused | None]:
    """Of each failed call, the name that was refused, as both configurations show it; None where they do not."""
    known = _known(case)
    return [
        _refused(known, caller, cluster, address, said)
        for caller, cluster, address, said in zip(
            keys(failed, "namespace", "pod"),
            texts(failed["cluster"]),
            texts(failed["upstream_host"]),
            texts(failed["failure_reason"]),
            strict=True,
        )
    ]


def in_words(each: Refused) -> str:
    """Who shows which name to whom, and what is accepted there."""
    return (
        f"{'/'.join(each.shows)} shows {', '.join(each.names)}, and {'/'.join(each.judges)} accepts "
        f"{', '.join(each.accepted[:3])}"
    )


def by_the_peer(failed: pd.DataFrame) -> "pd.Series[bool]":
    """Whether the server refused the caller's certificate, and not the caller the server's."""
    return text(failed["failure_reason"]).str.contains(_PEER, regex=False)


def _refused(known: _Known, caller: Proxy, cluster: str, address: str, said: str) -> Refused | None:
    server = known.pods.get(ip_of(address), ())
    if _PEER in said:
        shows, judges, accepted = caller, server, known.servers.get(server)
    else:
        shows, judges, accepted = server, caller, known.clusters.get((caller, cluster))
    names = known.names.get(shows)
    if not accepted or not names or accepts(accepted, names):
        return None
    return Refused(shows, names, judges, accepted)


def _known(case: Case) -> _Known:
    pods = pods_by_address(case)
    return _Known(pods, dict(_shown_names(case)), dict(_of_clusters(case)), dict(_of_servers(case)))


def _shown_names(case: Case) -> Iterator[tuple[Proxy, tuple[str, ...]]]:
    certificates = case.source.frame("certificates")
    leaves = certificates[certificates["role"] == "leaf"]
    for proxy, names in zip(keys(leaves, "namespace", "pod"), leaves["san"], strict=True):
        own = tuple(str(name) for name in names or () if str(name).startswith("spiffe://"))
        if own:
            yield proxy, own


def _of_clusters(case: Case) -> Iterator[tuple[tuple[Proxy, str], tuple[str, ...]]]:
    clusters, held = case.source.frame("clusters"), case.source.frame("cluster_instances")
    rows = zip(texts(clusters["resource"]), texts(clusters["name"]), clusters["sans"], strict=True)
    known = {resource: (name, _as_tuple(sans)) for resource, name, sans in rows}
    for proxy, resource in _live(held):
        if resource in known:
            name, sans = known[resource]
            yield (proxy, name), sans


def _of_servers(case: Case) -> Iterator[tuple[Proxy, tuple[str, ...]]]:
    """What a server's mTLS chains accept, where all of them accept the same."""
    chains = case.source.frame("filter_chains")
    mutual = chains[chains["tls_mode"] == "mutual"]
    sans: dict[str, set[tuple[str, ...]]] = {}
    for resource, accepted in zip(texts(mutual["resource"]), mutual["sans"], strict=True):
        sans.setdefault(resource, set()).add(_as_tuple(accepted))
    made: dict[Proxy, set[tuple[str, ...]]] = {}
    for proxy, resource in _live(case.source.frame("listener_instances")):
        made.setdefault(proxy, set()).update(sans.get(resource, ()))
    for proxy, several in made.items():
        if len(several) == 1:
            yield proxy, next(iter(several))


def _as_tuple(names: object) -> tuple[str, ...]:
    return tuple(str(name) for name in names) if isinstance(names, tuple) else ()


def _live(held: pd.DataFrame) -> Iterator[tuple[Proxy, str]]:
    live = held[held["state"].isin(_LIVE)]
    yield from zip(keys(live, "namespace", "pod"), texts(live["resource"]), strict=True)
