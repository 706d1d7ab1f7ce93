"""Specs of custom resources, opened: what the tables that are made of them share."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from meshforensics.formats.kubernetes import mapping, members
from meshforensics.formats.kubernetes import text as text_of
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import text

ISTIO = "networking.istio.io"

OWNER = (
    Column("namespace", "category", about="Namespace of the object.", source="metadata.namespace"),
    Column("object", "category", about="The object as Kind:namespace/name.", source="metadata"),
)
EXPORT_TO = Column("export_to", "object", about="Namespaces that see it, as tuple; empty for all.", source="exportTo")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class Spec(NamedTuple):
    """One object with its spec, and where it stands."""

    captured_at: pd.Timestamp
    namespace: str
    owner: str
    item: str
    pointer: str
    body: dict[str, Any]

    def row(self, place: str, **values: object) -> dict[str, object]:
        """A row of a table about the part of its spec at `place`."""
        pointer = f"{self.pointer}/spec{place}"
        own = {"captured_at": self.captured_at, "namespace": self.namespace, "object": self.owner}
        return {**own, **values, "item": self.item, "pointer": pointer}


def specs(custom_resources: pd.DataFrame, kind: str, group: str = ISTIO) -> Iterator[Spec]:
    """The objects of one kind whose spec is a mapping."""
    if custom_resources.empty:
        return
    own = custom_resources[(text(custom_resources["kind"]) == kind) & (text(custom_resources["group"]) == group)]
    named = (text(own[name]) for name in ("namespace", "object", "item", "pointer", "spec"))
    for captured_at, namespace, name, item, pointer, spec in zip(own["captured_at"], *named, strict=True):
        try:
            body = msgspec.json.decode(spec) if spec else {}
        except msgspec.DecodeError:
            continue
        if isinstance(body, dict):
            yield Spec(captured_at, namespace, name, item, pointer, body)


def frame_of(table: Table, rows: Iterator[dict[str, object]]) -> pd.DataFrame:
    """The rows, with every column of the table."""
    return pd.DataFrame(list(rows), columns=[column.name for column in table.all_columns])


def words(of: dict[str, Any], key: str) -> tuple[str, ...]:
    """The texts in the list under `key`, as tuple."""
    held = of.get(key)
    return tuple(str(one) for one in held if isinstance(one, str)) if isinstance(held, list) else ()


def whole(value: object) -> int | None:
    """The value where it is a whole number that a column can hold; numbers may be written as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**63 else None


def seconds(value: object) -> float | None:
    """Seconds of a duration such as ``1m30s`` or ``0.5s``; None where it is none.

    >>> seconds("1m30s"), seconds("10s"), seconds("soon")
    (90.0, 10.0, None)
    """
    if not isinstance(value, str):
        return None
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def full_name(host: str, namespace: str) -> str:
    """The host as Istio completes it: a name without dot is a service of the object's own namespace.

    >>> full_name("pay", "shop"), full_name("pay.example", "shop"), full_name("*", "shop")
    ('pay.shop.svc.cluster.local', 'pay.example', '*')
    """
    if not host or host == "*" or "." in host or ":" in host or not namespace:
        return host
    return f"{host}.{namespace}.svc.cluster.local"


__all__ = [
    "EXPORT_TO",
    "ISTIO",
    "OWNER",
    "Spec",
    "frame_of",
    "full_name",
    "mapping",
    "members",
    "seconds",
    "specs",
    "text_of",
    "whole",
    "words",
]
