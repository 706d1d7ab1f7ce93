"""Tables that an API server prints: cells by column, and of each object its metadata alone.

That is how Secrets are listed without their values. Source: k8s.io/apimachinery pkg/apis/meta/v1, Table.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

KIND = "Table"


class ServerRow(NamedTuple):
    """One row: where it stands, its cells by the name of the column, the metadata of its object."""

    pointer: str
    cells: dict[str, Any]
    metadata: dict[str, Any]


def rows_of(document: dict[str, Any], base: str = "") -> Iterator[ServerRow]:
    """The rows of a Table, as far as they have the form.

    >>> table = {"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["cacerts"]}]}
    >>> [row.cells for row in rows_of(table)]
    [{'Name': 'cacerts'}]
    """
    columns = [str(one.get("name", "")) for one in _mappings(document.get("columnDefinitions"))]
    for index, row in enumerate(_mappings(document.get("rows"))):
        cells = row.get("cells")
        told = row.get("object")
        metadata = told.get("metadata") if isinstance(told, dict) else None
        yield ServerRow(
            f"{base}/rows/{index}",
            dict(zip(columns, cells, strict=False)) if isinstance(cells, list) else {},
            metadata if isinstance(metadata, dict) else {},
        )


def is_of_secrets(document: dict[str, Any]) -> bool:
    """Whether a Table lists Secrets: no other resource prints a type and a number of keys."""
    columns = {str(one.get("name", "")) for one in _mappings(document.get("columnDefinitions"))}
    return document.get("kind") == KIND and {"Name", "Type", "Data"} <= columns


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
