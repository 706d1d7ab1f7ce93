"""Envoy's ``/memory``: what the allocator holds, in bytes (Envoy admin/v3/memory.proto)."""

from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /memory"
_LARGEST = 2**63 - 1


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of each kind. What an older Envoy does not print is None: absent is not zero."""

    allocated: int
    heap_size: int | None = None
    pageheap_unmapped: int | None = None
    pageheap_free: int | None = None
    total_thread_cache: int | None = None
    total_physical_bytes: int | None = None


def decode(payload: bytes) -> Memory:
    """The numbers of an answer of ``/memory``, which are strings, as 64-bit numbers are in protobuf's JSON.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is something else.
    """
    said = decode_json(payload, dict[str, Any], what=_WHAT)
    if "allocated" not in said:
        raise NotTheFormError(f"not {_WHAT}: JSON without allocated")
    return Memory(**{name: _number(name, said[name]) for name in Memory.__struct_fields__ if name in said})


def _number(name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise NotTheFormError(f"not {_WHAT}: {name} is {text[:40]!r}, no number of bytes")
    number = int(text)
    if number > _LARGEST:
        raise NotTheFormError(f"not {_WHAT}: {name} is more bytes than there can be")
    return number
