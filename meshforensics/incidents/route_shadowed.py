"""A rule can never match because of an earlier one."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import complete, missing


@incident("route-shadowed", about="A route can never match because an earlier one takes its requests.", precedence=9)
def route_shadowed(case: Case) -> Judgement:
    """Requests need not fail; where weights contradict the intent is not judged yet."""
    found = case.found("routing.shadowed-route")
    shadowed = Test(
        name="route-shadowed",
        role="necessary",
        passed=bool(found) or (False if complete(case, "route_instances") else None),
        text="; ".join(each.detail for each in found[:3]) or "no route stands behind one that takes its requests",
        check="routing.shadowed-route",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "route_instances", "envoy.config_dump"),
    )
    return Judgement(
        tests=(shadowed,),
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        mechanism="order of routes",
        summary="; ".join(each.detail for each in found[:2]),
        next="Put the narrower match first, or take one of them out.",
    )
