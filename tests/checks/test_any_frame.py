"""No check of certificates, access or signatures raises on what fits its tables, whatever stands in it."""

import random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.checks import Check, declared_checks
from meshforensics.tables import Column, declared_tables
from meshforensics.testing import frame, outcome
from tests.pki import certificate

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
FAMILIES = ("certificates.", "access.", "signatures.")
CHECKS = [each for each in declared_checks().values() if each.id.startswith(FAMILIES)]
TEXTS = (
    None,
    "",
    "a",
    "shop",
    "{",
    "[]",
    '{"app":"a"}',
    '{"rules":[1,{"from":3,"to":[{"operation":{"ports":["x"],"paths":["a*"]}}]}],"selector":{"matchLabels":[]}}',
    '{"mtls":{"mode":7},"portLevelMtls":{"80":1},"host":3,"trafficPolicy":{"tls":{"mode":"DISABLE"}}}',
    '{"mesh":"trustDomain: [\\n"}',
    "AuthorizationPolicy",
    "PeerAuthentication",
    "ConfigMap",
    "istio",
    "leaf",
    "root",
    "sds:default",
    "configmap:a/istio-ca-root-cert",
    "tls-leaf-expired",
    "xds-stream-closed",
    "istio_agent_cert_expiry_seconds",
    "envoy_http_rbac_denied",
    "outbound|80||a",
    "ec secp0r1",
    "not a certificate",
    certificate("root", ca=True).pem,
)
OTHERS: dict[str, tuple[Any, ...]] = {
    "Int64": (None, 0, 1, 2**62, -1),
    "UInt64": (None, 0, 2**63),
    "Float64": (None, 0.0, -1.0, 1.7e9),
    "boolean": (None, True, False),
    "datetime64[us, UTC]": (None, NOON, NOON - pd.Timedelta(days=1), pd.Timestamp("2200-01-01T00:00:00Z")),
    "object": (None, (), ("a",), ("spiffe://td/ns/a/sa/b", "x"), ("http:80/TCP>8080", ":")),
}


def _column(column: Column, rows: int, chance: random.Random) -> list[Any]:
    return [chance.choice(OTHERS.get(column.dtype, TEXTS)) for _ in range(rows)]


def _frame(table: str, rows: int, chance: random.Random) -> pd.DataFrame:
    declared = declared_tables()[table]
    values = {each.name: _column(each, rows, chance) for each in declared.all_columns}
    return frame(table, **{**values, "item": ["x:-@unknown"] * rows, "pointer": ["/a"] * rows})


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.id)
@settings(max_examples=3)
@given(rows=st.integers(0, 6), seed=st.integers(0, 2**32))
def test_it_does_not_raise(check: Check, rows: int, seed: int) -> None:
    chance = random.Random(seed)
    tables = [parameter for parameter in check.parameters if parameter.table]

    given_frames: dict[str, Any] = {each.name: _frame(each.table, rows, chance) for each in tables}

    assert outcome(check, at=NOON, **given_frames).not_evaluated is None
