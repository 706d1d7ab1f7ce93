"""Growers: proxies whose live memory grows over a series, and what explains it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from meshforensics.checks.proxies_memory import judged_growth
from meshforensics.incidents._declare import Case, Proxy, once
from meshforensics.model.words import count_of
from meshforensics.tables import keys, texts

MIB = 1024 * 1024
_FALLS = 0.2
_CAME_DOWN = 0.5
TRAFFIC = ("requests", "connections")


@dataclass(frozen=True, kw_only=True)
class Grower:
    """A proxy whose live memory grows: how, since when, and what explains it (empty: nothing).

    `sure` is False where the lower end of the slope's interval is below the least growth of the profile.
    """

    subject: str
    row: dict[str, Any]
    onset: datetime
    explained_by: str
    mechanism: str
    drivers_known: bool
    sure: bool = True


def growers(case: Case) -> list[Grower]:
    """The proxies whose live memory grows significantly, by subject."""
    made = [_grower(case, row) for row in _rows(case) if row["grows"]]
    return sorted(made, key=lambda grower: grower.subject)


def swingers(case: Case) -> list[Grower]:
    """The proxies whose live memory goes up and down with requests or connections, or nobody knows with what."""
    made = [_grower(case, row) for row in _rows(case) if _swings(case, row)]
    return sorted(made, key=lambda grower: grower.subject)


def came_down(each: Grower) -> bool:
    """Whether most of the rise was given back."""
    return bool(each.row["fell_share"] >= _CAME_DOWN)


def _rows(case: Case) -> list[dict[str, Any]]:
    judged = judged_growth(case.source.over_time("growth"), case.profile)
    return [{str(key): value for key, value in row.items()} for row in judged.to_dict("records")]


def _swings(case: Case, row: dict[str, Any]) -> bool:
    """A rise and a fall, both no noise, in step with requests or connections, where these are known."""
    number = case.profile.number
    base = min(row["first_bytes"], row["last_bytes"])
    rise = row["peak_bytes"] - base
    large = rise > max(number("memory.least-growth"), number("memory.swing-share") * base)
    enough = row["samples"] >= number("memory.samples")
    unknown = all(pd.isna(row[f"with_{name}"]) for name in TRAFFIC)
    return bool(enough and large and row["fell_share"] >= _FALLS and (unknown or _follows(case, row, *TRAFFIC)))


def traffic_of(case: Case, each: Grower) -> str:
    """What of its traffic a proxy's memory follows; empty where that is not known."""
    return _follows(case, each.row, *TRAFFIC)


def _grower(case: Case, row: dict[str, Any]) -> Grower:
    explained = _explained(case, row)
    piled = _known(row["unfinished_share"], 0.0) >= case.profile.number("memory.unfinished-share")
    unfinished = piled and _known(row["open_rises"], False)
    mechanism = "pile-up of unfinished requests" if unfinished else "live memory grows"
    if not unfinished and not explained and _follows(case, row, "connections"):
        mechanism = "pile-up of connections at a flat request rate"
    return Grower(
        subject=f"{row['namespace']}/{row['pod']}",
        row=row,
        onset=row["at"].to_pydatetime(),
        explained_by="" if unfinished else explained,
        mechanism=mechanism,
        drivers_known=not pd.isna(row["with_requests"]),
        sure=bool(row["sure"]),
    )


def _known(value: Any, otherwise: Any) -> Any:
    return otherwise if pd.isna(value) else value


def _explained(case: Case, row: dict[str, Any]) -> str:
    """What explains the growth; connections do only where memory falls with them, else they pile up."""
    falls = row["fell_share"] >= _FALLS
    drivers = ("requests", "configuration", "series", *(("connections",) if falls else ()))
    found = _follows(case, row, *drivers)
    if found or not _follows(case, row, "route_updates"):
        return found
    return "configuration" if _routes_came(case, row) else ""


def _routes_came(case: Case, row: dict[str, Any]) -> bool:
    """Whether routes were added that explain the growth, though no counter tells how many there are.

    The routes that are held take more than the proxy had at first, so they came since, and at most enough for
    all that grew. Updates alone are no sign: a counter that rises is in step with every leak.
    """
    number = case.profile.number
    held = _routes_held(case).get((str(row["namespace"]), str(row["pod"])), 0)
    came = held * number("memory.least-per-route") + number("memory.least-proxy") > row["first_bytes"]
    return bool(came and held * number("memory.per-route") >= row["last_bytes"] - row["first_bytes"])


@once
def _routes_held(case: Case) -> dict[Proxy, int]:
    """How many routes each proxy holds, as of the instant."""
    hosts = case.source.frame("virtual_hosts")
    routes = hosts["routes"].fillna(0).astype("int64")
    of: dict[str, int] = {}
    for resource, count in zip(texts(hosts["resource"]), routes, strict=True):
        of[resource] = of.get(resource, 0) + int(count)
    made: dict[Proxy, int] = {}
    for namespace, pod, resource in keys(case.source.frame("route_instances"), "namespace", "pod", "resource"):
        made[namespace, pod] = made.get((namespace, pod), 0) + of.get(resource, 0)
    return made


def _follows(case: Case, row: dict[str, Any], *drivers: str) -> str:
    enough = case.profile.number("memory.explained-correlation")
    return next((name for name in drivers if _known(row[f"with_{name}"], 0.0) >= enough), "")


def in_words(each: Grower) -> str:
    """How much it grew, over how long, from how many samples; what came down again, from where."""
    row = each.row
    first, peak, last = (row[f"{name}_bytes"] / MIB for name in ("first", "peak", "last"))
    if row["fell_share"] >= _FALLS:
        way = f"rose from {first:.1f} to {peak:.1f} MiB live and came down to {last:.1f}, in"
    else:
        way = f"grew from {first:.1f} to {last:.1f} MiB live in"
    least = f", at least {row['slope_low'] / MIB:.0f} MiB/h" if row["slope_low"] > 0 else ""
    return f"{each.subject} {way} {row['span_s']:.0f} s ({count_of(row['samples'], 'sample')}{least})"
