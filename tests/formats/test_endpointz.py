"""endpointz of the three shapes that istiod has printed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.endpointz import decode
from meshforensics.formats.place import excerpt
from meshforensics.model import NotTheFormError, TruncatedError

ENDPOINT = {
    "Address": "10.0.0.1",
    "EndpointPort": 8080,
    "ServicePortName": "http",
    "HealthStatus": 2,
    "TLSMode": "istio",
}
LIST = [{"svc": "web.shop:http", "ep": [{"service": {"Attributes": {"Namespace": "shop"}}, "endpoint": ENDPOINT}]}]
STREAM = (
    b'{"svc": "web.shop:http", "ep": [\n{"endpoint": {"Address": "10.0.0.1", "Port": 8080}}\n]},\n'
    b'{"svc":"b:x","ep":[]},\n'
)
MAP = {"web.shop": {"shop": {"Shards": {"Kubernetes/east": [ENDPOINT]}, "ServiceAccounts": {}}}}


@pytest.mark.parametrize(
    ("payload", "expected", "pointer"),
    [
        pytest.param(json.dumps(LIST).encode(), ("shop", None, "http", "UNHEALTHY", "istio"), "/0/ep/0", id="list"),
        pytest.param(STREAM, (None, None, "http", None, None), "L1-L3", id="stream"),
        pytest.param(
            json.dumps(MAP).encode(),
            ("shop", "Kubernetes/east", "http", "UNHEALTHY", "istio"),
            "/web.shop/shop/Shards/Kubernetes~1east/0",
            id="map",
        ),
    ],
)
def test_shapes(payload: bytes, expected: tuple[str | None, ...], pointer: str) -> None:
    (found,) = decode(payload)

    assert (found.host, found.address, found.port) == ("web.shop", "10.0.0.1", 8080)
    assert (found.namespace, found.shard, found.port_name, found.health, found.tls) == expected
    assert found.pointer == pointer
    assert "10.0.0.1" in excerpt(payload, found.pointer).marked


def test_new_istiods_have_several_addresses() -> None:
    said = {"web.shop": {"shop": {"Shards": {"k": [{"Addresses": ["10.0.0.1", "fd00::1"], "EndpointPort": 1}]}}}}

    assert [found.address for found in decode(json.dumps(said).encode())] == ["10.0.0.1"]


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"null"])
def test_no_endpoints(payload: bytes) -> None:
    assert decode(payload) == ()


@pytest.mark.parametrize("payload", [b"", b"[1]", b'{"a": 1}', b"x", b'[{"svc": "a"}, 3]', b'{"svc": "a"}, x'])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.parametrize("payload", [json.dumps(LIST).encode(), STREAM, json.dumps(MAP).encode()])
def test_cut_ones_are_said_to_be_cut(payload: bytes) -> None:
    with pytest.raises(TruncatedError):
        decode(payload[:40])


@given(st.binary(max_size=60).map(lambda end: b'{"svc": "a:b", "ep": []},' + end))
def test_any_end_of_a_stream_is_read_or_refused(payload: bytes) -> None:
    try:
        found = decode(payload)
    except NotTheFormError:
        return
    assert isinstance(found, tuple)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("istiod/kiali_2021-11-29_registry-endpointz.json", 93),
        ("bugreport/istio_2023-05/bug-report/istio/istio-system/istiod-7bf5f89d87-bmlhz/debug/endpointz", 20),
        ("bugreport/istio_2023-05/bug-report/istio/istio-system/istiod-7bf5f89d87-bmlhz/debug/endpointShardz", 20),
        ("bugreport/istio_2023-09/bug-report/istio/istio-system/istiod-5dc9d477-27gmf/debug/endpointz", 63),
    ],
)
def test_public_ones(corpus: Path, path: str, count: int) -> None:
    payload = (corpus / path).read_bytes()

    found = decode(payload)

    assert len(found) == count
    assert all(str(each.address) in excerpt(payload, each.pointer).marked for each in found)
