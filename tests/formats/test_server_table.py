"""Tables of an API server: cells and metadata; what is no Secret's table is left alone."""

import json

from meshforensics.formats.kubernetes import decode
from meshforensics.formats.server_table import is_of_secrets, rows_of

COLUMNS = [{"name": name} for name in ("Name", "Type", "Data", "Age")]
ROW = {
    "cells": ["cacerts", "Opaque", 4, "9d"],
    "object": {"kind": "PartialObjectMetadata", "metadata": {"name": "cacerts", "namespace": "istio-system"}},
}
TABLE = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": COLUMNS, "rows": [ROW, None, {}]}


def test_rows_say_where_they_stand() -> None:
    found = list(rows_of(TABLE, "#doc2"))

    assert [(row.pointer, row.cells.get("Data"), row.metadata.get("name")) for row in found] == [
        ("#doc2/rows/0", 4, "cacerts"),
        ("#doc2/rows/1", None, None),
    ]


def test_pages_of_a_table_are_secrets_without_values() -> None:
    found = decode(
        json.dumps({**TABLE, "rows": [ROW]}).encode() + b"\n" + json.dumps({**TABLE, "rows": [ROW]}).encode()
    )

    assert [(one.object, one.pointer, one.body.get("data")) for one in found] == [
        ("Secret:istio-system/cacerts", "/rows/0", None),
        ("Secret:istio-system/cacerts", "#doc2/rows/0", None),
    ]


def test_the_table_of_another_resource_is_none_of_secrets() -> None:
    assert not is_of_secrets({"kind": "Table", "columnDefinitions": [{"name": "Name"}, {"name": "Data"}]})
    assert not is_of_secrets({"kind": "SecretList", "columnDefinitions": COLUMNS})
