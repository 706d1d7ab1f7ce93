"""A route in use names a cluster or subset that the proxy does not have."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    complete,
    edges_in_words,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    shown,
    subjects_of,
)
from meshforensics.model import format_time
from meshforensics.model.words import count_of

FAMILIES = ("no-cluster",)


@incident(
    "route-to-missing-cluster",
    about="A route in use names a cluster or subset that the proxy does not have (NC).",
    precedence=20,
)
def route_to_missing_cluster(case: Case) -> Judgement:
    """The cluster is absent, not empty: empty is no-healthy-upstream."""
    found = case.found("routing.missing-cluster")
    failed = failed_by(case, FAMILIES)
    named = Test(
        name="route-names-missing-cluster",
        role="necessary",
        passed=bool(found)
        or (False if complete(case, "route_instances", "cluster_instances") and not len(failed) else None),
        text="; ".join(each.detail for each in found[:3]) or "every route leads to a cluster that is there",
        check="routing.missing-cluster",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "cluster_instances", "envoy.config_dump"),
    )
    used = Test(
        name="route-in-use",
        role="confirms",
        passed=True if len(failed) else None,
        text=f"{count_of(how_many(failed), 'call')} answered NC, cluster_not_found: {edges_in_words(failed)}"
        if len(failed)
        else case.source.reason("calls") or "no call failed for a missing cluster in the window",
        check="traffic.server-errors",
        evidence=shown(case, failed),
        missing=missing(case, "calls", "log.istio-proxy") if case.source.reason("calls") else (),
    )
    clusters = sorted({str(each.observed.value) for each in found if each.observed})
    since = f" since {format_time(first_at(failed))}" if first_at(failed) else ""
    return Judgement(
        tests=(named, used),
        subjects=subjects_of(failed) or tuple(dict.fromkeys(s for each in found for s in each.subjects)),
        onset=first_at(failed),
        mechanism="route names a missing cluster",
        summary=f"Routes lead to {', '.join(clusters) or 'a cluster'} that proxies do not have; "
        f"{count_of(how_many(failed), 'call')} failed{since}.",
        next="Add the missing subset to the DestinationRule, or take the destination out of the route.",
        impact=impact_of(case, failed),
        explained=how_many(failed),
    )
