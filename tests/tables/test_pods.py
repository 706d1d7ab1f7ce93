"""Pods: phase, node, address, workload, injection."""

import json

from meshforensics.formats.kubernetes import STAND_IN
from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of
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


def test_a_pod_of_the_network_of_its_node_is_told_apart() -> None:
    listed = {
        "kind": "PodList",
        "apiVersion": "v1",
        "items": [
            {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}, "spec": {"hostNetwork": True}},
            {"kind": "Pod", "metadata": {"name": "b", "namespace": "shop"}, "spec": {"nodeName": "n"}},
        ],
    }
    made = tables_of(("kubernetes.pods", "-", json.dumps(listed).encode())).frame("pods")

    assert cells(made, "pod", "host_network") == [("a", True), ("b", False)]


def test_a_pod_that_a_replay_made_says_nothing() -> None:
    made_up = {"name": "a", "namespace": "shop", "annotations": {STAND_IN: "no Pod object was captured"}}
    body = {"kind": "Pod", "metadata": made_up, "spec": {"containers": [{"name": "istio-proxy"}]}}
    tables = tables_of(("kubernetes.pods", "-", json.dumps({"kind": "PodList", "items": [body]}).encode()))

    assert (len(tables.frame("pods")), len(tables.frame("containers"))) == (0, 0)
