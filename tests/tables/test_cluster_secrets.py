"""cluster_secrets: what Secrets there are, from a text table and from objects; never what they hold."""

import json
from datetime import UTC, datetime
from pathlib import Path

from meshforensics.bundle import BundleWriter
from meshforensics.investigation import Investigation, open_evidence
from tests.tables.reading import cells

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_from_the_text_table_of_a_report(upgrade: Investigation) -> None:
    found = cells(
        upgrade.frame("cluster_secrets"), "namespace", "name", "object", "type", "keys", "created_at", "pointer"
    )

    created = "2026-11-22T11:50:29.440260+00:00"
    assert found == [("istio-system", "cacerts", "Secret:istio-system/cacerts", "Opaque", 4, created, "L2")]


def test_from_objects_without_their_values(tmp_path: Path) -> None:
    metadata = {"name": "cacerts", "namespace": "istio-system", "creationTimestamp": "2026-01-01T00:00:00Z"}
    held = {
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": {"ca-key.pem": "c2VjcmV0LXZhbHVl", "a": ""},
    }
    payload = json.dumps({"apiVersion": "v1", "kind": "List", "items": [held]}).encode()
    with BundleWriter(str(tmp_path / "b")) as writer:
        writer.add("kubernetes.secrets", "-", payload, captured_at=NOON, time_source="source")
        writer.seal()

    made = open_evidence(tmp_path / "b").frame("cluster_secrets")

    created = "2026-01-01T00:00:00+00:00"
    assert cells(made, "object", "type", "keys", "created_at", "pointer") == [
        ("Secret:istio-system/cacerts", "Opaque", 2, created, "/items/0")
    ]
    assert "c2VjcmV0" not in made.to_csv()


def test_from_the_table_that_a_server_prints(tmp_path: Path) -> None:
    columns = [{"name": name} for name in ("Name", "Type", "Data", "Age")]
    rows = [
        {"cells": [name, "Opaque", data, "9d"], "object": {"metadata": {"name": name, "namespace": "shop"}}}
        for name, data in (("a", 3), ("b", "4"), ("c", "<unknown>"))
    ]
    payload = json.dumps({"kind": "Table", "columnDefinitions": columns, "rows": rows}).encode()
    with BundleWriter(str(tmp_path / "b")) as writer:
        writer.add("kubernetes.secrets", "-", payload, captured_at=NOON, time_source="source")
        writer.seal()

    made = open_evidence(tmp_path / "b").frame("cluster_secrets")

    assert cells(made, "object", "type", "keys", "pointer") == [
        ("Secret:shop/a", "Opaque", 3, "/rows/0"),
        ("Secret:shop/b", "Opaque", 4, "/rows/1"),
        ("Secret:shop/c", "Opaque", None, "/rows/2"),
    ]
