"""Workloads: replicas wanted and ready."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_workloads(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("workloads"), "kind", "replicas", "ready_replicas", name="web-v1") == [
        ("Deployment", 1, 1)
    ]
    assert len(upgrade.frame("workloads")) == 8
