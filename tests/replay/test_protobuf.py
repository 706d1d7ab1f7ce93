"""Access reviews as kubectl sends them."""

import pytest

from meshforensics.replay._protobuf import access_review


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def body(spec: bytes, *, more: bytes = b"") -> bytes:
    """A body around a spec: type first, then the object with its metadata."""
    type_ = field(1, b"authorization.k8s.io/v1") + field(2, b"SelfSubjectAccessReview")
    return b"k8s\x00" + field(1, type_) + field(2, field(1, field(1, b"")) + field(2, spec) + more) + field(4, b"")


def test_attributes_of_a_resource() -> None:
    asked = field(1, b"shop") + field(2, b"list") + field(3, b"apps") + field(5, b"x" * 200)

    assert access_review(body(field(1, asked))) == {
        "spec": {"resourceAttributes": {"namespace": "shop", "verb": "list", "group": "apps", "resource": "x" * 200}}
    }


def test_attributes_of_another_path() -> None:
    asked = field(1, b"/metrics") + field(2, b"get")

    assert access_review(body(field(2, asked))) == {
        "spec": {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}
    }


def test_fields_of_other_wire_types_are_stepped_over() -> None:
    numbers = b"\x48\x96\x01" + b"\x51" + b"\x00" * 8 + b"\x5d" + b"\x00" * 4

    assert access_review(body(field(1, field(2, b"get") + numbers), more=numbers)) == {
        "spec": {"resourceAttributes": {"verb": "get"}}
    }


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"{}", id="json"),
        pytest.param(b"k8s\x00\x12\x7f", id="cut"),
        pytest.param(b"k8s\x00\x12", id="no-length"),
        pytest.param(b"k8s\x00" + b"\xff" * 20, id="a-number-without-end"),
        pytest.param(b"k8s\x00\x13", id="a-wire-type-that-is-none"),
        pytest.param(body(field(1, field(2, b"\xff"))), id="no-text"),
    ],
)
def test_what_is_no_review_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        access_review(payload)
