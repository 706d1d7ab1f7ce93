"""Services and their endpoints."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_services(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("services"), "type", "cluster_ip", "ports", namespace="travel", name="web") == [
        ("ClusterIP", "10.97.0.11", ("http:8080/TCP>8080",))
    ]


def test_service_endpoints(upgrade: Investigation) -> None:
    assert len(upgrade.frame("service_endpoints")) == 8
    assert cells(upgrade.frame("service_endpoints"), "address", namespace="istio-system") == [("10.244.1.10:8080",)]
