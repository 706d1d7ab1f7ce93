"""Endpoints: what /clusters says of each host; what only EDS has is added."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_hosts_have_health_and_counters(upgrade: Investigation) -> None:
    columns = ("address", "health", "flags", "weight", "cx_total", "source")
    cluster = "outbound|8080|v1|search.travel.svc.cluster.local"

    assert cells(upgrade.frame("endpoints"), *columns, pod="web-v1-zbgtfcww9-9ns8s", cluster=cluster) == [
        ("10.244.1.12:8080", "HEALTHY", (), 1, 8, "clusters")
    ]
    assert set(upgrade.frame("endpoints")["source"]) == {"clusters"}
