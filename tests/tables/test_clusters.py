"""Clusters: each distinct one once, and which proxy holds which."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_a_cluster_says_its_limits_and_whom_it_accepts(upgrade: Investigation) -> None:
    columns = ("type", "direction", "port", "subset", "host", "connect_timeout_s", "max_connections", "tls", "sans")

    assert cells(upgrade.frame("clusters"), *columns, name="outbound|8080|v1|search.travel.svc.cluster.local") == [
        (
            "EDS",
            "outbound",
            8080,
            "v1",
            "search.travel.svc.cluster.local",
            10.0,
            4294967295,
            True,
            ("spiffe://mesh.travel/ns/travel/sa/search",),
        )
    ]


def test_like_proxies_share_resources(upgrade: Investigation) -> None:
    clusters, instances = upgrade.frame("clusters"), upgrade.frame("cluster_instances")

    assert (len(clusters), clusters["resource"].nunique(), len(instances)) == (20, 20, 72)
    assert set(instances["resource"]) == set(clusters["resource"])


def test_an_instance_is_dated(upgrade: Investigation) -> None:
    name = "outbound|8080|v1|search.travel.svc.cluster.local"
    columns = ("version_info", "state", "last_updated")

    assert cells(upgrade.frame("cluster_instances"), *columns, pod="web-v1-zbgtfcww9-9ns8s", name=name) == [
        ("2026-11-23T18:49:43Z/1", "active", "2026-11-23T18:49:44.513000+00:00")
    ]
    assert len(cells(upgrade.frame("cluster_instances"), "name", pod="web-v1-zbgtfcww9-9ns8s", state="static")) == 4
