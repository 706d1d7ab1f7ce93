"""Containers: state, restarts, limits."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_containers(upgrade: Investigation) -> None:
    columns = ("container", "role", "ready", "restarts", "state", "memory_limit_bytes", "cpu_limit_m")

    assert cells(upgrade.frame("containers"), *columns, pod="web-v1-zbgtfcww9-9ns8s") == [
        ("web", "app", True, 0, "running", 268435456, None),
        ("istio-proxy", "sidecar", True, 0, "running", 1073741824, 2000),
    ]
