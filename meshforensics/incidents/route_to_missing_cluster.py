"""A route in use names a cluster or subset that the proxy does not have."""

from collections.abc import Iterable

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
from meshforensics.incidents._peers import destination_rules, host_of, routes_to
from meshforensics.model import format_time
from meshforensics.model.words import count_of
from meshforensics.tables import texts

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
    objects = behind_missing(case, clusters)
    since = f" since {format_time(first_at(failed))}" if first_at(failed) else ""
    return Judgement(
        tests=(named, used),
        subjects=(
            *(subjects_of(failed) or tuple(dict.fromkeys(s for each in found for s in each.subjects))),
            *objects,
        ),
        onset=first_at(failed),
        mechanism="route names a missing cluster",
        summary=f"Routes{in_brackets(objects)} lead to {', '.join(clusters) or 'a cluster'} that proxies do not have; "
        f"{count_of(how_many(failed), 'call')} failed{since}.",
        next="Add the missing subset to the DestinationRule, or take the destination out of the route.",
        impact=impact_of(case, failed),
        explained=how_many(failed),
    )


def behind_missing(case: Case, clusters: Iterable[str]) -> tuple[str, ...]:
    """What makes routes lead to missing clusters: the objects of the routes, and the DestinationRules of the hosts.

    A subset that is missing is one that no DestinationRule of the host declares, or that the route should not name.
    """
    named = sorted(set(clusters))
    makers = set(texts(routes_to(case, named)["object"])) - {""}
    return (*sorted(makers), *destination_rules(case, {host_of(each) for each in named} - {""}))


def in_brackets(objects: Iterable[str]) -> str:
    """Objects as a part of a sentence; nothing for none."""
    said = ", ".join(objects)
    return f" ({said})" if said else ""
