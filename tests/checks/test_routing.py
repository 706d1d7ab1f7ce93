"""Routes that lead nowhere."""

import pandas as pd
import pytest

from meshforensics.checks.routing import (
    cluster_without_endpoints,
    missing_cluster,
    missing_mirror,
    missing_tcp_cluster,
    shadowed_route,
)
from meshforensics.testing import frame, outcome

V1, V2 = "outbound|80|v1|pay.shop.svc.cluster.local", "outbound|80|v2|pay.shop.svc.cluster.local"


def _routes(cluster: str | None, weight: int | None = None) -> pd.DataFrame:
    return frame(
        "routes",
        resource=["r"],
        route_config=["80"],
        name=["primary"],
        cluster=[cluster],
        weight=[weight],
        object=[None],
    )


def _held(table: str, *names: str, state: str = "active", resource: str = "") -> pd.DataFrame:
    count = len(names)
    return frame(
        table,
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        name=list(names),
        state=[state] * count,
        resource=[resource or name for name in names],
    )


ROUTE = _held("route_instances", "80", resource="r")


@pytest.mark.parametrize(
    ("routes", "clusters", "found"),
    [
        pytest.param(_routes(V2), _held("cluster_instances", V1), [("shop/web-1",)], id="subset-gone"),
        pytest.param(_routes(V1), _held("cluster_instances", V1), [], id="there"),
        pytest.param(_routes(V2, 0), _held("cluster_instances", V1), [], id="weight-zero"),
        pytest.param(_routes("BlackHoleCluster"), _held("cluster_instances", V1), [], id="meant-to-fail"),
        pytest.param(_routes(None), _held("cluster_instances", V1), [], id="redirect"),
        pytest.param(_routes(V2), _held("cluster_instances", "xds-grpc"), [], id="a-dump-without-clusters"),
    ],
)
def test_missing_cluster(routes: pd.DataFrame, clusters: pd.DataFrame, found: list[tuple[str, ...]]) -> None:
    said = outcome(missing_cluster, routes=routes, route_instances=ROUTE, cluster_instances=clusters)

    assert [each.subjects for each in said.findings] == found


def test_a_rejected_route_leads_nowhere_and_says_nothing() -> None:
    said = outcome(
        missing_cluster,
        routes=_routes(V2),
        route_instances=_held("route_instances", "80", resource="r", state="error"),
        cluster_instances=_held("cluster_instances", V1),
    )

    assert said.findings == ()


@pytest.mark.parametrize(("mirrors", "found"), [((V2,), 1), ((V1,), 0), ((), 0), (None, 0)])
def test_missing_mirror(mirrors: tuple[str, ...] | None, found: int) -> None:
    routes = _routes(V1).assign(mirrors=pd.Series([mirrors], dtype="object"))

    said = outcome(
        missing_mirror, routes=routes, route_instances=ROUTE, cluster_instances=_held("cluster_instances", V1)
    )

    assert len(said.findings) == found


@pytest.mark.parametrize(
    ("cluster", "state", "found"),
    [
        pytest.param(V2, "active", [("shop/web-1",)], id="gone"),
        pytest.param(V1, "active", [], id="there"),
        pytest.param("PassthroughCluster", "active", [], id="of-another-kind"),
        pytest.param(V2, "error", [], id="of-a-refused-listener"),
    ],
)
def test_missing_tcp_cluster(cluster: str, state: str, found: list[tuple[str, ...]]) -> None:
    said = outcome(
        missing_tcp_cluster,
        filter_chains=frame("filter_chains", resource=["l"], listener=["0.0.0.0_9000"], clusters=[(cluster,)]),
        listener_instances=_held("listener_instances", "0.0.0.0_9000", state=state, resource="l"),
        cluster_instances=_held("cluster_instances", V1),
    )

    assert [each.subjects for each in said.findings] == found


@pytest.mark.parametrize(
    ("endpoints_of", "routed", "kind", "found"),
    [
        pytest.param([V2], V1, "EDS", [("shop/web-1",)], id="empty-and-routed"),
        pytest.param([V1], V1, "EDS", [], id="has-hosts"),
        pytest.param([V2], V2, "EDS", [], id="nobody-routes-to-it"),
        pytest.param([V2], V1, "STRICT_DNS", [], id="resolved-by-name"),
        pytest.param([], V1, "EDS", [], id="endpoints-of-this-proxy-not-told"),
    ],
)
def test_cluster_without_endpoints(
    endpoints_of: list[str], routed: str, kind: str, found: list[tuple[str, ...]]
) -> None:
    count = len(endpoints_of)
    said = outcome(
        cluster_without_endpoints,
        clusters=frame("clusters", resource=[V1], name=[V1], type=[kind], direction=["outbound"]),
        cluster_instances=_held("cluster_instances", V1),
        endpoints=frame("endpoints", namespace=["shop"] * count, pod=["web-1"] * count, cluster=endpoints_of),
        routes=_routes(routed),
        route_instances=ROUTE,
    )

    assert [each.subjects for each in said.findings] == found


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(missing_cluster).not_evaluated == (
        "not captured: routes; not captured: route_instances; not captured: cluster_instances"
    )
    assert (outcome(cluster_without_endpoints).not_evaluated or "").startswith("not captured: clusters")
    assert outcome(shadowed_route).not_evaluated == "not captured: routes; not captured: route_instances"


def _ordered(*matches: str) -> pd.DataFrame:
    """Routes of one virtual host, each of another name."""
    count = len(matches)
    return frame(
        "routes",
        resource=["r"] * count,
        route_config=["80"] * count,
        virtual_host=["pay"] * count,
        name=[f"r{number}" for number in range(count)],
        order=list(range(count)),
        match=list(matches),
        cluster=[V1] * count,
        weight=[None] * count,
        object=["VirtualService:shop/pay"] * count,
    )


@pytest.mark.parametrize(
    ("matches", "places"),
    [
        pytest.param(("prefix /", "prefix /api"), ["/1"], id="behind-everything"),
        pytest.param(("prefix /api", "prefix /"), [], id="narrow-first"),
        pytest.param(("prefix /api", "path /api/v1", "prefix /"), ["/1"], id="exact-behind-its-prefix"),
        pytest.param(("prefix / header end-user exact jason", "prefix /"), [], id="a-condition-lets-others-through"),
        pytest.param(("prefix /", "prefix / header end-user exact jason"), ["/1"], id="a-condition-behind-everything"),
        pytest.param(("prefix /", "regex /api.*"), ["/1"], id="a-regex-behind-everything"),
        pytest.param(("prefix /api", "regex /api.*"), [], id="a-regex-is-not-judged-further"),
        pytest.param(("prefix /", "connect"), [], id="no-prefix-takes-connect"),
        pytest.param(("prefix /",), [], id="one-route"),
    ],
)
def test_shadowed_route(matches: tuple[str, ...], places: list[str]) -> None:
    said = outcome(shadowed_route, routes=_ordered(*matches), route_instances=ROUTE)

    assert [each.evidence[0].pointer for each in said.findings] == places


def test_a_route_that_is_written_twice_loses_nothing() -> None:
    twice = _ordered("prefix /", "prefix /").assign(name="default")
    elsewhere = twice.assign(cluster=[V1, "outbound|80|v2|pay"])

    assert outcome(shadowed_route, routes=twice, route_instances=ROUTE).findings == ()
    assert len(outcome(shadowed_route, routes=elsewhere, route_instances=ROUTE).findings) == 1


def test_one_object_makes_the_routes_of_all_its_hosts() -> None:
    two = pd.concat([_ordered("prefix /", "prefix /api").assign(virtual_host=host) for host in ("pay", "user")])

    (finding,) = outcome(shadowed_route, routes=two.reset_index(drop=True), route_instances=ROUTE).findings

    assert finding.detail.partition(",")[0] == "in pay of 80"


def test_a_route_is_judged_within_its_own_virtual_host() -> None:
    """Two hosts of one route configuration have the same order and match in places."""
    two = pd.concat([_ordered("prefix /"), _ordered("prefix /", "prefix /api").assign(virtual_host="user")])

    said = outcome(shadowed_route, routes=two.reset_index(drop=True), route_instances=ROUTE)

    assert [(each.detail.partition(",")[0], len(each.subjects)) for each in said.findings] == [("in user of 80", 1)]
