"""Pods: phase, node, address, workload, injection."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_pods(upgrade: Investigation) -> None:
    columns = ("pod", "phase", "ready", "node", "ip", "workload", "injected", "native_sidecar", "service_account")

    assert cells(upgrade.frame("pods"), *columns, namespace="istio-system") == [
        (
            "istio-ingressgateway-shpd585tt-9vm87",
            "Running",
            True,
            "worker-2",
            "10.244.1.10",
            "Deployment:istio-system/istio-ingressgateway",
            True,
            False,
            "istio-ingressgateway-service-account",
        )
    ]
    assert len(upgrade.frame("pods")) == 8
