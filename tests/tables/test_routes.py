"""Routes: one row a route and destination; which proxy holds which configuration."""

from meshforensics.investigation import Investigation
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
