"""TLS pairs: who may call whom, by clusters, and whether each side can verify the other's leaf."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from meshforensics.formats import x509
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, numbered, text, texts

Proxy = tuple[str, ...]


class Identity(NamedTuple):
    """The chain that a proxy shows, its roots, and the place of its leaf."""

    leaf: str
    serial: str
    intermediates: tuple[str, ...]
    roots: tuple[str, ...]
    item: str
    pointer: str


def _pairs(
    endpoints: pd.DataFrame, certificates: pd.DataFrame, proxies: pd.DataFrame = ABSENT, pods: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    identities = identities_of(certificates)
    servers = {**_by_address(pods), **_by_address(proxies)}
    rows = [
        _judge(client, server, identities.get(client), identities.get(server), captured_at, used)
        for client, server, captured_at, used in _edges(endpoints, servers)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _by_address(frame: pd.DataFrame) -> dict[str, Proxy]:
    pairs = zip(texts(frame["ip"]), keys(frame, "namespace", "pod"), strict=True)
    return {ip: proxy for ip, proxy in pairs if ip}


def _edges(endpoints: pd.DataFrame, servers: dict[str, Proxy]) -> Iterator[tuple[Proxy, Proxy, object, bool | None]]:
    """Each caller with each proxy that one of its outbound clusters leads to, once, in order; and whether it called."""
    outbound = endpoints[text(endpoints["cluster"]).str.startswith("outbound")]
    numbers, addresses = numbered(outbound, "address")
    leads = [servers.get(address.rsplit(":", 1)[0].strip("[]")) for (address,) in addresses]
    known = np.array([server is not None for server in leads], dtype=bool)[numbers]
    told, outbound = numbers[known], outbound[known]
    seen: dict[tuple[Proxy, Proxy], object] = {}
    tried: set[tuple[Proxy, Proxy]] = set()
    uncounted: set[tuple[Proxy, Proxy]] = set()
    connections = outbound["cx_total"].astype("Int64").fillna(-1).tolist()
    for client, number, captured_at, count in zip(
        keys(outbound, "namespace", "pod"), told.tolist(), outbound["captured_at"], connections, strict=True
    ):
        server = leads[number]
        if server is not None and server != client:
            seen.setdefault((client, server), captured_at)
            if count:
                (tried if count > 0 else uncounted).add((client, server))
    for pair in sorted(seen):
        yield *pair, seen[pair], pair in tried or (None if pair in uncounted else False)


class _Held(NamedTuple):
    """A certificate that a proxy holds."""

    place: str
    role: str
    pem: str
    serial: str
    item: str
    pointer: str


def identities_of(certificates: pd.DataFrame) -> dict[Proxy, Identity]:
    """What each proxy shows and trusts, of those whose secrets were captured in full."""
    known = certificates[certificates["pem"].notna() & (text(certificates["place"]).str.startswith("sds:"))]
    held: dict[Proxy, list[_Held]] = {}
    for namespace, pod, *each in keys(known, "namespace", "pod", *_Held._fields):
        held.setdefault((namespace, pod), []).append(_Held(*each))
    return {proxy: _identity(held[proxy]) for proxy in sorted(held)}


def _identity(held: list[_Held]) -> Identity:
    own = [each for each in held if each.place == "sds:default"]
    leaf = next((each for each in own if each.role == "leaf"), _Held("", "", "", "", "", ""))
    return Identity(
        leaf=leaf.pem,
        serial=leaf.serial,
        intermediates=tuple(each.pem for each in own if each.role in {"intermediate", "root-in-chain"}),
        roots=tuple(sorted({each.pem for each in held if each.place == "sds:ROOTCA"})),
        item=leaf.item,
        pointer=leaf.pointer,
    )


def _judge(
    client: Proxy,
    server: Proxy,
    caller: Identity | None,
    called: Identity | None,
    captured_at: object,
    used: bool | None,
) -> tuple[object, ...]:
    forward = _verify(called, caller)
    back = _verify(caller, called)
    known = [each.verified for each in (forward, back) if each is not None]
    verified = None if not known else (False if not all(known) else (True if len(known) == 2 else None))
    reasons = [each.reason for each in (forward, back) if each is not None and each.reason]
    callers = back is not None and not back.verified and (forward is None or forward.verified)
    shown = caller if callers else called or caller  # the leaf that does not verify
    return (
        *client,
        captured_at,
        *server,
        verified,
        None if forward is None else forward.verified,
        None if back is None else back.verified,
        called.serial if called else None,
        _root_serials(called),
        _root_serials(caller),
        reasons[0] if reasons else None,
        used,
        shown.item if shown else "",
        shown.pointer if shown else "",
    )


def _verify(shows: Identity | None, judges: Identity | None) -> x509.Verdict | None:
    """What `judges` says of the leaf that `shows` has; None where either side was not captured."""
    if shows is None or judges is None or not shows.leaf or not judges.roots:
        return None
    return _verify_chain(shows.leaf, shows.intermediates, judges.roots)


class Judged(NamedTuple):
    """Whether a group with these roots (their serials) verifies a chain, and why not."""

    verified: bool
    reason: str
    roots: str


def verified_by(shows: Identity, roots: tuple[str, ...]) -> Judged:
    """What anyone with these roots says of the leaf that `shows` has."""
    said = _verify_chain(shows.leaf, shows.intermediates, roots)
    return Judged(said.verified, said.reason, _serials_of(roots))


@cache
def _verify_chain(leaf: str, intermediates: tuple[str, ...], roots: tuple[str, ...]) -> x509.Verdict:
    return x509.verify_chain(leaf, intermediates, roots)


@cache
def _serials_of(roots: tuple[str, ...]) -> str:
    return ", ".join(sorted({each.serial for root in roots for each in x509.certificates_of(root)[0]}))


def _root_serials(of: Identity | None) -> str | None:
    return _serials_of(of.roots) if of is not None else None


tls_pairs = Table(
    id="tls_pairs",
    about="Each caller with each proxy it may call: whether the leaves verify under the other's roots, by key.",
    of="pod",
    columns=(
        Column("server_namespace", "category", about="Namespace of the server.", source="endpoints, pods"),
        Column("server_pod", "category", about="Pod of the server.", source="endpoints, pods"),
        Column(
            "verified", "boolean", about="Both sides verify; missing where one was not captured.", source="computed"
        ),
        Column("client_verifies", "boolean", about="The caller verifies the server's leaf.", source="computed"),
        Column("server_verifies", "boolean", about="The server verifies the caller's leaf.", source="computed"),
        Column("server_serial", "str", about="Serial of the server's leaf.", source="certificates"),
        Column("server_root", "str", about="Serials of the roots that the server trusts.", source="certificates"),
        Column("client_root", "str", about="Serials of the roots that the caller trusts.", source="certificates"),
        Column("reason", "str", about="Why a leaf does not verify.", source="computed"),
        Column(
            "used",
            "boolean",
            about="The caller tried to connect to the server so far; missing where that was not counted.",
            source="endpoints cx_total",
        ),
    ),
    derives=_pairs,
)

_COLUMNS = [column.name for column in tls_pairs.all_columns]
