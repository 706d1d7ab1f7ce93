"""Containers: state, restarts, limits."""

import json
from pathlib import Path

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of
from tests.conftest import Opened
from tests.tables.reading import cells


def test_containers(upgrade: Investigation) -> None:
    columns = ("container", "role", "ready", "restarts", "state", "memory_limit_bytes", "cpu_limit_m")

    assert cells(upgrade.frame("containers"), *columns, pod="web-v1-zbgtfcww9-9ns8s") == [
        ("web", "app", True, 0, "running", 268435456, None),
        ("istio-proxy", "sidecar", True, 0, "running", 1073741824, 2000),
    ]


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {
        "initContainers": [
            {
                "name": "istio-proxy",
                "restartPolicy": "Always",
                "startupProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}},
                "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021, "scheme": "HTTPS"}},
            }
        ],
        "containers": [
            {"name": "web", "readinessProbe": {"tcpSocket": {"port": 80}}, "startupProbe": {"exec": {"command": ["x"]}}}
        ],
    },
    "status": {"initContainerStatuses": [{"name": "istio-proxy", "ready": False, "started": False}]},
}


def test_a_container_says_which_probes_it_has_and_which_it_passed() -> None:
    columns = ("container", "role", "started", "readiness_probe", "startup_probe")
    made = tables_of(("kubernetes.pods", "-", json.dumps(POD).encode())).frame("containers")

    assert cells(made, *columns) == [
        ("web", "app", None, "tcp-socket :80", "exec ['x']"),
        (
            "istio-proxy",
            "sidecar",
            False,
            "http-get https://:15021/healthz/ready",
            "http-get http://:15021/healthz/ready",
        ),
    ]


def test_probes_of_a_real_description_are_said_alike(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-05")

    assert cells(case.frame("containers"), "container", "readiness_probe") == [
        ("istio-proxy", "http-get http://:15021/healthz/ready"),
        ("discovery", "http-get http://:8080/ready"),
    ]
