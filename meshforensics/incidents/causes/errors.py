"""Failed calls: by route and response flag with the change behind each, their share over time, what would mend them."""

from typing import Any

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._evidence import recent_calls
from meshforensics.incidents._peers import ip_of
from meshforensics.incidents.causes.upgrade import lost_routes, proxies_by_address, refused_updates, refusing
from meshforensics.incidents.upgrade_503 import FAMILIES, version_change
from meshforensics.model import Evidence
from meshforensics.tables import text, true

BINS = 30
"""Steps of a share over time."""

_KEY = ("caller", "host", "route", "flags", "details", "family", "decided_by")


def errors_by_route(case: Case) -> pd.DataFrame:
    """Failed calls of the window by route and response flag, joined to the change of configuration behind them.

    Columns: caller, host, route, flags, details, family, decided_by, failed, total (calls on that edge), first, last,
    cause (in words; empty where nothing that was captured explains it), object (to be changed).
    """
    calls = recent_calls(case)
    if calls.empty:
        return pd.DataFrame(columns=[*_ERRORS])
    calls = calls.assign(**{name: text(calls[name]) for name in _KEY if name != "flags"}, flags=_flags(calls))
    totals = calls.groupby(["caller", "host"])["calls"].sum()
    failed = calls[true(calls["failed"], missing=False)]
    lost, refuses, addresses = lost_routes(case), refusing(case), proxies_by_address(case)
    rows = []
    for _, own in failed.groupby([*_KEY]) if len(failed) else ():
        first = own.sort_values("at", kind="stable").iloc[0]
        cause, by = _behind(first, lost, refuses, addresses)
        rows.append(
            {
                **{name: first[name] for name in _KEY},
                "failed": int(own["calls"].sum()),
                "total": int(totals[first["caller"], first["host"]]),
                "first": own["at"].min(),
                "last": own["at"].max(),
                "cause": cause,
                "object": by,
                "item": str(first["item"]),
                "pointer": str(first["pointer"]),
            }
        )
    frame = pd.DataFrame(rows, columns=[*_ERRORS])
    return frame.sort_values(["decided_by", "failed", "caller"], ascending=[True, False, True], ignore_index=True)


_ERRORS = (*_KEY, "failed", "total", "first", "last", "cause", "object", "item", "pointer")


def _flags(calls: pd.DataFrame) -> "pd.Series[str]":
    said = [",".join(flags) if isinstance(flags, tuple) else "" for flags in calls["flags"]]
    return pd.Series(said, index=calls.index, dtype="str")


def _behind(
    call: "pd.Series[Any]", lost: pd.DataFrame, refuses: dict[str, str], addresses: dict[str, str]
) -> tuple[str, str]:
    """The change of configuration that a failed call comes from, and the object that made it."""
    proxy = f"{call['namespace']}/{call['pod']}"
    if call["family"] == "no-cluster":
        for _, row in lost[lost["proxy"] == proxy].iterrows():
            if str(row["name"]) == call["route"] or str(row["virtual_host"]).startswith(f"{call['host']}:"):
                by = row["rule"] or row["route_object"]
                return f"{row['route_object'] or 'its route'} names {row['cluster']}, and {by} lacks {row['lacks']}", by
    server = addresses.get(ip_of(text_of(call["upstream_host"])), "")
    if server in refuses and call["family"] in {"connect-failure", "upstream-reset", *FAMILIES}:
        by = refuses[server]
        return f"{server} refuses an update" + (f" ({by})" if by else ""), by
    return "", ""


def text_of(value: Any) -> str:
    """A value as text; a missing one is empty."""
    return "" if value is None or pd.isna(value) else str(value)


def share_over_time(case: Case, failing: pd.DataFrame | None = None) -> pd.DataFrame:
    """Of each step of the time that calls cover: how many calls, how many failed, which services fail.

    Columns: at (begin of the step), calls, failed, services (callees that failed), known (callees called). `failing`
    narrows what counts as failed to these rows of `recent_calls`.
    """
    calls = recent_calls(case)
    dated = calls[calls["at"].notna()]
    if dated.empty:
        return pd.DataFrame(columns=["at", "calls", "failed", "services", "known"])
    start, end = dated["at"].min(), dated["at"].max()
    step = max((end - start) / BINS, pd.Timedelta("1ms"))
    bad = true(dated["failed"], missing=False) if failing is None else dated.index.isin(failing.index)
    told = dated.assign(bad=bad, bin=((dated["at"] - start) // step).clip(upper=BINS - 1))
    rows = []
    for number, own in told.groupby("bin"):
        wrong = own[own["bad"]]
        rows.append(
            {
                "at": start + int(str(number)) * step,
                "calls": int(own["calls"].sum()),
                "failed": int(wrong["calls"].sum()),
                "services": wrong["host"].nunique(),
                "known": own["host"].nunique(),
            }
        )
    return pd.DataFrame(rows)


def pushes_and_errors(case: Case) -> pd.DataFrame:
    """What came first: changes of objects, pushes to the proxies concerned, refusals, and the first failed call.

    Columns: at, what, seconds (after the first failed call; negative is before it).
    """
    rows: list[tuple[Any, ...]] = [*_changes(case), *_pushes(case), *_refusals(case)]
    errors = errors_by_route(case)
    own = errors[errors["decided_by"] == "caller"]
    dated = (own if len(own) else errors).dropna(subset=["first"]).sort_values("first", kind="stable")
    if len(dated):
        first = dated.iloc[0]
        said = f"first failed call: {first['caller']} to {first['host']} ({first['flags'] or first['details']})"
        rows.append((first["first"], said, first["item"], first["pointer"]))
    frame = pd.DataFrame(rows, columns=["at", "what", "item", "pointer"])
    frame = frame[frame["at"].notna()].sort_values(["at", "what"], kind="stable", ignore_index=True)
    begin = dated.iloc[0]["first"] if len(dated) else pd.NaT
    return frame.assign(seconds=[(at - begin).total_seconds() for at in frame["at"]])


def _changes(case: Case) -> list[tuple[Any, ...]]:
    lost = lost_routes(case).drop_duplicates("rule")
    rows: list[tuple[Any, ...]] = []
    for _, row in lost[lost["rule"].astype(bool)].iterrows():
        said = f"{row['rule']} changed by {row['changed_by'] or 'unknown'}"
        rows.append((row["changed_at"], said, row["rule_item"], row["rule_pointer"]))
    named = {each for said in refused_updates(case)["object"] for each in str(said).split(", ") if each}
    config = case.source.frame("config")
    for _, row in config[config["object"].isin(sorted(named)) & config["changed_at"].notna()].iterrows():
        said = f"{row['object']} changed by {text_of(row['changed_by']) or 'unknown'}"
        rows.append((row["changed_at"], said, str(row["item"]), str(row["pointer"])))
    change = version_change(case)
    for at, which in ((change.after, "last sight of"), (change.before, "first sight of")) if change else ():
        place: Evidence | None = change.evidence[-1] if change and change.evidence else None
        name = change.old if change and which.startswith("last") else change.new if change else ""
        rows.append((pd.Timestamp(at) if at else pd.NaT, f"{which} {name}", *_place(place)))
    return rows


def _place(shown: Evidence | None) -> tuple[str, str]:
    return (shown.item, shown.pointer) if shown is not None else ("", "")


def _pushes(case: Case) -> list[tuple[Any, ...]]:
    """The last push of clusters to each proxy that lost one, before its first failed call."""
    pushes = case.source.frame("pushes")
    losing = set(lost_routes(case)["proxy"])
    errors = errors_by_route(case)
    begin = errors["first"].min() if len(errors) else pd.NaT
    of = text(pushes["namespace"]) + "/" + text(pushes["pod"])
    own = pushes[of.isin(sorted(losing)) & (pushes["type"] == "cds") & pushes["at"].notna()]
    own = own if pd.isna(begin) else own[own["at"] <= begin]
    last = own.sort_values("at", kind="stable").drop_duplicates(["namespace", "pod"], keep="last")
    return [
        (row["at"], f"istiod pushes clusters to {row['namespace']}/{row['pod']}", str(row["item"]), str(row["pointer"]))
        for _, row in last.iterrows()
    ]


def _refusals(case: Case) -> list[tuple[Any, ...]]:
    return [
        (row["at"], f"{row['proxy']} refuses {row['type']} {row['resource_name']}".strip(), row["item"], row["pointer"])
        for _, row in refused_updates(case).iterrows()
    ]


def smallest_rollback(case: Case) -> pd.DataFrame:
    """Which few changes undone would end the failures: the one that ends most first, until none is explained.

    Columns: step, undo (the object), ends (what it ends, in words), mends (failed calls), left (failed calls that no
    step explains yet). Failures that were passed on end with those they come from, and are not counted twice.
    """
    errors = errors_by_route(case)
    own = errors[errors["decided_by"] == "caller"] if len(errors) else errors
    left = int(own["failed"].sum())
    explained = own[own["object"].astype(bool)]
    mends = explained.groupby("object")["failed"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    for number, (by, count) in enumerate(mends.items(), start=1):
        first = explained[explained["object"] == by].iloc[0]
        left -= int(count)
        rows.append((number, by, first["cause"], int(count), left, first["item"], first["pointer"]))
    for _, row in refused_updates(case).drop_duplicates("object").iterrows():
        if row["object"] and row["object"] not in set(mends.index):
            how = f"{row['proxy']} refuses an update, and no failed call is explained by it"
            rows.append((len(rows) + 1, row["object"], how, 0, left, row["item"], row["pointer"]))
    return pd.DataFrame(rows, columns=["step", "undo", "ends", "mends", "left", "item", "pointer"])
