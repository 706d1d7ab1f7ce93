"""No check raises, whatever its tables hold: rows that fit the declared columns, half of them odd; none; some missing.

Values are drawn from a shipped capture and from odd ones of each type; JSON text has parts of it replaced. The draws
are fixed, so that CI says the same twice; `MESHFORENSICS_DRAWS=500 pytest tests/checks/test_any_frame.py` draws more.
"""

import json
import os
import random
from functools import cache
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meshforensics as mf
from meshforensics.checks import Check, declared_checks
from meshforensics.tables import Column, Table, declared_tables
from meshforensics.testing import ITEM, frame, outcome
from tests.pki import certificate

pytestmark = pytest.mark.usefixtures("untraced")

DRAWS = int(os.environ.get("MESHFORENSICS_DRAWS", "3"))
CAPTURE = Path(__file__).resolve().parent.parent.parent / "captures" / "upgrade-503"
AT = pd.Timestamp("2026-11-23T12:00:00Z")
KEPT = 24
"""Distinct values of a column that are kept of the capture."""

ODD_TEXT = (
    "",
    "x",
    "a/b",
    "é\u202e\x00",
    "outbound|80|v2|web.shop.svc.cluster.local",
    "inbound|8080||",
    "-",
    "NaN",
    "9" * 25,
)
ODD: dict[str, tuple[Any, ...]] = {
    "Int64": (0, 1, -1, 503, 2**32 - 1, 2**53),
    "UInt64": (0, 1, 503, 2**64 - 1),
    "Float64": (0.0, -1.0, 0.5, 1e300, float("inf")),
    "boolean": (True, False),
    "datetime64[us, UTC]": tuple(AT - pd.Timedelta(hours=each) for each in (0, 0.01, 2, -200_000, 400_000)),
    "object": ((), ("",), ("a", "b"), ("http:80/TCP>8080", ":"), ("spiffe://td/ns/a/sa/b",)),
}  # fmt: skip
NAMES = (
    "AuthorizationPolicy", "PeerAuthentication", "ConfigMap", "VirtualService", "DestinationRule", "istio", "leaf",
    "root", "sds:default", "configmap:a/istio-ca-root-cert", "tls-leaf-expired", "xds-stream-closed",
    "ec secp0r1", "istio_agent_cert_expiry_seconds", "envoy_http_rbac_denied", "not a certificate",
    certificate("root", ca=True).pem,
)  # fmt: skip
"""What some checks look for, in whatever column."""

ODD_JSON: tuple[Any, ...] = (None, 0, -1.5, "", "x", [], {}, [None], [[]], {"": {}}, True, 2**70)


@cache
def _seen() -> dict[str, dict[str, list[Any]]]:
    """By table and column: values that a real capture holds."""
    case = mf.open(CAPTURE)
    return {
        name: {
            str(column): list(dict.fromkeys(map(_hashable, rows[column].dropna())))[:KEPT] for column in rows.columns
        }
        for name in declared_tables()
        if len(rows := case.over_time(name))
    }


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _cell(table: Table, column: Column, draw: random.Random) -> Any:
    kind = draw.random()
    seen = _seen().get(table.id, {}).get(column.name, [])
    if kind < 0.2:
        return None
    if "JSON" in column.about:
        return json.dumps(_bent(json.loads(draw.choice(seen)) if seen else {}, draw, 0))
    if column.name == "evidence":
        return (("item", "/0"),)
    if kind < 0.7 and seen:
        return draw.choice(seen)
    return draw.choice(ODD[column.dtype] if column.dtype in ODD else ODD_TEXT + NAMES)


def _bent(value: Any, draw: random.Random, depth: int) -> Any:
    """The value with some of its parts replaced, dropped or of another type."""
    if draw.random() < 0.08 * (1 + depth):
        return draw.choice(ODD_JSON)
    if isinstance(value, dict):
        return {key: _bent(part, draw, depth + 1) for key, part in value.items() if draw.random() > 0.1}
    if isinstance(value, list):
        return [_bent(part, draw, depth + 1) for part in value]
    return value


def _frame(name: str, draw: random.Random) -> pd.DataFrame:
    table = declared_tables()[name]
    count = draw.choice([0, 1, 2, 12])
    return pd.DataFrame(
        {
            column.name: pd.Series([_cell(table, column, draw) for _ in range(count)], dtype=cast("Any", column.dtype))
            for column in table.all_columns
        }
    ).assign(item=ITEM, pointer=[f"/{row}" for row in range(count)])


each_check = pytest.mark.parametrize("check", declared_checks().values(), ids=lambda each: each.id)


@each_check
@settings(max_examples=DRAWS, derandomize=True, deadline=None, database=None)
@given(seed=st.integers(0, 2**32))
def test_no_check_raises(check: Check, seed: int) -> None:
    draw = random.Random(seed)
    tables = [each for each in check.parameters if each.table and (each.required or draw.random() < 0.7)]
    frames: Any = {each.name: _frame(each.table, draw) for each in tables}

    said = outcome(check, at=AT, **frames)

    assert said.not_evaluated is None
    assert all(finding.detail and finding.subjects for finding in said.findings)


@each_check
def test_no_check_raises_or_finds_anything_in_empty_tables(check: Check) -> None:
    empty: Any = {each.name: frame(each.table) for each in check.parameters if each.table}

    assert outcome(check, at=AT, **empty).findings == ()


@each_check
def test_a_check_whose_tables_were_not_captured_is_not_evaluated(check: Check) -> None:
    assert outcome(check, at=AT).not_evaluated
