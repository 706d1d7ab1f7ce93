"""A rotation of roots: who held which root when, who is signed by it, and which pairs that lets verify."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pandas as pd

from meshforensics.formats.x509 import Verdict, verify_chain
from meshforensics.incidents._declare import Case, once
from meshforensics.tables import keys, text, texts

MOMENTS = 6
"""Instants that trust is told of; the first and the last ones where there are more."""

_BURST = pd.Timedelta("2s")
_SDS = "sds:"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one proxy held from `since` until `until`: its roots (by key and serial), its leaf, and their place.

    `since` is when the proxy took the later of the two, as its dump says; `until` is when that was captured.
    """

    proxy: str
    keys: tuple[str, ...]
    serials: tuple[str, ...]
    roots: tuple[str, ...]
    leaf: str
    leaf_serial: str
    between: tuple[str, ...]
    since: pd.Timestamp
    until: pd.Timestamp
    item: str
    pointer: str


@once
def holdings(case: Case) -> tuple[Holding, ...]:
    """Every trust set and leaf of every dump, by proxy and time."""
    certificates = case.source.over_time("certificates")
    known = certificates[certificates["pem"].notna() & text(certificates["place"]).str.startswith(_SDS)]
    known = known[known["captured_at"].notna()]
    keyed, taken = _root_keys(case), _taken(case)
    made = []
    for key, own in known.groupby([text(known[name]) for name in ("namespace", "pod", "item")]) if len(known) else ():
        namespace, pod, item = (str(part) for part in key)
        made.append(_holding(f"{namespace}/{pod}", item, own, keyed, taken))
    return tuple(sorted(made, key=lambda each: (each.proxy, each.until)))


def _holding(
    proxy: str, item: str, own: pd.DataFrame, keyed: dict[str, str], taken: dict[str, pd.Timestamp]
) -> Holding:
    place, role = text(own["place"]), text(own["role"])
    roots = own[place == f"{_SDS}ROOTCA"].drop_duplicates("pem")
    leaf = own[(place == f"{_SDS}default") & (role == "leaf")].head(1)
    between = own[(place == f"{_SDS}default") & role.isin(["intermediate", "root-in-chain"])]
    until = own["captured_at"].max()
    shown = roots if len(roots) else own
    return Holding(
        proxy=proxy,
        keys=tuple(sorted({keyed.get(print_, print_) for print_ in texts(roots["fingerprint"])})),
        serials=tuple(sorted(set(texts(roots["serial"])))),
        roots=tuple(texts(roots["pem"])),
        leaf=str(leaf["pem"].iloc[0]) if len(leaf) else "",
        leaf_serial=str(leaf["serial"].iloc[0]) if len(leaf) else "",
        between=tuple(texts(between["pem"])),
        since=min(taken.get(item, until), until),
        until=until,
        item=item,
        pointer=str(shown["pointer"].iloc[0]),
    )


def _root_keys(case: Case) -> dict[str, str]:
    """The key of each root by its fingerprint: the same key certified again is the same root."""
    trust = case.source.over_time("trust")
    return dict(zip(texts(trust["fingerprint"]), texts(trust["root"]), strict=True))


def _taken(case: Case) -> dict[str, pd.Timestamp]:
    """By dump, when its proxy took the later of its trust set and its leaf."""
    secrets = case.source.over_time("secret_instances")
    own = secrets[secrets["name"].isin(["ROOTCA", "default"]) & secrets["last_updated"].notna()]
    return {str(item): at for item, at in own.groupby(text(own["item"]))["last_updated"].max().items()}


def at_instant(case: Case, at: pd.Timestamp) -> dict[str, Holding]:
    """What each proxy held at an instant, where a dump tells it; its last dump is taken to hold on."""
    last = {each.proxy: each.until for each in holdings(case)}
    found: dict[str, Holding] = {}
    for each in holdings(case):
        if each.since <= at and (at <= each.until or each.until == last[each.proxy]):
            found.setdefault(each.proxy, each)
    return found


def at_last(case: Case) -> dict[str, Holding]:
    """What each proxy held at its last dump."""
    return {each.proxy: each for each in holdings(case)}


def moments(case: Case) -> list[pd.Timestamp]:
    """The instants at which what is known of trust changes: before the first change, after each, and the last."""
    known = holdings(case)
    if not known:
        return []
    changed = sorted({at for each in known for at in (each.since, each.until)})
    last = max(each.until for each in known)
    found: list[pd.Timestamp] = []
    seen: list[tuple[Any, ...]] = []
    for at in [*_ends_of_bursts(changed), last]:
        state = tuple(sorted((proxy, each.keys, each.leaf_serial) for proxy, each in at_instant(case, at).items()))
        if state and (not seen or seen[-1] != state):
            found.append(at)
            seen.append(state)
    kept = found if len(found) <= MOMENTS else [*found[: MOMENTS // 2], *found[-MOMENTS // 2 :]]
    return kept if kept[-1] == last else [*kept, last]


def _ends_of_bursts(instants: list[pd.Timestamp]) -> Iterator[pd.Timestamp]:
    """The last instant of each run without a pause, and the one just before each run: before and after a change."""
    for position, at in enumerate(instants):
        if position and at - instants[position - 1] > _BURST:
            yield at - pd.Timedelta("1us")
        if position + 1 == len(instants) or instants[position + 1] - at > _BURST:
            yield at


@cache
def verdict(leaf: str, between: tuple[str, ...], anchors: tuple[str, ...], at: datetime) -> Verdict:
    """Whether a leaf verifies under some roots at an instant; cached, for a mesh has few sets of roots."""
    return verify_chain(leaf, between, anchors, at)


def pair_verdicts(caller: Holding | None, server: Holding | None, at: pd.Timestamp) -> list[Verdict | None]:
    """What the caller says of the server's leaf, and the server of the caller's; None where that is not known."""
    made: list[Verdict | None] = []
    for judges, shows in ((caller, server), (server, caller)):
        known = judges is not None and shows is not None and judges.roots and shows.leaf
        instant = at.to_pydatetime()
        made.append(verdict(shows.leaf, shows.between, judges.roots, instant) if known and judges and shows else None)
    return made


def pair_works(caller: Holding | None, server: Holding | None, at: pd.Timestamp) -> bool | None:
    """Whether a new connection can be made: both sides verify the other; None where that is not known."""
    both = [None if each is None else each.verified for each in pair_verdicts(caller, server, at)]
    return False if False in both else (None if None in both else True)


def calling_pairs(case: Case) -> list[tuple[str, str]]:
    """Who calls whom, as the callers' endpoints tell."""
    pairs = case.source.frame("tls_pairs")
    rows = keys(pairs, "namespace", "pod", "server_namespace", "server_pod")
    return sorted({(f"{a}/{b}", f"{c}/{d}") for a, b, c, d in rows})


def trust_over_time(case: Case) -> pd.DataFrame:
    """At each moment, each set of roots with the proxies that hold just these, and how many pairs verify.

    Columns: at, serials (a tuple; empty for proxies of which it is not known), proxies (a tuple), fails, works,
    unknown (pairs that may call each other).
    """
    every = sorted({each.proxy for each in holdings(case)})
    rows = []
    for at in moments(case):
        state = at_instant(case, at)
        judged = [pair_works(state.get(caller), state.get(server), at) for caller, server in calling_pairs(case)]
        counts = {"fails": judged.count(False), "works": judged.count(True), "unknown": judged.count(None)}
        groups: dict[tuple[str, ...], list[str]] = {}
        names: dict[tuple[str, ...], tuple[str, ...]] = {}
        for proxy in every:
            held = state.get(proxy)
            group = held.keys if held is not None else ()
            names.setdefault(group, held.serials if held is not None else ())
            groups.setdefault(group, []).append(proxy)
        for group, proxies in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
            shown = state.get(proxies[0])
            places = (shown.item, shown.pointer) if shown is not None else ("", "")
            rows.append((at, names[group], tuple(proxies), *counts.values(), *places))
    return pd.DataFrame(rows, columns=["at", "serials", "proxies", "fails", "works", "unknown", "item", "pointer"])


def roots(case: Case) -> pd.DataFrame:
    """Each root by key: from when to when it is valid, who trusts it now, and whose leaf chains to it.

    Columns: key, serial, not_before, not_after, holders, signed (tuples of proxies), newest.
    """
    trust = case.source.over_time("trust")
    state = at_last(case)
    rows = []
    for key, own in trust.groupby(text(trust["root"])) if len(trust) else ():
        first = own.sort_values("not_before", kind="stable").iloc[-1]
        pem = _pem_of(case, str(key))
        signed = [proxy for proxy, held in state.items() if pem and _chains(held, pem)]
        rows.append(
            {
                "key": str(key),
                "serial": str(first["serial"]),
                "not_before": first["not_before"],
                "not_after": first["not_after"],
                "holders": tuple(sorted(p for p, held in state.items() if key in held.keys)),
                "signed": tuple(sorted(signed)),
                "item": str(first["item"]),
                "pointer": str(first["pointer"]),
            }
        )
    names = ["key", "serial", "not_before", "not_after", "holders", "signed", "item", "pointer"]
    made = pd.DataFrame(rows, columns=names).sort_values(["not_before", "serial"], kind="stable", ignore_index=True)
    return made.assign(newest=made["not_before"] == made["not_before"].max())


def _chains(held: Holding, root: str) -> bool:
    return bool(held.leaf) and verify_chain(held.leaf, held.between, (root,)).verified


def _pem_of(case: Case, key: str) -> str:
    """The certificate of a root, as some proxy holds it; empty where none holds it whole."""
    certificates, keyed = case.source.over_time("certificates"), _root_keys(case)
    own = certificates[certificates["pem"].notna()]
    found = own[[keyed.get(print_) == key for print_ in texts(own["fingerprint"])]]
    return str(found["pem"].iloc[0]) if len(found) else ""
