"""Nodes and namespaces."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_nodes(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("nodes"), "node", "ready", "reason", "pressures") == [
        ("worker-1", True, "KubeletReady", ()),
        ("worker-2", True, "KubeletReady", ()),
    ]


def test_namespaces(upgrade: Investigation) -> None:
    assert ("istio-system", "Active", False) in cells(upgrade.frame("namespaces"), "namespace", "phase", "deleting")
