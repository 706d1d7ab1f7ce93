"""What a rotation of roots does: which pairs fail, against what was seen; what mends it; what would have warned."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._evidence import recent_calls
from meshforensics.incidents._peers import ip_of
from meshforensics.incidents.causes.rotation import (
    Holding,
    at_instant,
    at_last,
    calling_pairs,
    holdings,
    pair_verdicts,
    pair_works,
    roots,
    trust_over_time,
)
from meshforensics.incidents.causes.upgrade import proxies_by_address
from meshforensics.model.words import count_of, noun
from meshforensics.tables import keys, text, true, where

GATE = "a gate before signing: every proxy trusts the new root"
"""What is no check of ours: it would stop the signer from being changed."""
_FAILED_TLS = r"ssl[._](?:fail_verify_error|fail_verify_san|fail_verify_no_cert|connection_error)\Z"


def failing_calls(case: Case) -> pd.DataFrame:
    """The calls of the window that failed in TLS, by `recent_calls`."""
    calls = recent_calls(case)
    return calls[true(calls["failed"], missing=False) & text(calls["family"]).str.startswith("tls")]


def pairs_against_seen(case: Case) -> pd.DataFrame:
    """Each pair that calls each other: whether it can verify by key, beside TLS failures in logs and counters.

    Columns: caller, server, works (missing where not known), reason, failed and total (calls of the log to the server's
    address), counted (TLS failures that the caller's clusters to it count since start; missing without stats), agrees.
    """
    state, at = at_last(case), _judged_at(case)
    calls = _by_pair(case, recent_calls(case))
    failing = _by_pair(case, failing_calls(case))
    counters = _counted(case)
    rows = []
    for caller, server in calling_pairs(case):
        verdicts = [each for each in pair_verdicts(state.get(caller), state.get(server), at) if each is not None]
        works = pair_works(state.get(caller), state.get(server), at)
        failed, counted = failing.get((caller, server), 0), counters.get((caller, server))
        total = calls.get((caller, server), 0)
        shown = state.get(server) or state.get(caller)
        rows.append(
            {
                "caller": caller,
                "server": server,
                "works": works,
                "reason": next((each.reason for each in verdicts if each.reason), ""),
                "failed": failed,
                "total": total,
                "counted": counted,
                "agrees": None
                if works is None or (not total and counted is None)
                else works != bool(failed or counted),
                "item": shown.item if shown else "",
                "pointer": shown.pointer if shown else "",
            }
        )
    names = ["caller", "server", "works", "reason", "failed", "total", "counted", "agrees", "item", "pointer"]
    return pd.DataFrame(rows, columns=names)


def _judged_at(case: Case) -> pd.Timestamp:
    """The instant of every verdict; where that is unknown, the last dump."""
    ends = [each.until for each in holdings(case)]
    return pd.Timestamp(case.at) if case.at else max(ends, default=pd.Timestamp("1970-01-01", tz="UTC"))


def _by_pair(case: Case, calls: pd.DataFrame) -> dict[tuple[str, str], int]:
    """How many calls each caller made to each server, by the address that it tried."""
    addresses = proxies_by_address(case)
    found: dict[tuple[str, str], int] = {}
    counts = calls["calls"] if len(calls) else ()
    for (namespace, pod, host), number in zip(keys(calls, "namespace", "pod", "upstream_host"), counts, strict=True):
        server = addresses.get(ip_of(host), "")
        if server:
            key = (f"{namespace}/{pod}", server)
            found[key] = found.get(key, 0) + int(number)
    return found


def _counted(case: Case) -> dict[tuple[str, str], int]:
    """TLS failures that callers count on their clusters, by the servers behind them; several servers share a count."""
    stats = case.source.frame("stats")
    own = stats[text(stats["name"]).str.contains(_FAILED_TLS) & stats["cluster"].notna() & stats["value"].notna()]
    by_cluster: dict[tuple[str, str], int] = {}
    for (namespace, pod, cluster), value in zip(keys(own, "namespace", "pod", "cluster"), own["value"], strict=True):
        key = (f"{namespace}/{pod}", cluster)
        by_cluster[key] = max(by_cluster.get(key, 0), int(value))  # a failed verification is a failed connection too
    addresses = proxies_by_address(case)
    found: dict[tuple[str, str], int] = {}
    endpoints = case.source.frame("endpoints")
    for namespace, pod, cluster, address in keys(endpoints, "namespace", "pod", "cluster", "address"):
        server = addresses.get(ip_of(address), "")
        count = by_cluster.get((f"{namespace}/{pod}", cluster))
        if server and count is not None:
            key = (f"{namespace}/{pod}", server)
            found[key] = max(found.get(key, 0), count)
    return found


def overlap(case: Case) -> pd.DataFrame:
    """Of each newer root: what an overlap would have taken, and which proxies lacked it when its first leaf was there.

    Columns: root (serial), older (serial), first_leaf_at, signed (proxies with a leaf of it), both (that trust both),
    only_older, only_newer, unknown (tuples of proxies, at that instant).
    """
    known = roots(case)
    rows = []
    for position in range(1, len(known)):
        newer, older = known.iloc[position], known.iloc[position - 1]
        taken = [each for each in holdings(case) if each.proxy in newer["signed"] and newer["key"] in each.keys]
        if not taken:
            continue
        first = min(taken, key=lambda each: each.since)
        state = at_instant(case, first.since)
        every = {each.proxy for each in holdings(case)}
        has = {proxy: set(held.keys) for proxy, held in state.items()}
        rows.append(
            {
                "root": newer["serial"],
                "older": older["serial"],
                "first_leaf_at": first.since,
                "signed": newer["signed"],
                "both": tuple(sorted(p for p, own in has.items() if {newer["key"], older["key"]} <= own)),
                "only_older": tuple(sorted(p for p, own in has.items() if newer["key"] not in own)),
                "only_newer": tuple(sorted(p for p, own in has.items() if own == {newer["key"]})),
                "unknown": tuple(sorted(every - set(has))),
                "item": first.item,
                "pointer": first.pointer,
            }
        )
    names = [
        "root",
        "older",
        "first_leaf_at",
        "signed",
        "both",
        "only_older",
        "only_newer",
        "unknown",
        "item",
        "pointer",
    ]
    return pd.DataFrame(rows, columns=names)


def even_split_bound(case: Case) -> tuple[float, float] | None:
    """The share of proxies that moved to the newest root alone, and the share of random pairs that this makes fail."""
    known, told = roots(case), trust_over_time(case)
    if len(known) < 2 or told.empty:
        return None
    newest, state = known[known["newest"]].iloc[-1], at_last(case)
    if not state:
        return None
    share = sum(set(held.keys) == {newest["key"]} for held in state.values()) / len(state)
    return share, 2 * share * (1 - share)


def who_recovers(case: Case) -> pd.DataFrame:
    """Of each proxy, how many of its pairs fail now, if it alone is restarted, and if every proxy gets all roots.

    A restart gives a proxy what the control plane gave last: the roots and the signer of the newest leaf. Columns:
    proxy, pairs, fails, restarted (fails then), bundled (fails then), unknown.
    """
    state = at_last(case)
    newest = max(state.values(), key=lambda each: each.since, default=None)
    pairs, at = calling_pairs(case), _judged_at(case)
    bundled = {name: _with_all_roots(each, state) for name, each in state.items()}
    rows = []
    for proxy, held in sorted(state.items()) if newest is not None else ():
        own = [pair for pair in pairs if proxy in pair]
        fresh = replace(newest, proxy=proxy) if newest is not None else held
        now = _fails(own, state, at)
        rows.append(
            {
                "proxy": proxy,
                "pairs": len(own),
                "fails": now,
                "restarted": _fails(own, {**state, proxy: fresh}, at),
                "bundled": _fails(own, bundled, at),
                "unknown": sum(pair_works(state.get(a), state.get(b), at) is None for a, b in own),
                "item": held.item,
                "pointer": held.pointer,
            }
        )
    names = ["proxy", "pairs", "fails", "restarted", "bundled", "unknown", "item", "pointer"]
    return pd.DataFrame(rows, columns=names)


def _with_all_roots(held: Holding, state: dict[str, Holding]) -> Holding:
    every = dict.fromkeys(root for each in state.values() for root in each.roots)
    return replace(held, roots=tuple(every))


def _fails(pairs: list[tuple[str, str]], state: dict[str, Holding], at: pd.Timestamp) -> int:
    return sum(pair_works(state.get(caller), state.get(server), at) is False for caller, server in pairs)


def safe_order(case: Case) -> pd.DataFrame:
    """The stages of a rotation with overlap, each with its gate, and what the evidence says of that gate.

    Columns: stage, do, gate, now.
    """
    known = roots(case)
    state = at_last(case)
    every = set(known["key"])
    both = sum(every <= set(held.keys) for held in state.values())
    newest = known[known["newest"]].iloc[-1] if len(known) else None
    by_new = len(newest["signed"]) if newest is not None else 0
    by_old, leaves = len(state) - by_new, count_of(len(state), "leaf", "leaves")
    told = [
        f"{count_of(len(known), 'root is', 'roots are')} held in this mesh",
        f"{both} of {count_of(len(state), 'proxy')} {noun(both, 'trusts', 'trust')} all {count_of(len(every), 'root')}",
        f"{by_new} of {leaves} {noun(by_new, 'chains', 'chain')} to the newest root",
        f"{by_old} of {leaves} {noun(by_old, 'does', 'do')} not chain to the newest root",
    ]
    places = [(str(newest["item"]), str(newest["pointer"])) if newest is not None else ("", "")] * len(_STAGES)
    rows = [
        (stage, do, gate, told[which] if which is not None and len(state) else "not captured", *place)
        for (stage, do, gate, which), place in zip(_STAGES, places, strict=True)
    ]
    return pd.DataFrame(rows, columns=["stage", "do", "gate", "now", "item", "pointer"])


_STAGES: tuple[tuple[str, str, str, int | None], ...] = (
    ("1", "Make the new root and its intermediate; keep the old.", "The intermediate verifies under the new root.", 0),
    (
        "2",
        "Give istiod a root bundle of both, old signer unchanged; restart every replica of istiod.",
        "istio-ca-root-cert has both in every namespace.",
        0,
    ),
    (
        "3",
        "Have every proxy take the bundle: wait half a leaf's life (12 h), or restart in waves.",
        "Every proxy, gateway and ztunnel trusts both.",
        1,
    ),
    ("4", "Switch the signer to the new intermediate; the bundle stays.", "New leaves chain to the new root.", 2),
    ("5", "Wait for the longest leaf's life (24 h).", "No leaf chains to the old root.", 3),
    ("6", "Take the old root out of the bundle; restart istiod, then waves.", "One trust set, the new root.", 1),
)
"""istio: a proxy takes its roots with each leaf; knowledge of recovery, root rotation with overlap."""


def warnings(case: Case, onset: pd.Timestamp | None) -> pd.DataFrame:
    """What would have warned, and how long before the first failure.

    Columns: check, warns_at (missing where it would not have), says, days (before the onset; negative is after it).
    """
    rows = [*_near_end(case), *_split(case), *_made(case)]
    frame = pd.DataFrame(rows, columns=["check", "warns_at", "says", "item", "pointer"])
    days = [
        float("nan") if onset is None or pd.isna(at) else (onset - at).total_seconds() / 86400
        for at in frame["warns_at"]
    ]
    return frame.assign(days=days).sort_values(["warns_at", "check"], kind="stable", ignore_index=True)


def _near_end(case: Case) -> Iterator[tuple[Any, ...]]:
    level = case.profile.threshold("certificates.root-days-left").levels["warning"]
    for _, root in roots(case).iterrows():
        at = root["not_after"] - pd.Timedelta(days=level)
        said = f"root {root['serial']} has less than {level:.0f} days left; it ends {root['not_after']:%Y-%m-%d}"
        yield "certificates.root-near-end", at, said, root["item"], root["pointer"]


def _split(case: Case) -> Iterator[tuple[Any, ...]]:
    told = trust_over_time(case)
    known = where(told, map(bool, told["serials"]))
    for at, own in known.groupby("at"):
        if len(own) > 1:
            said = f"{len(own)} sets of roots are trusted at once"
            yield "certificates.trust-split", at, said, own["item"].iloc[-1], own["pointer"].iloc[-1]
            return


def _made(case: Case) -> Iterator[tuple[Any, ...]]:
    known = roots(case)
    for _, root in known[known["newest"]].iterrows() if len(known) > 1 else ():
        said = f"root {root['serial']} is valid from here on, the earliest that it can be given out beside the old one"
        yield GATE, root["not_before"], said, root["item"], root["pointer"]
