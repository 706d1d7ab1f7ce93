"""Live memory of a proxy grows, and neither requests nor configuration nor series explain it."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import known_proxies
from meshforensics.incidents._growers import Grower, came_down, growers, in_words
from meshforensics.model import Missing, format_time
from meshforensics.tables import keys


@incident(
    "memory-leak",
    about="Live memory of a proxy grows and its drivers do not explain it, or requests pile up unfinished.",
    precedence=45,
    notebook="memory_leak",
)
def memory_leak(case: Case) -> Judgement:
    """A series shorter than the profile's minimum can at most be possible."""
    grown = growers(case)
    leaking = [each for each in grown if not each.explained_by]
    return Judgement(
        tests=(grows(case, grown), _unexplained(grown)),
        subjects=tuple(each.subject for each in leaking),
        onset=min((each.onset for each in leaking), default=None),
        mechanism=leaking[0].mechanism if leaking else "",
        summary=_summary(leaking),
        next="Capture a longer series before anything is restarted; then close what piles up (idle timeout, pool "
        "limits) or roll the proxy version back on one workload.",
    )


def grows(case: Case, grown: list[Grower]) -> Test:
    """The test that the live memory of some proxy grows; a short series makes it thin."""
    growth = case.source.over_time("growth")
    span = case.profile.number("memory.span")
    followed = growth[growth["samples"] >= case.profile.number("memory.samples")]
    longest = float(followed["span_s"].max()) if len(followed) else 0.0
    clear = bool(known_proxies(case)) and known_proxies(case) <= set(keys(followed, "namespace", "pod"))
    return Test(
        name="live-memory-grows",
        role="necessary",
        passed=True if grown else (False if clear and longest >= span else None),
        thin=longest < span or not any(each.sure or came_down(each) for each in grown),
        text="; ".join(in_words(each) for each in grown)
        or (f"no significant growth in {longest:.0f} s" if len(followed) else "no series: one sample shows no growth"),
        check="proxies.memory-grows",
        evidence=tuple(
            case.source.evidence_at(*place)
            for each in grown[:3]
            for place in (each.row["evidence"][0], each.row["evidence"][-1])
        ),
        missing=() if longest >= span else (_longer(longest, span),),
    )


def _unexplained(grown: list[Grower]) -> Test:
    leaking = [each for each in grown if not each.explained_by]
    explained = [f"{each.subject} follows {each.explained_by}" for each in grown if each.explained_by]
    known = [each for each in leaking if each.drivers_known]
    said = [f"{each.subject}: {each.mechanism}" for each in leaking] + explained
    return Test(
        name="drivers-do-not-explain",
        role="necessary",
        passed=True if known else (None if leaking or not grown else False),
        text="; ".join(said) or "nothing grows that could be explained",
        check="proxies.memory-grows",
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
    since = format_time(min(each.onset for each in leaking))
    who = ", ".join(each.subject for each in leaking[:3]) + (" and others" if len(leaking) > 3 else "")
    what = leaking[0].mechanism
    return f"{what[0].upper()}{what[1:]} in {who}, since {since}. {'; '.join(in_words(each) for each in leaking[:3])}."
