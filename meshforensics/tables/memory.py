"""Memory of each proxy as its admin port tells it."""

from collections.abc import Iterable

from meshforensics.formats.memory import decode
from meshforensics.tables._declare import Column, Reading, Row, Table

_FIELDS = (
    ("allocated", "Live bytes that the allocator handed out."),
    ("heap_size", "Bytes reserved from the system, live or not."),
    ("pageheap_unmapped", "Bytes that were given back to the system and are still addressed."),
    ("pageheap_free", "Bytes on the free list of the page heap."),
    ("total_thread_cache", "Bytes in the allocator's caches."),
    ("total_physical_bytes", "Bytes of physical memory that the allocator uses."),
)


def _rows(reading: Reading) -> Iterable[Row]:
    record = reading.decoded(decode)
    yield ("", *(getattr(record, name) for name, _ in _FIELDS))


memory = Table(
    id="memory",
    about="Memory of each proxy as its admin port tells it; allocated is what lives, heap_size what is reserved.",
    of="pod",
    columns=tuple(
        Column(name, "Int64", unit="bytes", about=about, source=f"/memory {name}") for name, about in _FIELDS
    ),
    reads={"envoy.memory": _rows},
)
