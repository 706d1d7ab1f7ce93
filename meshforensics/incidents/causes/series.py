"""Memory over a series: what each proxy held by every measure, and what rules of growth make of it."""

from typing import Any

import numpy as np
import pandas as pd

from meshforensics.checks.proxies_memory import retained
from meshforensics.incidents._declare import Case
from meshforensics.incidents._growers import MIB, TRAFFIC, Grower, growers, swingers, traffic_of
from meshforensics.model.words import count_of
from meshforensics.tables import text

GUIDE_SAMPLES = 5
GUIDE_SPAN = pd.Timedelta("1h")
GUIDE_GROWTH = 10 * MIB
GUIDE_DUMP = 400 * MIB
"""The guide's rule, as its script has it; kubectl's Mi are mebibytes."""

_TOLERANCE = pd.Timedelta("60s")
_SHUFFLES = 999
_MEASURES = ("working_set", "physical", "heap")
"""What the container's limit counts, best first."""


def held(case: Case) -> pd.DataFrame:
    """Every sample: proxy, at, and in bytes allocated, heap, free, physical, working_set and limit.

    The working set is the container's nearest sample within a minute; the limit is as of the instant. Each of these
    two has its own place: `usage_item`, `usage_pointer`, `limit_item`, `limit_pointer`.
    """
    memory = case.source.over_time("memory")
    known = memory[memory["captured_at"].notna() & memory["allocated"].notna()]
    made = pd.DataFrame(
        {
            "proxy": _proxy(known),
            "at": known["captured_at"],
            "allocated": known["allocated"].astype("Float64"),
            "heap": known["heap_size"].astype("Float64"),
            "free": known["pageheap_free"].astype("Float64"),
            "physical": known["total_physical_bytes"].astype("Float64"),
            "item": text(known["item"]),
            "pointer": text(known["pointer"]),
        }
    )
    made = _with_working_set(case, made.sort_values(["at", "proxy"], kind="stable"))
    made = made.merge(limits_of(case), on="proxy", how="left")
    return made.sort_values(["proxy", "at"], kind="stable").reset_index(drop=True)


def _with_working_set(case: Case, made: pd.DataFrame) -> pd.DataFrame:
    usage = case.source.over_time("usage")
    own = usage[(usage["container"] == "istio-proxy") & usage["captured_at"].notna()]
    own = own[own["memory_bytes"].notna()]
    told = pd.DataFrame(
        {
            "proxy": _proxy(own),
            "at": own["captured_at"],
            "working_set": own["memory_bytes"].astype("Float64"),
            "usage_item": text(own["item"]),
            "usage_pointer": text(own["pointer"]),
        }
    ).sort_values("at", kind="stable")
    if made.empty or told.empty:  # pandas cannot join empty frames by time
        return made.merge(told.drop(columns="at").iloc[:0], on="proxy", how="left")
    return pd.merge_asof(made, told, on="at", by="proxy", direction="nearest", tolerance=_TOLERANCE)


def limits_of(case: Case) -> pd.DataFrame:
    """The memory limit of each proxy's container that has one: proxy, limit, limit_item, limit_pointer."""
    containers = case.source.frame("containers")
    own = containers[(containers["container"] == "istio-proxy") & containers["memory_limit_bytes"].notna()]
    made = pd.DataFrame(
        {
            "proxy": _proxy(own),
            "limit": own["memory_limit_bytes"].astype("Float64"),
            "limit_item": text(own["item"]),
            "limit_pointer": text(own["pointer"]),
        }
    )
    return made.drop_duplicates("proxy")


def _proxy(frame: pd.DataFrame) -> "pd.Series[str]":
    return text(frame["namespace"]) + "/" + text(frame["pod"])


def measure_of(samples: pd.DataFrame) -> str:
    """The column that comes nearest to what a container's limit counts and that every sample has."""
    return next((name for name in _MEASURES if samples[name].notna().all()), "allocated")


def guide_rule(case: Case) -> pd.DataFrame:
    """What the guide's script would say of each proxy: measure, samples, monotone, growth, peak, leaks, dumps, why.

    At least 5 samples in the last hour, none below the one before it, and (last - first) / samples over
    10 MiB; over 400 MiB it takes a dump. `leaks` is missing where it has too few samples.
    """
    rows = [_guided(str(proxy), samples) for proxy, samples in held(case).groupby("proxy")]
    names = ["proxy", "measure", "samples", "monotone", "growth", "peak", "leaks", "dumps", "item", "pointer"]
    return pd.DataFrame(rows, columns=names)


def _guided(proxy: str, samples: pd.DataFrame) -> dict[str, Any]:
    recent = samples[samples["at"] > samples["at"].max() - GUIDE_SPAN]
    measure = measure_of(recent)
    values = recent[measure].to_numpy(dtype=float)
    monotone = bool((np.diff(values) >= 0).all())
    growth = float(values[-1] - values[0]) / len(values)
    enough = len(values) >= GUIDE_SAMPLES
    last = recent.iloc[-1]
    return {
        "proxy": proxy,
        "measure": measure,
        "samples": len(values),
        "monotone": monotone,
        "growth": growth,
        "peak": float(values.max()),
        "leaks": (monotone and growth > GUIDE_GROWTH) if enough else None,
        "dumps": bool(values.max() > GUIDE_DUMP),
        "item": last["usage_item" if measure == "working_set" else "item"],
        "pointer": last["usage_pointer" if measure == "working_set" else "pointer"],
    }


def robust_rule(case: Case) -> pd.DataFrame:
    """What a trend says of each proxy with a series: slope with interval, p, change point, and the kind of growth.

    `enough` says whether the series is as long as the profile wants before it supports a leak.
    """
    followed = case.source.over_time("growth")
    kinds = kinds_of(case)
    series = {str(proxy): rows for proxy, rows in held(case).groupby("proxy")}
    rows = []
    for row in followed.to_dict("records"):
        proxy = f"{row['namespace']}/{row['pod']}"
        changed = change_point(series[proxy].set_index("at")["allocated"].astype(float)) if proxy in series else {}
        names = ("samples", "span_s", "first_bytes", "last_bytes", "slope", "slope_low", "slope_high", "p", "rises")
        places = row["evidence"] or (("", ""),)
        rows.append(
            {
                "proxy": proxy,
                **{name: row[name] for name in names},
                **changed,
                **kinds[proxy],
                "enough": row["span_s"] >= case.profile.number("memory.span"),
                "item": places[-1][0],
                "pointer": places[-1][1],
            }
        )
    return pd.DataFrame(rows, columns=[*_ROBUST]).sort_values("proxy", ignore_index=True)


_ROBUST = (
    *("proxy", "samples", "span_s", "first_bytes", "last_bytes", "slope", "slope_low", "slope_high", "p", "rises"),
    *("changed_at", "rate_before", "rate_after", "change_p", "kind", "why", "enough", "item", "pointer"),
)


def change_point(live: "pd.Series[float]") -> dict[str, Any]:
    """When the rate of growth changed most, by the largest cumulative sum, and how probable that is by chance.

    The increments are shuffled to see how large a sum comes of itself; with fewer than six there is none.
    """
    seconds = (
        np.diff(np.asarray((live.index - live.index[0]).total_seconds(), dtype=float)) if len(live) else np.zeros(0)
    )
    rates = np.diff(live.to_numpy(dtype=float)) / np.where(seconds > 0, seconds, np.nan)
    if len(rates) < 6 or not np.isfinite(rates).all() or np.ptp(rates) == 0:
        return {}
    place, size = _largest(rates)
    shuffle = np.random.default_rng(0)
    chance = [_largest(shuffle.permutation(rates))[1] >= size for _ in range(_SHUFFLES)]
    return {
        "changed_at": live.index[place + 1],
        "rate_before": float(rates[: place + 1].mean()) * 3600,
        "rate_after": float(rates[place + 1 :].mean()) * 3600,
        "change_p": (sum(chance) + 1) / (_SHUFFLES + 1),
    }


def _largest(rates: "np.ndarray[Any, Any]") -> tuple[int, float]:
    """The increment after which the cumulative sum of deviations is largest, and that sum."""
    sums = np.abs(np.cumsum(rates - rates.mean()))[:-1]
    place = int(np.argmax(sums))
    return place, float(sums[place])


def kinds_of(case: Case) -> dict[str, dict[str, str]]:
    """Of each proxy with a series, the kind of its growth and why: as the incidents judge it."""
    grown = {each.subject: each for each in growers(case)}
    swung = {each.subject: traffic_of(case, each) for each in swingers(case)}
    kept = _retaining(case)
    fewest = case.profile.number("memory.samples")
    made = {}
    for row in case.source.over_time("growth").to_dict("records"):
        proxy = f"{row['namespace']}/{row['pod']}"
        if proxy in grown:
            made[proxy] = _kind_of(grown[proxy])
        elif proxy in swung:
            with_what = swung[proxy] or "something that was not captured"
            made[proxy] = {"kind": "traffic", "why": f"rises and falls with {with_what}"}
        elif proxy in kept:
            why = "live memory does not grow; more than half of the heap is not live"
            made[proxy] = {"kind": "fragmentation", "why": why}
        elif row["samples"] < fewest:
            made[proxy] = {
                "kind": "not judged",
                "why": f"{count_of(row['samples'], 'sample')}, where {fewest:.0f} show a trend",
            }
        else:
            made[proxy] = {"kind": "flat", "why": "no significant growth of live memory"}
    return made


def _kind_of(each: Grower) -> dict[str, str]:
    if each.explained_by in TRAFFIC:
        return {"kind": "traffic", "why": f"follows {each.explained_by}"}
    if each.explained_by == "configuration":
        return {"kind": "configuration growth", "why": "follows clusters and listeners held"}
    if each.explained_by == "series":
        return {"kind": "stats cardinality", "why": "follows the number of stats"}
    if not each.drivers_known:
        return {"kind": "growth", "why": "what drives it was not captured"}
    return {"kind": "leak", "why": each.mechanism}


def _retaining(case: Case) -> set[str]:
    found = retained(case.source.frame("memory"), case.profile)
    return set(_proxy(found))


def time_to_limit(case: Case) -> pd.DataFrame:
    """Of each proxy that grows: limit, what it holds by which measure, and seconds until the limit, with interval.

    It supposes that the slope stays; `soonest` takes the upper end of its interval, `latest` the lower.
    """
    names = ["proxy", "limit", "holds", "measure", "seconds", "soonest", "latest", "item", "pointer"]
    rows = []
    samples = {str(proxy): rows for proxy, rows in held(case).groupby("proxy")}
    for each in growers(case):
        if each.subject not in samples:
            continue
        own = samples[each.subject]
        last, measure = own.iloc[-1], measure_of(own.tail(1))
        room = float("nan") if pd.isna(last["limit"]) else max(float(last["limit"]) - float(last[measure]), 0.0)
        rows.append(
            {
                "proxy": each.subject,
                "limit": last["limit"],
                "holds": float(last[measure]),
                "measure": measure,
                "seconds": _until(room, each.row["slope"]),
                "soonest": _until(room, each.row["slope_high"]),
                "latest": _until(room, each.row["slope_low"]),
                "item": last["item"],
                "pointer": last["pointer"],
            }
        )
    return pd.DataFrame(rows, columns=names)


def _until(room: float, slope: Any) -> float:
    return room / float(slope) * 3600 if not pd.isna(slope) and float(slope) > 0 else float("inf")
