"""Which proxy trusts which root."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from meshforensics.tables.trust import trust
from meshforensics.testing import frame

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROOTCA = {"place": "sds:ROOTCA", "fingerprint": "f1", "spki": "k1", "serial": "1"}
OTHER = {"place": "cluster:outbound|443||bank", "fingerprint": "f9", "spki": "k9", "serial": "9"}
SUMMARY = {"place": "certs:<inline>", "serial": "2", "pointer": "/certificates/0/ca_cert/0"}
IDENTITY = {
    "place": "certs:<inline>",
    "serial": "3",
    "role": "leaf",
    "san": ("spiffe://td/ns/shop/sa/web",),
    "pointer": "/certificates/0/cert_chain/0",
}
PUBLIC = {"place": "certs:/etc/ssl/certs", "serial": "8", "pointer": "/certificates/1/ca_cert/0"}


def trusted(*rows: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and name of each root, of certificates given by the columns that matter."""
    default = {"namespace": "shop", "pod": "web-1", "role": "root", "captured_at": NOON, "san": ()}
    names = sorted({key for row in (default, *rows) for key in row})
    columns = {name: [{**default, **row}.get(name) for row in rows] for name in names}
    assert trust.derives is not None
    made = trust.derives(frame("certificates", **columns))
    return list(zip(made["place"], made["root"], strict=True))


@pytest.mark.parametrize(
    ("rows", "roots"),
    [
        pytest.param([ROOTCA], [("sds:ROOTCA", "k1")], id="by-key"),
        pytest.param([ROOTCA, OTHER], [("sds:ROOTCA", "k1")], id="a-root-for-others-is-not-the-mesh's"),
        pytest.param([OTHER], [(OTHER["place"], "k9")], id="without-a-known-one-all-count"),
        pytest.param([ROOTCA, SUMMARY, IDENTITY], [("sds:ROOTCA", "k1")], id="a-summary-beside-the-whole"),
        pytest.param([SUMMARY, IDENTITY], [("certs:<inline>", "serial:2")], id="a-summary-alone"),
        pytest.param([SUMMARY, IDENTITY, PUBLIC], [("certs:<inline>", "serial:2")], id="the-context-with-an-identity"),
        pytest.param([PUBLIC], [("certs:/etc/ssl/certs", "serial:8")], id="no-identity-known"),
        pytest.param([IDENTITY], [], id="a-leaf-is-no-root"),
        pytest.param([{**ROOTCA, "namespace": "", "pod": "-"}], [], id="an-object-is-no-proxy"),
        pytest.param([ROOTCA, ROOTCA], [("sds:ROOTCA", "k1")], id="twice-is-once"),
        pytest.param(
            [ROOTCA, {**ROOTCA, "fingerprint": "f2", "spki": "k2", "serial": "2"}],
            [("sds:ROOTCA", "k1"), ("sds:ROOTCA", "k2")],
            id="an-overlap-is-two",
        ),
        pytest.param(
            [ROOTCA, {**ROOTCA, "fingerprint": "f2"}],
            [("sds:ROOTCA", "k1"), ("sds:ROOTCA", "k1")],
            id="one-key-in-two-certificates",
        ),
        pytest.param(
            [ROOTCA, {**SUMMARY, "serial": "1", "pod": "web-2"}, {**IDENTITY, "pod": "web-2"}],
            [("sds:ROOTCA", "k1"), ("certs:<inline>", "k1")],
            id="a-serial-that-is-known-in-full-elsewhere",
        ),
        pytest.param(
            [{**ROOTCA, "captured_at": NOON - timedelta(hours=1)}, SUMMARY, IDENTITY],
            [("sds:ROOTCA", "k1"), ("certs:<inline>", "serial:2")],
            id="an-hour-apart-both-count",
        ),
    ],
)
def test_roots(rows: list[dict[str, Any]], roots: list[tuple[str, str]]) -> None:
    assert trusted(*rows) == roots


def test_no_certificates_no_trust() -> None:
    assert trust.derives is not None
    made = trust.derives(frame("certificates"))

    assert (len(made), isinstance(made, pd.DataFrame)) == (0, True)
