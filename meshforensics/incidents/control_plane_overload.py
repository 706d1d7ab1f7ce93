"""istiod is slower than it should be, and proxies wait."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.model import Severity
from meshforensics.tables import text


@incident(
    "control-plane-overload", about="istiod pushes slower than the profile allows, and proxies wait.", precedence=11
)
def control_plane_overload(case: Case) -> Judgement:
    """Metrics of one capture count since istiod's start, so it is supported only with proxies in waiting."""
    found = case.found("control-plane.slow-convergence")
    behind = tuple(each for each in case.found("sync.stale", "sync.never-sent") if each.severity is not Severity.INFO)
    histograms = case.source.frame("histograms")
    told = bool((text(histograms["name"]) == "pilot_proxy_convergence_time").any())
    slow = Test(
        name="pushes-are-slow",
        role="necessary",
        passed=bool(found) or (False if told else None),
        text="; ".join(each.detail for each in found)
        or ("pushes reach proxies in time" if told else "istiod's push times were not captured"),
        check="control-plane.slow-convergence",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
    )
    waiting = Test(
        name="proxies-wait",
        role="confirms",
        passed=True if behind else None,
        text="; ".join(each.detail for each in behind[:2]) or "no proxy was seen waiting",
        check="sync.stale",
        evidence=tuple(place for each in behind for place in each.evidence[:1]),
    )
    return Judgement(
        tests=(slow, waiting),
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        mechanism="slow pushes",
        summary="; ".join(each.detail for each in found),
        next="Look at istiod's throttling and push sizes before adding replicas.",
    )
