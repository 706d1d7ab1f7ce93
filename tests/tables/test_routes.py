"""Routes: one row a route and destination; which proxy holds which configuration."""

from pathlib import Path

from meshforensics.investigation import Investigation, open_evidence
from tests.tables.reading import cells


def test_weighted_destinations_are_rows(upgrade: Investigation) -> None:
    columns = ("route_config", "name", "match", "order", "cluster", "weight", "object")

    assert cells(upgrade.frame("routes"), *columns, virtual_host="search.travel.svc.cluster.local:8080") == [
        (
            "8080",
            "primary",
            "prefix /",
            0,
            f"outbound|8080|{subset}|search.travel.svc.cluster.local",
            weight,
            "VirtualService:travel/search",
        )
        for subset, weight in (("v1", 70), ("v2", 30))
    ]


def test_virtual_hosts_say_their_domains(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("virtual_hosts"), "domains", route_config="8080", name="allow_any") == [(("*",),)] * 2


def test_inline_routes_are_instances_too(upgrade: Investigation) -> None:
    instances = cells(upgrade.frame("route_instances"), "name", "state", "version_info", pod="web-v1-zbgtfcww9-9ns8s")

    assert instances[2:] == [("inbound|8080||", "static", None), ("8080", "active", "2026-11-23T18:49:43Z/1")]


def test_an_inline_route_that_the_dump_lists_is_one_however_it_is_spelled(corpus: Path) -> None:
    """Istio 1.0: the listener holds it in snake case, the list of static routes in camel case."""
    b = open_evidence(corpus / "envoy_config_dump/istio-1.0_configs_is_a_map_v2alpha.json")

    instances = b.frame("route_instances")

    assert set(instances["state"]) == {"static"}
    assert len(instances) == 12
    assert instances["pointer"].str.startswith("/configs/routes/staticRouteConfigs/").all()


def test_inline_routes_of_a_dump_that_does_not_list_them(corpus: Path) -> None:
    b = open_evidence(corpus / "envoy_config_dump/istio-1.4dev_2019-09_util_configdump.json")

    assert cells(b.frame("route_instances"), "name", "state", "pointer") == [
        ("inbound|9080||productpage.default.svc.cluster.local", "static", "/configs/3/staticRouteConfigs/0"),
        ("15004", "active", "/configs/3/dynamicRouteConfigs/0"),
        (
            "8080",
            "active",
            "/configs/2/dynamicActiveListeners/1/listener/filterChains/0/filters/0/config/route_config",
        ),
    ]
