"""Live memory of a proxy grows, and neither requests nor configuration nor series explain it."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._drivers import rate, samples_of, unfinished_share
from meshforensics.incidents._evidence import known_proxies, shown
from meshforensics.incidents._growth import Trend, correlation, trend
from meshforensics.model import Missing, format_time
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


@incident(
    "memory-leak",
    about="Live memory of a proxy grows and its drivers do not explain it, or requests pile up unfinished.",
    precedence=45,
)
def memory_leak(case: Case) -> Judgement:
    """A series shorter than the profile's minimum can at most be possible."""
    memory = case.source.over_time("memory")
    growers = [grower for pod in sorted(set(keys(memory, "namespace", "pod"))) if (grower := _grower(case, pod))]
    leaking = [each for each in growers if not each.explained_by]
    onset = min((each.onset for each in leaking), default=None)
    return Judgement(
        tests=(_grows(case, memory, growers), _unexplained(growers)),
        subjects=tuple(each.subject for each in leaking),
        onset=onset,
        mechanism=leaking[0].mechanism if leaking else "",
        summary=_summary(leaking),
        next="Capture a longer series before anything is restarted; then close what piles up (idle timeout, pool "
        "limits) or roll the proxy version back on one workload.",
    )


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


def _grows(case: Case, memory: pd.DataFrame, growers: list[Grower]) -> Test:
    least, span = case.profile.number("memory.samples"), case.profile.number("memory.span")
    samples = memory[memory["captured_at"].notna()].groupby(["namespace", "pod"], observed=True)["captured_at"]
    longest = samples.agg(lambda at: (at.max() - at.min()).total_seconds()).max() if len(memory) else 0.0
    followed = {key for key, at in samples if at.nunique() >= least}
    clear = bool(known_proxies(case)) and known_proxies(case) <= followed and longest >= span
    return Test(
        name="live-memory-grows",
        role="necessary",
        passed=True if growers else (False if clear else None),
        thin=longest < span,
        text="; ".join(_in_words(each) for each in growers)
        or (f"no significant growth in {longest:.0f} s" if followed else "no series: one sample shows no growth"),
        check="memory-leak.trend",
        evidence=tuple(place for each in growers[:2] for place in shown(case, each.rows.iloc[[0, -1]])),
        missing=() if followed and longest >= span else (_longer(longest, span),),
    )


def _unexplained(growers: list[Grower]) -> Test:
    leaking = [each for each in growers if not each.explained_by]
    explained = [f"{each.subject} follows {each.explained_by}" for each in growers if each.explained_by]
    known = [each for each in leaking if each.drivers_known]
    passed = True if known else (None if leaking or not growers else False)
    said = [f"{each.subject}: {each.mechanism}" for each in leaking] + explained
    return Test(
        name="drivers-do-not-explain",
        role="necessary",
        passed=passed,
        text="; ".join(said) or "nothing grows that could be explained",
        check="memory-leak.drivers",
    )


def _longer(have: float, need: float) -> Missing:
    return Missing(
        kind="envoy.memory",
        subject="-",
        why=f"a series of {have:.0f} s, where {need:.0f} s can support a leak",
        command="istioctl bug-report every 20 minutes, or Prometheus envoy_server_memory_allocated",
    )


def _in_words(each: Grower) -> str:
    seen = each.trend
    return (
        f"{each.subject} grew from {seen.first / MIB:.1f} to {seen.last / MIB:.1f} MiB live in {seen.span_s:.0f} s "
        f"({seen.samples} samples, at least {seen.low / MIB:.0f} MiB/h)"
    )


def _summary(leaking: list[Grower]) -> str:
    if not leaking:
        return "No proxy's live memory grows without an explanation."
    return (
        f"{'; '.join(_in_words(each) for each in leaking[:3])}, since {format_time(min(e.onset for e in leaking))}: "
        + (leaking[0].mechanism + ".")
    )
