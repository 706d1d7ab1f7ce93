"""Routing, rule by rule: what VirtualServices ask for that cannot be."""

from collections.abc import Hashable, Iterator
from typing import Any

import msgspec
import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import places, text, texts, true, where

_RULE = ["object", "section", "rule"]


def _rules(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    """One row per rule, in their order; its place is that of the rule, not of a destination."""
    known = virtual_service_rules[virtual_service_rules["rule"].notna()]
    rules = known.drop_duplicates(_RULE).sort_values(_RULE, kind="stable")
    pointer = text(rules["pointer"]).str.replace(r"/(?:route/\d+|mirror|mirrors/\d+)\Z", "", regex=True)
    return rules.assign(pointer=pointer)


def _groups(frame: pd.DataFrame) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    for key, group in frame.groupby(_RULE, observed=True, sort=True):
        yield tuple(key), group


def _made(rows: list[dict[Hashable, Any]], like: pd.DataFrame, *more: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*like.columns, *more, "evidence"])


@check(
    "routing.weights-not-100",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "section", "rule"],
    subject="object",
    observed="total",
    title="Weights of a route do not add up to 100",
    detail="{section} rule {rule} of {object}: weights {weights} add up to {total}",
    remediation="Say what was meant: Istio takes weights as shares of their sum.",
    source="guide, phase 2, step 4 (incorrect weight distributions); claims 4.9: need not be 100 today; KIA1104",
)
def weights_not_100(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[Hashable, Any]] = []
    for _, group in _groups(_shared(virtual_service_rules)):
        total = int(group["weight"].fillna(0).sum())
        if group["weight"].notna().all() and total != 100:
            weights = ", ".join(str(int(each)) for each in group["weight"])
            rows.append({**group.iloc[0].to_dict(), "total": total, "weights": weights, "evidence": places(group)})
    return _made(rows, virtual_service_rules, "total", "weights")


def _shared(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    """Destinations of rules that have more than one."""
    real = virtual_service_rules[
        ~true(virtual_service_rules["mirror"], missing=False) & (text(virtual_service_rules["host"]) != "")
    ]
    count = real.groupby(_RULE, observed=True)["pointer"].transform("size") if len(real) else real["rule"]
    return real[count > 1]


@check(
    "routing.destination-without-weight",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "section", "rule"],
    subject="object",
    observed="host",
    title="A destination among several has no weight and gets no requests",
    detail="{section} rule {rule} of {object}: {host} {subset} has no weight, others have",
    remediation="Give every destination its weight, or take it out.",
    source="guide, phase 2, step 4; claims 4.9; istio.networking HTTPRouteDestination.weight, 0 by default",
)
def destination_without_weight(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    several = _shared(virtual_service_rules)
    if several.empty:
        return several
    weighted = several["weight"].fillna(0) > 0
    others = weighted.groupby([several[name] for name in _RULE], observed=True).transform("any")
    return several[several["weight"].isna() & others]


@check(
    "routing.unreachable-rule",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "section", "rule"],
    subject="object",
    observed="rule",
    title="A rule of a VirtualService can never be reached",
    detail="{section} rule {rule} of {object} stands behind rule {earlier}, which takes all its requests",
    remediation="Put the rule without conditions last; delete the one that repeats another.",
    source="guide, phase 2, step 4 (conflicting route rules); claims 13.12; istioctl analyze IST0130",
)
def unreachable_rule(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    rules = _rules(virtual_service_rules)
    rows = []
    for _, group in rules.groupby(["object", "section"], observed=True, sort=True):
        earlier: list[tuple[int, list[str]]] = []
        for row in group.to_dict("records"):
            conditions = _conditions(row["match"])
            behind = _behind(conditions, earlier)
            if behind is not None:
                rows.append({**row, "earlier": behind, "evidence": ((row["item"], row["pointer"]),)})
            earlier.append((int(row["rule"]), conditions))
    return _made(rows, rules, "earlier")


_ANY = ""


def _conditions(match: object) -> list[str]:
    """The alternatives of a match, each as one text; empty text is for what takes every request."""
    try:
        held = msgspec.json.decode(match) if isinstance(match, str) and match else []
    except msgspec.DecodeError:
        return ["?"]
    several = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
    if not several:
        return [_ANY]
    return [_condition(each) for each in several]


def _condition(one: dict[str, Any]) -> str:
    asked = {
        key: value for key, value in one.items() if key not in {"name", "statPrefix"} and value not in (None, {}, [])
    }
    if asked in ({}, {"uri": {"prefix": "/"}}):
        return _ANY
    return msgspec.json.encode(asked, order="sorted").decode()


def _behind(conditions: list[str], earlier: list[tuple[int, list[str]]]) -> int | None:
    """The earlier rule that takes the requests of every alternative; the last one that it needs."""
    found = []
    for condition in conditions:
        taker = next((rule for rule, taken in earlier if _ANY in taken or condition in taken), None)
        if taker is None:
            return None
        found.append(taker)
    return max(found, default=None)


@check(
    "routing.retries-exceed-timeout",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "section", "rule"],
    subject="object",
    observed="needed_s",
    unit="s",
    title="Retries of a route do not fit its timeout",
    detail="rule {rule} of {object}: {tries:try|s} of {per_try_timeout_s} s need {needed_s} s, the timeout is "
    "{timeout_s} s",
    remediation="Lower perTryTimeout or attempts, or raise the timeout: the last tries are cut.",
    source="guide, Booking.com's template (3 retries of 10 s in 30 s); claims 8.4: (attempts + 1) x perTryTimeout",
)
def retries_exceed_timeout(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    rules = _rules(virtual_service_rules)
    told = rules[(rules["timeout_s"].fillna(0) > 0) & (rules["per_try_timeout_s"].fillna(0) > 0)]
    told = told[told["attempts"].fillna(0) > 0]
    tries = told["attempts"].astype("int64") + 1
    told = told.assign(tries=tries, needed_s=tries * told["per_try_timeout_s"].astype("float64"))
    return told[told["needed_s"] > told["timeout_s"].astype("float64")]


@check(
    "routing.fault-without-effect",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "section", "rule"],
    subject="object",
    observed="reason",
    title="A fault is declared that injects nothing",
    detail="rule {rule} of {object} declares a fault without effect: {reason}",
    remediation="Take the fault out, or give it a percentage above 0 and what to inject.",
    source="guide, Booking.com's template (a delay of 0 %, without fixedDelay); claims 8.2",
)
def fault_without_effect(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    rules = _rules(virtual_service_rules)
    rules = rules.assign(reason=[_no_effect(fault) for fault in texts(rules["fault"])])
    return rules[rules["reason"] != ""].assign(pointer=lambda rows: text(rows["pointer"]) + "/fault")


def _no_effect(fault: str) -> str:
    """Why nothing is injected; empty where something is, or nobody can tell."""
    try:
        held = msgspec.json.decode(fault) if fault else {}
    except msgspec.DecodeError:
        return ""
    parts = [
        (kind, held[kind]) for kind in ("delay", "abort") if isinstance(held, dict) and isinstance(held.get(kind), dict)
    ]
    reasons = [_idle(kind, part) for kind, part in parts]
    return ", ".join(reasons) if reasons and all(reasons) else ""


def _idle(kind: str, part: dict[str, Any]) -> str:
    what = ("fixedDelay", "exponentialDelay") if kind == "delay" else ("httpStatus", "grpcStatus", "http2Error")
    if not any(part.get(each) for each in what):
        return f"the {kind} has no {what[0]}"
    share = part.get("percentage")
    if isinstance(share, dict) and not share.get("value"):
        return f"the {kind} is for 0 % of requests"
    return ""


@check(
    "routing.fault-injected",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "section", "rule"],
    subject="object",
    observed="fault",
    title="A VirtualService injects faults",
    detail="rule {rule} of {object} injects {fault}",
    remediation="Take it out when the experiment is over.",
    source="guide, Booking.com's template; Envoy flags FI and DI",
)
def fault_injected(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    rules = _rules(virtual_service_rules)
    fault = text(rules["fault"])
    return where(rules, (bool(each) and not _no_effect(each) for each in fault))
