"""Signatures: known error texts of every log."""

import json

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of


def test_texts_of_three_logs(upgrade: Investigation) -> None:
    found = upgrade.frame("signatures").groupby(["log", "signature", "family"], observed=True).size()

    assert found.to_dict() == {
        ("access", "R13", "no-cluster"): 45,
        ("istiod", "X1", "config-rejected"): 1,
        ("proxy", "X1", "config-rejected"): 1,
    }


def test_events_are_lines_of_the_pods_that_they_are_about() -> None:
    event = {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": "e1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
        "reason": "BackOff",
        "message": "Back-off restarting failed container istio-proxy",
        "lastTimestamp": "2026-01-01T12:00:00Z",
    }
    payload = json.dumps({"kind": "List", "apiVersion": "v1", "items": [event]}).encode()

    found = tables_of(("kubernetes.events", "-", payload)).frame("signatures")

    columns = ["namespace", "pod", "log", "signature", "family", "fix"]
    assert [tuple(row) for row in found[columns].itertuples(index=False)] == [
        ("shop", "web-1", "event", "X35b", "crash-loop", "read its previous log")
    ]
