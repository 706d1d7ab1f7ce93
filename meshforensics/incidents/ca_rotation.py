"""A root CA replaced without an overlap: two groups of proxies that cannot verify each other."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    complete,
    edges_in_words,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    shown,
)
from meshforensics.model import format_time
from meshforensics.model.words import count_of
from meshforensics.tables import keys, text, texts, true

FAMILIES = ("tls-unknown-root", "tls-verify")


@incident(
    "ca-rotation",
    about="Proxies hold different roots, and callers do not verify the leaf of those they call.",
    precedence=50,
    notebook="ca_rotation",
)
def ca_rotation(case: Case) -> Judgement:
    """Judged by key: which leaf verifies under whose roots."""
    trust, pairs = case.source.frame("trust"), case.source.frame("tls_pairs")
    broken = pairs[~true(pairs["verified"], missing=True)]
    failed = failed_by(case, FAMILIES)
    groups = _groups(trust)
    moved = _moved(trust)
    impact = impact_of(case, failed)
    return Judgement(
        tests=(_sets(case, trust, groups, pairs), _pairs(case, pairs, broken), _seen(case, failed)),
        subjects=moved or tuple(sorted({f"{ns}/{pod}" for ns, pod in keys(broken, "server_namespace", "server_pod")})),
        onset=first_at(failed),
        mechanism="root replaced without overlap",
        summary=_summary(groups, moved, failed),
        next="Give every proxy both roots, then renew leaves. Do not restart the callers: each would move to the new "
        "root alone.",
        impact=impact,
        explained=how_many(failed),
    )


def _groups(trust: pd.DataFrame) -> dict[tuple[str, ...], list[str]]:
    """Sets of roots (by key, named by serial) to the pods that hold just these."""
    groups: dict[tuple[str, ...], list[str]] = {}
    names: dict[frozenset[str], tuple[str, ...]] = {}
    for holder, rows in trust.groupby(text(trust["namespace"]) + "/" + text(trust["pod"])):
        serials = tuple(sorted(set(texts(rows["serial"]))))
        name = names.setdefault(frozenset(rows["root"]), serials)
        groups.setdefault(name, []).append(str(holder))
    return groups


def _moved(trust: pd.DataFrame) -> tuple[str, ...]:
    """The pods that hold the newest root and no other."""
    if trust["root"].nunique() < 2:
        return ()
    newest = trust.sort_values("not_before")["root"].iloc[-1]
    holders = trust.groupby(text(trust["namespace"]) + "/" + text(trust["pod"]))["root"]
    return tuple(sorted(str(holder) for holder, roots in holders if set(roots) == {newest}))


def _sets(case: Case, trust: pd.DataFrame, groups: dict[tuple[str, ...], list[str]], pairs: pd.DataFrame) -> Test:
    """Two sets of roots; or one, and a leaf that verifies under nobody's: signed anew before the root was given out."""
    several = len(groups) > 1
    foreign = () if several else _signed_by_none(pairs)
    said = "; ".join(
        f"{count_of(len(pods), 'proxy trusts', 'proxies trust')} {', '.join(roots)}"
        for roots, pods in sorted(groups.items())
    )
    return Test(
        name="two-root-sets",
        role="necessary",
        passed=True if several or foreign else (False if complete(case, "trust") else None),
        thin=bool(foreign),
        text=(said or "which roots proxies trust was not captured")
        + (f"; the leaf of {', '.join(foreign[:3])} chains to none of them" if foreign else ""),
        check="certificates.trust-split",
        evidence=shown(case, trust.drop_duplicates("serial")),
        missing=() if several else missing(case, "trust", "envoy.config_dump"),
    )


def _signed_by_none(pairs: pd.DataFrame) -> tuple[str, ...]:
    """The servers whose leaf no caller verifies, though one could judge it."""
    judged = pairs[pairs["client_verifies"].notna()]
    verified = set(keys(judged[true(judged["client_verifies"], missing=False)], "server_namespace", "server_pod"))
    every = set(keys(judged, "server_namespace", "server_pod"))
    return tuple(sorted("/".join(each) for each in every - verified))


def _pairs(case: Case, pairs: pd.DataFrame, broken: pd.DataFrame) -> Test:
    judged = pairs[pairs["verified"].notna()]
    if len(broken):
        passed: bool | None = True
    else:
        passed = False if len(judged) and len(judged) == len(pairs) and complete(case, "trust", "endpoints") else None
    return Test(
        name="pairs-cannot-verify",
        role="necessary",
        passed=passed,
        text=f"{len(broken)} of {count_of(len(judged), 'pair')} of caller and server that may call each other "
        "cannot verify, by key"
        if len(judged)
        else "no pair of caller and server could be verified from what was captured",
        check="certificates.pair-cannot-verify",
        evidence=shown(case, broken),
        missing=missing(case, "tls_pairs", "envoy.config_dump") if passed is None else (),
    )


def _seen(case: Case, failed: pd.DataFrame) -> Test:
    reason = case.source.reason("calls")
    return Test(
        name="handshakes-seen-failing",
        role="confirms",
        passed=True if len(failed) else None,
        text=f"{count_of(how_many(failed), 'call')} failed because a certificate did not verify: "
        f"{edges_in_words(failed)}"
        if len(failed)
        else reason or "no call failed for an unknown root in the window",
        check="signatures.tls",
        evidence=shown(case, failed),
        missing=missing(case, "calls", "log.istio-proxy") if reason else (),
    )


def _summary(groups: dict[tuple[str, ...], list[str]], moved: tuple[str, ...], failed: pd.DataFrame) -> str:
    if len(groups) < 2 and failed.empty:
        return "No second set of trusted roots was seen."
    if len(groups) < 2:
        return f"A leaf was signed by a root that no proxy was given: {edges_in_words(failed)} fails."
    who = ", ".join(moved[:4]) or "some proxies"
    since = f", since {format_time(first_at(failed))}" if len(failed) else ""
    calls = f" {edges_in_words(failed)} fails{since}." if len(failed) else ""
    return f"The root CA was replaced without an overlap: {who} moved to the new root alone.{calls}"
