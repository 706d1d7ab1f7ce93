"""What the tables of xDS resources have in common: each distinct resource once, and where proxies hold it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meshforensics.formats.config_dump import TIME_SIZE, ConfigDump, Entry, Kind, Listing, Resource, ResourceStore
from meshforensics.tables._declare import Column, Reading, Row, Rows, Stretch

RESOURCE = Column(
    "resource",
    "category",
    about="Hash of the resource's content, the same on every proxy that holds the same.",
    source="sha256 of the resource without @type, keys sorted; 16 hex digits",
)
OBJECT = Column(
    "object",
    "category",
    about="The object that made it, as Kind:namespace/name.",
    source="metadata.filter_metadata.istio.config",
)

INSTANCE = (
    RESOURCE,
    Column("name", "category", about="Name of the resource.", source="name"),
    Column(
        "version_info",
        "category",
        about="Version of the response that last touched it; no proof that it was accepted.",
        source="version_info",
    ),
    Column("last_updated", "datetime64[us, UTC]", about="When it last changed.", source="last_updated"),
    Column(
        "state",
        "category",
        about="active, warming, draining, static, or error for one that was refused; missing where unknown.",
        source="the list of the dump that holds it",
    ),
    Column("error", "str", about="Why an update of it was refused.", source="error_state.details"),
)
"""Columns of every table that says which proxy holds which resource."""


class Held(NamedTuple):
    """A distinct resource with the first place where it was seen."""

    place: str
    resource: Resource


def dump_of(reading: Reading) -> ConfigDump:
    """The config dump of an item; resources are decoded once for all items."""
    return reading.decoded(reading.shared(ResourceStore).decode)


def distinct(reading: Reading, kind: Kind) -> Iterator[Held] | None:
    """Resources of `kind` that no item before had; None for a dump that says nothing of that kind."""
    dump = dump_of(reading)
    if not _told(dump, kind):
        return None
    return _new(reading, dump, kind)


def _new(reading: Reading, dump: ConfigDump, kind: Kind) -> Iterator[Held]:
    for part in dump.parts(kind):
        entries = map(part.entry, reading.fresh(part.numbers)) if isinstance(part, Listing) else part
        for entry in entries:
            if entry.resource is not None and reading.first(entry.resource.id):
                yield Held(entry.place, entry.resource)
    for _, held in _inner(dump, kind):
        if reading.first(held.resource.id):
            yield held


def instances(kind: Kind) -> Rows:
    """A rows function for the places where proxies hold resources of `kind`."""

    def rows(reading: Reading) -> Sequence[Stretch] | None:
        dump = dump_of(reading)
        if not _told(dump, kind):
            return None
        alike = reading.shared(Alike)
        made = [
            alike.stretch(part) if isinstance(part, Listing) else _alone([_instance(entry) for entry in part])
            for part in dump.parts(kind)
        ]
        return [*made, _alone(_inner_rows(dump, kind))]

    return rows


class Alike:
    """Rows of the elements that many dumps have alike, by number, and the places of lists."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._places: dict[str, pa.Array] = {}

    def stretch(self, part: Listing) -> Stretch:
        """The rows of a listing."""
        for entry in part.distinct.entries[len(self._rows) :]:
            self._rows.append(_instance(entry))
        own = {"pointer": self.places(part), "last_updated": printed(part)}
        return Stretch(self._rows, np.array(part.numbers, dtype=np.int64), own)

    def places(self, part: Listing) -> pa.Array:
        """The pointer of each element; the places of equal lists are the same bytes in memory."""
        end = part.start + len(part.numbers)
        known = self._places.get(part.pointer)
        if known is None or len(known) < end:
            known = self._places[part.pointer] = pa.array(
                [f"{part.pointer}/{index}" for index in range(2 * end)], pa.large_string()
            )
        return known.slice(part.start, len(part.numbers))


def printed(part: Listing) -> pa.Array:
    """The times of a listing as texts, without a Python object for each."""
    count = len(part.numbers)
    if not part.times:
        return pa.nulls(count, pa.large_string())
    ends = pa.py_buffer(np.arange(0, (count + 1) * TIME_SIZE, TIME_SIZE, dtype=np.int64))
    texts = pa.LargeStringArray.from_buffers(count, ends, pa.py_buffer(part.times))
    if b" " in part.times:
        trimmed = pc.utf8_rtrim(texts, " ")
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    return texts


def _alone(rows: list[Row]) -> Stretch:
    """Rows that one dump has of its own."""
    return Stretch(rows, np.arange(len(rows)))


def _instance(entry: Entry) -> Row:
    resource, error = entry.resource, entry.error
    return (
        entry.pointer,
        None if resource is None else resource.id,
        entry.name,
        entry.version_info,
        entry.last_updated,
        entry.state,
        None if error is None else error.details,
    )


def _inner_rows(dump: ConfigDump, kind: Kind) -> list[Row]:
    """Instances of route configurations that stand inside listeners and nowhere else."""
    return [
        (held.place, held.resource.id, held.resource.name, by.version_info, by.last_updated, by.state, None)
        for by, held in _inner(dump, kind)
    ]


def _inner(dump: ConfigDump, kind: Kind) -> list[tuple[Entry, Held]]:
    """Resources inside others that the dump does not list beside them.

    Envoy lists inline routes as static routes too, istioctl does not. Up to 1.14 the same one is spelled in two
    ways, so that only its name tells.
    """
    if kind != "route":
        return []
    found = [
        (entry, Held(entry.place + pointer, resource))
        for entry in dump.bearing("listener")
        if entry.resource is not None
        for pointer, resource in entry.resource.inner
    ]
    if not found:
        return []
    ids = {entry.resource.id for entry in dump.alike(kind) if entry.resource}
    names = {entry.name for entry in dump.alike(kind) if entry.state == "static" and entry.name}
    return [(by, held) for by, held in found if held.resource.id not in ids and held.resource.name not in names]


def _told(dump: ConfigDump, kind: Kind) -> bool:
    kinds = {section.kind for section in dump.sections}
    return kind in kinds or bool(_inner(dump, kind))
