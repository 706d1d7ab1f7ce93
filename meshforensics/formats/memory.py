"""Envoy's ``/memory``: what the allocator holds, in bytes."""

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """``/memory``; numbers are bytes. Fields that an age did not have are None: absent is not zero."""

    allocated: int
    heap_size: int | None = None
    pageheap_unmapped: int | None = None
    pageheap_free: int | None = None
    total_thread_cache: int | None = None
    total_physical_bytes: int | None = None


def decode(payload: bytes) -> Memory:
    """Decode ``/memory``, whose 64-bit numbers are strings (protobuf's JSON).

    Raises:
        NotTheFormError: the bytes are no such answer.
        TruncatedError: they end in the middle of one.
    """
    raw = decode_json(payload, dict[str, str | int], what="Envoy's /memory")
    if "allocated" not in raw:
        raise NotTheFormError("not Envoy's /memory: it has no field `allocated`")
    try:
        return msgspec.convert(raw, Memory, strict=False)
    except msgspec.ValidationError as error:
        raise NotTheFormError(f"not Envoy's /memory: {error}") from error
