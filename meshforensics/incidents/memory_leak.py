"""Live memory of a proxy grows, and neither requests nor configuration nor series explain it."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import known_proxies, shown
from meshforensics.incidents._growers import Grower, growers, in_words
from meshforensics.model import Missing, format_time


@incident(
    "memory-leak",
    about="Live memory of a proxy grows and its drivers do not explain it, or requests pile up unfinished.",
    precedence=45,
)
def memory_leak(case: Case) -> Judgement:
    """A series shorter than the profile's minimum can at most be possible."""
    memory = case.source.over_time("memory")
    grown = growers(case)
    leaking = [each for each in grown if not each.explained_by]
    onset = min((each.onset for each in leaking), default=None)
    return Judgement(
        tests=(grows(case, memory, grown), _unexplained(grown)),
        subjects=tuple(each.subject for each in leaking),
        onset=onset,
        mechanism=leaking[0].mechanism if leaking else "",
        summary=_summary(leaking),
        next="Capture a longer series before anything is restarted; then close what piles up (idle timeout, pool "
        "limits) or roll the proxy version back on one workload.",
    )


def grows(case: Case, memory: pd.DataFrame, grown: list[Grower]) -> Test:
    """The test that the live memory of some proxy grows; a short series makes it thin."""
    least, span = case.profile.number("memory.samples"), case.profile.number("memory.span")
    samples = memory[memory["captured_at"].notna()].groupby(["namespace", "pod"], observed=True)["captured_at"]
    longest = samples.agg(lambda at: (at.max() - at.min()).total_seconds()).max() if len(memory) else 0.0
    followed = {key for key, at in samples if at.nunique() >= least}
    clear = bool(known_proxies(case)) and known_proxies(case) <= followed and longest >= span
    return Test(
        name="live-memory-grows",
        role="necessary",
        passed=True if grown else (False if clear else None),
        thin=longest < span,
        text="; ".join(in_words(each) for each in grown)
        or (f"no significant growth in {longest:.0f} s" if followed else "no series: one sample shows no growth"),
        check="memory-leak.trend",
        evidence=tuple(place for each in grown[:2] for place in shown(case, each.rows.iloc[[0, -1]])),
        missing=() if followed and longest >= span else (_longer(longest, span),),
    )


def _unexplained(grown: list[Grower]) -> Test:
    leaking = [each for each in grown if not each.explained_by]
    explained = [f"{each.subject} follows {each.explained_by}" for each in grown if each.explained_by]
    known = [each for each in leaking if each.drivers_known]
    passed = True if known else (None if leaking or not grown else False)
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


def _summary(leaking: list[Grower]) -> str:
    if not leaking:
        return "No proxy's live memory grows without an explanation."
    return (
        f"{'; '.join(in_words(each) for each in leaking[:3])}, since {format_time(min(e.onset for e in leaking))}: "
        + (leaking[0].mechanism + ".")
    )
