"""Growers: proxies whose live memory grows over a series, and what explains it."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._drivers import rate, samples_of, unfinished_share
from meshforensics.incidents._growth import Trend, correlation, trend
from meshforensics.tables import keys, text

MIB = 1024 * 1024
_UNFINISHED = 0.5
_ONSET_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class Grower:
    """A proxy whose live memory grows: how, since when, and what explains it (empty: nothing)."""

    subject: str
    trend: Trend
    onset: datetime
    explained_by: str
    mechanism: str
    drivers_known: bool
    rows: pd.DataFrame


def growers(case: Case) -> list[Grower]:
    """The proxies whose live memory grows significantly, by subject."""
    memory = case.source.over_time("memory")
    pods = sorted(set(keys(memory, "namespace", "pod")))
    return [each for pod in pods if (each := _grower(case, pod))]


def _of(frame: pd.DataFrame, pod: tuple[str, ...]) -> pd.DataFrame:
    mine = frame[(text(frame["namespace"]) == pod[0]) & (text(frame["pod"]) == pod[1])]
    return mine[mine["captured_at"].notna()].sort_values("captured_at", kind="stable")


def _grower(case: Case, pod: tuple[str, ...]) -> Grower | None:
    memory = _of(case.source.over_time("memory"), pod)
    memory = memory[memory["allocated"].notna()].drop_duplicates("captured_at")
    if len(memory) < case.profile.number("memory.samples"):
        return None
    seen = trend(memory["captured_at"], memory["allocated"].astype(float))
    if seen is None or not seen.rises or seen.low <= _least(case, memory):
        return None
    drivers = samples_of(_of(case.source.over_time("stats"), pod))
    allocated = memory.set_index("captured_at")["allocated"].astype(float)
    mechanism = _pile_up(drivers)
    return Grower(
        subject="/".join(pod),
        trend=seen,
        onset=_onset(allocated),
        explained_by="" if mechanism else _explained(case, allocated, drivers),
        mechanism=mechanism or "live memory grows",
        drivers_known="requests" in drivers,
        rows=memory,
    )


def _least(case: Case, memory: pd.DataFrame) -> float:
    """The growth per hour, in bytes, that the lower bound must be above."""
    share = case.profile.number("memory.growth-share-per-hour") * float(memory["allocated"].median())
    return max(share, case.profile.number("memory.growth-per-hour"))


def _pile_up(drivers: dict[str, "pd.Series[float]"]) -> str:
    """Requests that are opened and never finished, at a rate that does not rise with them."""
    share = unfinished_share(drivers)
    if share is None or share < _UNFINISHED:
        return ""
    opened = trend(pd.Series(drivers["open"].index), drivers["open"])
    return "pile-up of unfinished requests" if opened and opened.rises else ""


def _explained(case: Case, allocated: "pd.Series[float]", drivers: dict[str, "pd.Series[float]"]) -> str:
    enough = case.profile.number("memory.explained-correlation")
    candidates = {
        "requests": rate(drivers["requests"]) if "requests" in drivers else None,
        "configuration": drivers.get("configuration"),
        "series": drivers.get("series"),
    }
    for name, driver in candidates.items():
        if driver is not None and correlation(allocated, driver) >= enough:
            return name
    return ""


def _onset(allocated: "pd.Series[float]") -> datetime:
    """The last sample before memory had grown by a twentieth of all that it grew."""
    low = float(allocated.iloc[0])
    above = allocated[allocated > low + _ONSET_SHARE * (float(allocated.max()) - low)]
    before = allocated[allocated.index < above.index[0]]
    began: pd.Timestamp = before.index[-1] if len(before) else allocated.index[0]
    return began.to_pydatetime()


def in_words(each: Grower) -> str:
    """How much it grew, over how long, from how many samples."""
    seen = each.trend
    return (
        f"{each.subject} grew from {seen.first / MIB:.1f} to {seen.last / MIB:.1f} MiB live in {seen.span_s:.0f} s "
        f"({seen.samples} samples, at least {seen.low / MIB:.0f} MiB/h)"
    )
