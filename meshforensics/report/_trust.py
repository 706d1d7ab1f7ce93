"""Who trusts which root, and whose leaf that lets verify, from what proxies hold."""

from dataclasses import dataclass

import pandas as pd

from meshforensics.report._case import Case
from meshforensics.tables import keys, text, true

SIGNS = "○◆□△▽◇"
"""Shapes of roots, the most trusted one first: told apart without colour."""


@dataclass(frozen=True, kw_only=True)
class Root:
    """A root by its key; `holders` are the pods that trust it."""

    key: str
    serial: str
    sign: str
    holders: tuple[str, ...]


def roots(case: Case) -> tuple[Root, ...]:
    """The roots that proxies trust, the most trusted first."""
    trust = _keyed(case.frame("trust"))
    found = []
    for key, rows in trust.groupby("key"):
        holders = tuple(sorted({f"{namespace}/{pod}" for namespace, pod in keys(rows, "namespace", "pod") if pod}))
        found.append((str(key), min(text(rows["serial"])), holders))
    ranked = sorted((each for each in found if each[2]), key=lambda each: (-len(each[2]), each[1]))
    return tuple(
        Root(key=key, serial=serial, sign=SIGNS[min(number, len(SIGNS) - 1)], holders=holders)
        for number, (key, serial, holders) in enumerate(ranked)
    )


def _keyed(trust: pd.DataFrame) -> pd.DataFrame:
    """A root is its key: the same key certified again is the same root."""
    spki = text(trust["spki"])
    return trust.assign(key=spki.where(spki != "", text(trust["serial"])))


def trusted(known: tuple[Root, ...]) -> dict[str, str]:
    """The signs of the roots that each pod trusts, in order: ``"○"``, ``"○◆"``."""
    signs: dict[str, str] = {}
    for root in known:
        for holder in root.holders:
            signs[holder] = signs.get(holder, "") + root.sign
    return signs


def verified(case: Case) -> dict[tuple[str, str], bool]:
    """For (caller, server): whether the caller can verify the server's leaf, where both were captured."""
    pairs = case.frame("tls_pairs")
    known = pairs[pairs["verified"].notna()]
    found: dict[tuple[str, str], bool] = {}
    sides = keys(known, "namespace", "pod", "server_namespace", "server_pod")
    for (namespace, pod, server_namespace, server_pod), good in zip(
        sides, true(known["verified"], missing=False), strict=True
    ):
        pair = (f"{namespace}/{pod}", f"{server_namespace}/{server_pod}")
        found[pair] = found.get(pair, True) and bool(good)
    return found
