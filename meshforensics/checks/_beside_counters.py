"""What counters and response flags tell of lines: of the proxies that logged them, and of no others."""

import re
from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from meshforensics.checks._edges import has_flag
from meshforensics.checks._lines import Lines
from meshforensics.model.words import count_of
from meshforensics.tables import inside, keys, of_items, text, texts, where

_UPTIME = "server.uptime"
_SAME = ("namespace", "pod", "item")


@lru_cache(maxsize=512)
def _pattern(name: str) -> re.Pattern[str]:
    """A counter by the end of its name: dots are underscores in a scrape."""
    return re.compile(r"(?:\A|[._])" + re.sub(r"[._]", "[._]", name) + r"\Z")


def named(stats: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The rows of some counters, with the name as declared in `counter`."""
    if stats.empty:
        return stats.assign(counter="")
    printed = stats["name"].cat.categories if stats["name"].dtype == "category" else stats["name"].unique()
    known: dict[str, str] = {}
    for counter in names:
        name, _, _ = counter.rstrip("}").partition("{")
        known |= {each: counter for each in map(str, printed) if _pattern(name).search(each)}
    rows = stats[stats["name"].isin(known)]
    rows = rows.assign(counter=text(rows["name"]).map(known).astype("str"))
    labels = rows["counter"].str.extract(r"\{(.*)\}\Z", expand=False).fillna("")
    said = zip(labels, texts(rows["labels"]), strict=True)
    return where(rows, (not label or label in labelled.replace('": "', '":"') for label, labelled in said))


def of_proxies(lines: Lines, names: tuple[str, ...]) -> str:
    """Whether the proxies that logged the lines count them, for the clusters that the lines name."""
    rows = own_counters(lines, names)
    if rows.empty:
        return ""
    told = rows[rows["real"].fillna(0) > 0]
    if len(told):
        proxies = len(set(keys(told, "namespace", "pod")))
        many = count_of(len(lines.pods), "proxy that logged it", "proxies that logged it")
        return f"confirmed: {_sums(told)} since start in {proxies} of {many}"
    silent = _silent(lines, rows, names)
    if not silent:
        return ""
    at = "at the only proxy" if silent == len(lines.pods) == 1 else f"at {silent} of {len(lines.pods)} proxies"
    return f"not counted by who logged it: {_quoted(names)} stood at 0 {at}"


def own_counters(lines: Lines, names: tuple[str, ...]) -> pd.DataFrame:
    """The rows of some counters and gauges at the proxies that logged the lines."""
    stats = lines.table("stats")
    if stats.empty or not lines.pods:
        return stats.iloc[:0].assign(counter="")
    rows = named(stats, names)
    rows = where(rows, (pod in lines.pods for pod in keys(rows, "namespace", "pod")))
    if not lines.clusters:
        return rows
    return where(rows, (not cluster or cluster in lines.clusters for cluster in texts(rows["cluster"])))


def _sums(rows: pd.DataFrame) -> str:
    """Each counter with its sum; of two forms of one page the larger."""
    pages = rows.groupby([text(rows[name]) for name in ("namespace", "pod", "counter", "item")])["real"].sum()
    sums = pages.groupby(level=["namespace", "pod", "counter"]).max().groupby(level="counter").sum()
    largest = sums.sort_values(ascending=False, kind="stable")[:2]
    return " and ".join(f"`{_shown(str(name))}` is {value:.0f}" for name, value in largest.items())


def _shown(counter: str) -> str:
    return counter.partition("{")[0]


def _quoted(names: tuple[str, ...]) -> str:
    return " and ".join(f"`{_shown(name)}`" for name in names[:2]) + (" and the like" if len(names) > 2 else "")


def _silent(lines: Lines, rows: pd.DataFrame, names: tuple[str, ...]) -> int:
    """How many proxies have every counter at 0 though they logged a line between their start and that page."""
    stats = lines.table("stats")
    told: dict[tuple[str, ...], set[str]] = {}
    for page, counter in zip(keys(rows, *_SAME), texts(rows["counter"]), strict=True):
        told.setdefault(page, set()).add(counter)
    whole = {page for page, counters in told.items() if counters == set(names)}
    started = named(stats, (_UPTIME,))
    began = zip(keys(started, *_SAME), started["captured_at"], started["real"], strict=True)
    spans = {
        page: (at - pd.Timedelta(seconds=float(up)), at) for page, at, up in began if pd.notna(at) and 0 <= up < 1e9
    }
    proxies = set()
    for namespace, pod, item in whole & set(spans):
        start, end = spans[namespace, pod, item]
        own = lines.rows[(lines.rows["namespace"] == namespace) & (lines.rows["pod"] == pod)]
        if ((own["at"] > start) & (own["at"] < end)).any():
            proxies.add((namespace, pod))
    return len(proxies)


def of_istiod(lines: Lines, names: tuple[str, ...]) -> str:
    """Whether the control plane counts it."""
    stats = lines.table("stats")
    rows = named(of_items(stats, "istiod.metrics"), names) if len(stats) else stats
    if rows.empty:
        return ""
    told = rows[rows["real"].fillna(0) > 0]
    return f"confirmed: istiod's {_sums(told)} since start" if len(told) else ""


def by_flags(lines: Lines, flags: tuple[str, ...]) -> str:
    """What access logs tell: whether calls were served after all, or that calls failed so where another log says it."""
    if not flags:
        return ""
    log = lines.logged("access_log")
    if len(log):
        served = (log["status"].between(100, 399)) & ~has_flag(log, *flags)
        if not served.any():
            return ""
        some = count_of(int(served.sum()), "was served after all", "were served after all")
        return f"{some}, of {count_of(len(log), 'call')} that were logged with it"
    own = lines.own("access_log")
    if own.empty:
        return ""
    count = int(has_flag(inside(own, lines.window), *flags).sum())
    said = count_of(count, "call has", "calls have")
    return f"{said} flag {' or '.join(flags)} in the access logs of who logged it" if count else ""
