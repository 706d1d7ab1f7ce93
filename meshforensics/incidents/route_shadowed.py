"""A rule can never match because of an earlier one."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import complete, missing
from meshforensics.model import Finding
from meshforensics.tables import texts


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
    pods = dict.fromkeys(subject for each in found for subject in each.subjects)
    return Judgement(
        tests=(shadowed,),
        subjects=(*_objects(case, found), *pods),
        mechanism="order of routes",
        summary="; ".join(each.detail for each in found[:2]),
        next="Put the narrower match first, or take one of them out.",
    )


def _objects(case: Case, found: tuple[Finding, ...]) -> tuple[str, ...]:
    """The objects that made the shadowed routes."""
    matches = {str(each.observed.value) for each in found if each.observed}
    routes = case.source.frame("routes")
    return tuple(sorted(set(texts(routes[routes["match"].isin(sorted(matches))]["object"])) - {""}))
