"""adsz names the proxies that are connected and what they watch."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.adsz import Connection, decode
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "adsz"


def test_connections() -> None:
    assert decode(DATA.read_bytes())[0] == Connection(
        connection="istio-ingressgateway-shpd585tt-9vm87.istio-system-1",
        proxy="istio-system/istio-ingressgateway-shpd585tt-9vm87",
        connected_at="2026-11-23T18:49:44Z",
        address="@",
        version=None,
        watches={
            "cds": (),
            "eds": ("outbound|8080||web.travel.svc.cluster.local",),
            "lds": (),
            "rds": ("http.8080",),
        },
        pointer="/clients/0",
    )


def test_connections_under_their_other_key() -> None:
    (made,) = decode(b'{"connected":[{"connectionId":"web-1.shop-3","connectedAt":"2026-01-01T00:00:00Z"}]}')

    assert (made.proxy, made.pointer) == ("shop/web-1", "/connected/0")


def test_nobody_is_connected() -> None:
    assert decode(b'{"totalClients":0}') == ()


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"clients":[1]}', b"403 forbidden\n"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@given(st.binary(max_size=100))
def test_any_bytes_are_adsz_or_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.shared
def test_public_one(corpus: Path) -> None:
    path = "bugreport/istio_2023-09/bug-report/istio/istio-system/istiod-5dc9d477-27gmf/debug/adsz"

    found = decode((corpus / path).read_bytes())

    assert (len(found), found[8].proxy, found[8].version) == (
        17,
        "istio-ingress/gateway-istio-57c99684c4-zr6bs",
        "1.20-dev",
    )
