"""configz is an array of Kubernetes objects."""

from pathlib import Path

import pytest

from meshforensics.formats.configz import decode
from meshforensics.model import NotTheFormError, TruncatedError

ONE = b'[{"kind":"Sidecar","apiVersion":"networking.istio.io/v1","metadata":{"name":"a","namespace":"b"},"spec":{}}]'


def test_objects() -> None:
    assert [(each.object, each.pointer) for each in decode(ONE)] == [("Sidecar:b/a", "/0")]


@pytest.mark.parametrize("payload", [b"[]", b"null"])
def test_no_objects(payload: bytes) -> None:
    assert decode(payload) == ()


@pytest.mark.parametrize("payload", [b"", b"{}", b"Unauthorized", b"[1]"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_one_is_said_to_be_cut() -> None:
    with pytest.raises(TruncatedError):
        decode(ONE[:-5])


@pytest.mark.shared
def test_public_ones(corpus: Path) -> None:
    counts = {path.name: len(decode(path.read_bytes())) for path in sorted((corpus / "istiod").glob("*configz.json"))}

    assert counts == {
        "kiali_2021-11-29_registry-configz.json": 41,
        "kiali_2021-11-29_services-configz.json": 2,
        "kiali_2022-04-20_registry-configz.json": 41,
        "kiali_2022-04-20_services-configz.json": 2,
        "kiali_2024-06-17_registry-configz.json": 41,
        "kiali_2024-06-17_services-configz.json": 2,
    }
