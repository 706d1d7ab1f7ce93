"""istiod is slower than it should be, and proxies wait."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import known_proxies, missing
from meshforensics.model import Finding, Severity

_STRAINS = {
    "control-plane.slow-convergence": "slow pushes",
    "control-plane.slow-queue": "a long push queue",
    "control-plane.slow-push": "pushes that take long to make",
    "control-plane.slow-since-start": "slow pushes",
    "control-plane.throttled": "throttling of istiod",
    "control-plane.cpu-near-limit": "CPU of istiod at its limit",
    "control-plane.memory-near-limit": "memory of istiod at its limit",
    "control-plane.oom-killed": "istiod killed for memory",
    "control-plane.write-timeouts": "responses that time out",
    "control-plane.reconnects": "proxies that connect anew",
}
"""Findings that show an istiod beyond its profile, the plainest first, with the mechanism."""

_SINCE_START = "control-plane.slow-since-start"
_WAITING = ("sync.stale", "sync.never-sent")
_TIMES = ("pilot_proxy_convergence_time", "pilot_proxy_queue_time")
_MOST = 0.5
"""One proxy that hangs is at most one of two: where more of the pushes were slow, it is not the one."""


@incident(
    "control-plane-overload", about="istiod pushes slower than the profile allows, and proxies wait.", precedence=11
)
def control_plane_overload(case: Case) -> Judgement:
    """Metrics of one capture count since istiod's start, so it is supported only with proxies in waiting."""
    found = _strains(case)
    waiting = [each for each in _behind(case) if found]
    return Judgement(
        tests=(_strained(case, found), _wait(case)),
        subjects=tuple(dict.fromkeys(subject for each in (*found, *waiting) for subject in each.subjects)),
        mechanism=_STRAINS[found[0].check] if found else "",
        summary=". ".join(("; ".join(each.detail for each in found[:3]), *(_who_waits(each) for each in waiting[:1]))),
        next="Look at istiod's throttling and push sizes before adding replicas.",
    )


def _behind(case: Case) -> list[Finding]:
    """Findings of proxies that wait for what istiod should have sent."""
    return [each for each in case.found(*_WAITING) if each.severity is not Severity.INFO]


def _who_waits(found: Finding) -> str:
    """A finding of proxies in waiting, with the first of them by name."""
    return f"{found.detail}: {', '.join(found.subjects[:3])}{' and more' if len(found.subjects) > 3 else ''}"


def _strains(case: Case) -> list[Finding]:
    """By mechanism, the plainest first; what is no more than information shows no strain, but for the span."""
    found = case.found(*_STRAINS)
    worth = [each for each in found if each.severity is not Severity.INFO or each.check == _SINCE_START]
    return sorted(worth, key=lambda each: list(_STRAINS).index(each.check))


def _strained(case: Case, found: list[Finding]) -> Test:
    histograms = case.source.frame("histograms")
    told = bool(histograms["name"].isin(_TIMES).any())
    return Test(
        name="istiod-beyond-its-profile",
        role="necessary",
        passed=bool(found) or (False if told else None),
        text="; ".join(each.detail for each in found)
        or ("pushes reach proxies in time" if told else "istiod's push times were not captured"),
        check=found[0].check if found else "control-plane.slow-convergence",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
    )


def _wait(case: Case) -> Test:
    """One proxy of several that waits is its own trouble (config-stale), unless most pushes were slow to arrive."""
    behind = _behind(case)
    queued = case.found("control-plane.slow-queue")
    waiting = {subject for each in behind for subject in each.subjects}
    alone = len(waiting) == 1 and len(known_proxies(case)) > 1 and _slow_share(case) <= _MOST
    known = not case.source.reason("xds_sync")
    return Test(
        name="proxies-wait",
        role="confirms",
        passed=True if behind or queued else (False if known else None),
        thin=not queued and alone,
        text="; ".join(each.detail for each in (*behind[:2], *queued[:1])) or "no proxy was seen waiting",
        check="sync.stale" if behind or not queued else "control-plane.slow-queue",
        evidence=tuple(place for each in (*behind, *queued) for place in each.evidence[:1]),
        missing=() if known else missing(case, "xds_sync", "istiod.syncz"),
    )


def _slow_share(case: Case) -> float:
    shares = [each.observed.value for each in case.found("control-plane.slow-convergence") if each.observed]
    return max((each for each in shares if isinstance(each, float)), default=0.0)
