"""Routing: do routes lead somewhere."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import among, keys, text, texts, where

_NO_CLUSTER = ("", "BlackHoleCluster", "PassthroughCluster", "InboundPassthroughCluster")
_PROXY = ["namespace", "pod"]


@check(
    "routing.missing-cluster",
    phase="configuration",
    plane="state",
    severity="error",
    by=["cluster"],
    observed="cluster",
    title="A route leads to a cluster that the proxy does not have",
    detail="route {name} of {route_config} ({object}) names {cluster}, which {count:proxy does|proxies do} not have",
    remediation="Add the missing subset to the DestinationRule, or take the destination out of the VirtualService.",
    source="guide, phase 2, step 4 (failed cluster configurations); Envoy: NC, cluster_not_found; istioctl analyze "
    "IST0101",
)
def missing_cluster(
    routes: pd.DataFrame, route_instances: pd.DataFrame, cluster_instances: pd.DataFrame
) -> pd.DataFrame:
    return _shown(_lacking(_routes_of_proxies(routes, route_instances), cluster_instances))


def _lacking(used: pd.DataFrame, cluster_instances: pd.DataFrame) -> pd.DataFrame:
    """The rows whose `cluster` their proxy does not have, where any of its clusters of the mesh are known."""
    held = cluster_instances[cluster_instances["state"].isin(["active", "static", "warming"])]
    known = held[text(held["name"]).str.contains("|", regex=False)]
    used = used[~text(used["cluster"]).isin(_NO_CLUSTER)]
    told = among(used, _PROXY, known, _PROXY)
    return where(used, told & ~among(used, [*_PROXY, "cluster"], held, [*_PROXY, "name"]))


@check(
    "routing.missing-mirror",
    phase="configuration",
    plane="state",
    severity="info",
    by=["cluster"],
    observed="cluster",
    title="A route mirrors to a cluster that the proxy does not have",
    detail="route {name} of {route_config} ({object}) mirrors to {cluster}, which {count:proxy does|proxies do} not "
    "have",
    remediation="Correct the mirror in the VirtualService: the requests themselves go on, the copies are dropped.",
    source="guide, phase 2, step 4; Envoy request_mirror_policies",
)
def missing_mirror(
    routes: pd.DataFrame, route_instances: pd.DataFrame, cluster_instances: pd.DataFrame
) -> pd.DataFrame:
    mirrored = routes.assign(cluster=routes["mirrors"]).explode("cluster")
    return _shown(_lacking(_routes_of_proxies(mirrored.reset_index(drop=True), route_instances), cluster_instances))


@check(
    "routing.missing-tcp-cluster",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["cluster"],
    observed="cluster",
    title="A listener hands connections to a cluster that the proxy does not have",
    detail="{chain} of listener {listener} leads to {cluster}, which {count:proxy does|proxies do} not have",
    remediation="Look for the Service or ServiceEntry behind it, and for a rejected cluster.",
    source="guide, phase 2, step 4; Envoy tcp_proxy: connections to an unknown cluster are closed (NC)",
)
def missing_tcp_cluster(
    filter_chains: pd.DataFrame, listener_instances: pd.DataFrame, cluster_instances: pd.DataFrame
) -> pd.DataFrame:
    spread = filter_chains.assign(cluster=filter_chains["clusters"]).explode("cluster").reset_index(drop=True)
    spread = spread[text(spread["cluster"]).str.contains("|", regex=False)]
    live = listener_instances[listener_instances["state"].isin(["active", "static"])]
    shown = spread.assign(chain=text(spread["name"]))[["resource", "listener", "chain", "cluster", "item", "pointer"]]
    return _shown(_lacking(_held(live, shown), cluster_instances))


def _routes_of_proxies(routes: pd.DataFrame, route_instances: pd.DataFrame) -> pd.DataFrame:
    """Each route with each proxy that holds it; a route counts only where its weight does."""
    routes = routes[routes["weight"].isna() | (routes["weight"] > 0)]
    active = route_instances[~route_instances["state"].isin(["error", "warming"])]
    own = ["resource", "route_config", "virtual_host", "name", "order", "match", "cluster", "object", "weight"]
    return _held(active.drop(columns=["name"]), routes[[*own, "item", "pointer"]])


def _held(instances: pd.DataFrame, resources: pd.DataFrame) -> pd.DataFrame:
    """What resources say, beside each proxy that holds them; `said_item`, `said_pointer`: where it was first seen."""
    said = resources.rename(columns={"item": "said_item", "pointer": "said_pointer"})
    return instances.assign(resource=text(instances["resource"])).merge(
        said.assign(resource=text(said["resource"])), on="resource"
    )


def _shown(held: pd.DataFrame) -> pd.DataFrame:
    """With evidence: where it was first seen, then the configuration of this proxy that holds it."""
    both = [(each[:2], each[2:]) for each in keys(held, "said_item", "said_pointer", "item", "pointer")]
    return held.assign(evidence=pd.Series(both, index=held.index, dtype="object"))


@check(
    "routing.cluster-without-endpoints",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["cluster"],
    observed="hosts",
    unit="hosts",
    title="A cluster in use by a route has no endpoints",
    detail="{cluster} has no endpoint on {count:proxy that routes|proxies that route} to it",
    remediation="Compare the Service's selector and the subset's labels with the pods that are ready.",
    source="guide, phase 2, step 4; Envoy /clusters; a service scaled to zero is rightly empty",
)
def cluster_without_endpoints(
    clusters: pd.DataFrame,
    cluster_instances: pd.DataFrame,
    endpoints: pd.DataFrame,
    routes: pd.DataFrame,
    route_instances: pd.DataFrame,
) -> pd.DataFrame:
    by_eds = clusters[(clusters["type"] == "EDS") & (clusters["direction"] == "outbound")]
    held = cluster_instances[
        cluster_instances["resource"].isin(by_eds["resource"]) & (cluster_instances["state"] == "active")
    ]
    held = where(held, among(held, _PROXY, endpoints, _PROXY))
    held = where(held, ~among(held, [*_PROXY, "name"], endpoints, [*_PROXY, "cluster"]))
    routed = _routes_of_proxies(routes, route_instances)
    found = where(held, among(held, [*_PROXY, "name"], routed, [*_PROXY, "cluster"]))
    return found.assign(cluster=text(found["name"]), hosts=0)


@check(
    "routing.shadowed-route",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["cause", "match"],
    observed="match",
    title="A route can never match because of an earlier one",
    detail="in {virtual_host} of {route_config}, {name} ({match}) of {object} stands behind {earlier}, which takes "
    "its requests",
    remediation="Put the narrower match first in the VirtualService, or take one of them out.",
    source="guide, phase 2, step 4 (conflicting route rules); Envoy: the first route that matches is taken; IST0130",
)
def shadowed_route(routes: pd.DataFrame, route_instances: pd.DataFrame) -> pd.DataFrame:
    """Only plain prefixes shadow: a match with further conditions lets others through.

    What shadows what is the same for every proxy that holds the configuration, so it is found once; and one
    object makes the routes of all its hosts.
    """
    behind = _covered(routes)
    routes = routes[routes["order"].notna()]
    routes = where(routes, (each in behind for each in _orders(routes)))
    host = ["namespace", "pod", "resource", "virtual_host", "order"]
    held = _shown(_routes_of_proxies(routes, route_instances).sort_values(host, kind="stable").drop_duplicates(host))
    cause = text(held["object"]).where(
        text(held["object"]) != "", text(held["route_config"]) + " " + text(held["virtual_host"])
    )
    return held.assign(earlier=[behind[each] for each in _orders(held)], cause=cause).reset_index(drop=True)


_Order = tuple[str, str, int]


def _orders(routes: pd.DataFrame) -> list[_Order]:
    """Configuration, virtual host and place of each route."""
    return list(
        zip(texts(routes["resource"]), texts(routes["virtual_host"]), routes["order"].astype("int64"), strict=True)
    )


def _covered(routes: pd.DataFrame) -> dict[_Order, str]:
    """The routes that an earlier plain prefix of their virtual host covers, with that match.

    One that does what the earlier one does anyway is written twice, and nothing is lost by it.
    """
    routes = routes[(routes["weight"].isna() | (routes["weight"] > 0)) & (text(routes["match"]) != "")]
    routes = routes[routes["order"].notna()]
    hosts: dict[tuple[str, str], dict[int, str]] = {}
    does: dict[_Order, set[tuple[str, ...]]] = {}
    for order, match, done in zip(_orders(routes), texts(routes["match"]), keys(routes, *_DONE), strict=True):
        hosts.setdefault(order[:2], {}).setdefault(order[2], match)
        does.setdefault(order, set()).add(done)
    behind: dict[_Order, str] = {}
    for (resource, host), matches in hosts.items():
        orders = sorted(matches)
        for position, (cover, earlier) in _shadows([matches[order] for order in orders]).items():
            of = (resource, host, orders[position])
            if does[of] != does[resource, host, orders[cover]]:
                behind[of] = earlier
    return behind


_DONE = (
    *("name", "object", "cluster", "weight", "cluster_header", "direct_response", "redirect"),
    *("mirrors", "timeout_s", "retry_on", "retries"),
)
"""What a route does with the requests that it takes."""


def _shadows(matches: list[str]) -> dict[int, tuple[int, str]]:
    """Positions that an earlier plain prefix covers, with the position of that and its match."""
    found: dict[int, tuple[int, str]] = {}
    plain: dict[str, int] = {}
    for position, match in enumerate(matches):
        kind, _, rest = match.partition(" ")
        path = rest.split(" ")[0]
        told = kind in {"prefix", "path", "path_separated_prefix"}
        covers = (each for each in plain if (told and path.startswith(each)) or (each == "/" and kind != "connect"))
        cover = next(covers, None)
        if cover is not None:
            found[position] = (plain[cover], f"prefix {cover}")
        if kind == "prefix" and rest == path:
            plain.setdefault(path, position)
    return found
