"""Bodies that kubectl sends as protobuf: as much of them as an access review needs.

The form is kubernetes' own: four bytes, then ``runtime.Unknown`` whose ``raw`` is the object (apimachinery
pkg/runtime/serializer/protobuf). Fields are those of k8s.io/api/authorization/v1/generated.proto.
"""

from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_RAW = 2
_SPEC = 2
_RESOURCE, _OTHER = 1, 2
_ATTRIBUTES = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}
_OTHER_ATTRIBUTES = {1: "path", 2: "verb"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def access_review(body: bytes) -> dict[str, Any]:
    """The access review that a protobuf body is, in the form that it has as JSON.

    Raises:
        ValueError: it is no such body.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("it does not begin as protobuf of Kubernetes does")
    spec = _fields(_fields(_fields(body[len(_MAGIC) :]).get(_RAW, b"")).get(_SPEC, b""))
    made = {
        "resourceAttributes": _named(spec.get(_RESOURCE), _ATTRIBUTES),
        "nonResourceAttributes": _named(spec.get(_OTHER), _OTHER_ATTRIBUTES),
    }
    return {"spec": {key: value for key, value in made.items() if value}}


def _named(message: bytes | None, names: dict[int, str]) -> dict[str, str]:
    found = _fields(message or b"")
    return {names[number]: found[number].decode() for number in names if found.get(number)}


def _fields(message: bytes) -> dict[int, bytes]:
    """The length-delimited fields of a message, the last of each number."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _BYTES:
            size, at = _varint(message, at)
            found[number] = message[at : at + size]
            at += size
        elif wire == _VARINT:
            _, at = _varint(message, at)
        elif wire in {_FIXED64, _FIXED32}:
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} is none")
        if at > len(message):
            raise ValueError("it ends in the middle of a field")
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("it ends in the middle of a number")
