"""registryz gives services as istiod sees them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.registryz import Service, decode
from meshforensics.model import NotTheFormError

ONE = {
    "Attributes": {"ServiceRegistry": "Kubernetes", "Name": "web", "Namespace": "shop"},
    "ports": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    "creationTime": "2026-01-01T00:00:00Z",
    "hostname": "web.shop.svc.cluster.local",
    "clusterVIPs": {"Addresses": {"east": ["10.96.0.9"], "west": ["10.97.0.9"]}},
    "defaultAddress": "10.96.0.9",
    "Resolution": 0,
    "MeshExternal": False,
}


def test_a_service() -> None:
    assert decode(json.dumps([ONE]).encode()) == (
        Service(
            host="web.shop.svc.cluster.local",
            namespace="shop",
            name="web",
            registry="Kubernetes",
            addresses=("10.96.0.9", "10.97.0.9"),
            ports=((80, "http", "HTTP"),),
            resolution="ClientSideLB",
            external=False,
            created_at="2026-01-01T00:00:00Z",
            pointer="/0",
        ),
    )


@pytest.mark.parametrize(("number", "name"), [(1, "DNSLB"), (2, "Passthrough"), (99, "99"), (None, None)])
def test_resolution(number: int | None, name: str | None) -> None:
    (service,) = decode(json.dumps([{**ONE, "Resolution": number}]).encode())

    assert service.resolution == name


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'[{"a":1}]', b"404 page not found\n"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@given(st.dictionaries(st.sampled_from([*ONE, "x"]), st.none() | st.integers() | st.lists(st.integers(), max_size=2)))
def test_any_object_is_a_service_or_refused(said: dict[str, object]) -> None:
    try:
        (service,) = decode(json.dumps([said]).encode())
    except NotTheFormError:
        assert "hostname" not in said
        return
    assert service.host == str(said["hostname"])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "registries"),
    [
        ("istiod/kiali_2021-11-29_registry-registryz.json", {"Kubernetes": 77, "External": 2}),
        ("istiod/kiali_2022-01-04_istio-east-registryz.json", {"Kubernetes": 2}),
        (
            "bugreport/istio_2023-09/bug-report/istio/istio-system/istiod-5dc9d477-27gmf/debug/registryz",
            {"Kubernetes": 38},
        ),
    ],
)
def test_public_ones(corpus: Path, path: str, registries: dict[str, int]) -> None:
    assert Counter(service.registry for service in decode((corpus / path).read_bytes())) == registries
