"""What a config dump says, in records."""

from array import array
from collections.abc import Collection, Iterator
from typing import Any, Final, Literal

import msgspec

from meshforensics.formats._xds_store import Kind, Resource

State = Literal["active", "warming", "draining", "static", "error"]


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """An update that Envoy refused and still remembers: `error_state` of a listener.

    `made_by` is the object that made the refused resource, where Istio notes it there.
    """

    kind: Kind
    name: str | None
    details: str
    last_update_attempt: str | None
    pointer: str
    made_by: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One resource in the place where one proxy holds it.

    Attributes:
        kind: of the resource.
        pointer: place of the element that holds it, with its version and time.
        inner: what leads from there to the resource itself: ``/cluster``, ``/active_state/listener``.
        name: of the resource, or the one that the proxy waits for.
        version_info: of the response that last touched it; no proof that it was accepted.
        last_updated: when it last changed, as printed.
        state: None where the dump does not say, as in lists that istioctl prints.
        resource: None for a rejected one.
        error: the update that was refused, if any; an active entry then still serves what it had.
    """

    kind: Kind
    pointer: str
    inner: str
    name: str | None
    version_info: str | None
    last_updated: str | None
    state: State | None
    resource: Resource | None
    error: Rejection | None = None

    @property
    def place(self) -> str:
        """Pointer of the resource itself."""
        return self.pointer + self.inner


TIME_SIZE: Final = len("2026-11-23T18:49:44.432Z")
"""Letters that a time has at most in a `Listing`."""


class Distinct(msgspec.Struct):
    """What many elements of many dumps say alike, by number: entries without place and time.

    Attributes:
        entries: by number.
        bearing: the numbers of those whose resource holds certificates or route configurations.
    """

    entries: list[Entry]
    bearing: set[int]


class Listing(msgspec.Struct, frozen=True):
    """Elements that follow each other in a list of one dump: which they are, by number, and their times.

    A thousand like sidecars have the same elements a million times, and differ in the times; as numbers
    they cost little, and tables take all rows of a list at once.

    Attributes:
        distinct: what the numbers mean; the same object for all dumps of a store.
        pointer: of the list.
        start: place of the first element in the list.
        numbers: of the elements.
        times: of the elements, `TIME_SIZE` letters each, filled with spaces; empty if no element has one.
    """

    distinct: Distinct
    pointer: str
    start: int
    numbers: "array[int]"
    times: bytes

    def __iter__(self) -> Iterator[Entry]:
        """The elements as entries."""
        return map(self.entry, range(len(self.numbers)))

    def among(self, wanted: Collection[int]) -> Iterator[Entry]:
        """The elements with certain numbers, as entries."""
        return (self.entry(index) for index, number in enumerate(self.numbers) if number in wanted)

    def entry(self, index: int) -> Entry:
        """The element number `index` of this listing, as entry."""
        alike = self.distinct.entries[self.numbers[index]]
        return Entry(
            kind=alike.kind,
            pointer=f"{self.pointer}/{self.start + index}",
            inner=alike.inner,
            name=alike.name,
            version_info=alike.version_info,
            last_updated=self.times[index * TIME_SIZE : (index + 1) * TIME_SIZE].rstrip().decode() or None,
            state=alike.state,
            resource=alike.resource,
        )


Part = Listing | tuple[Entry, ...]


class Section(msgspec.Struct, frozen=True):
    """One section of a dump: the resources of one kind, under the version processed last.

    `parts` holds its entries in the order of the dump, those that other dumps may have too as listings.
    """

    kind: Kind | Literal["bootstrap"]
    pointer: str
    version_info: str | None
    parts: tuple[Part, ...]

    @property
    def entries(self) -> Iterator[Entry]:
        """The entries, in the order of the dump."""
        return (entry for part in self.parts for entry in part)


class Bootstrap(msgspec.Struct, frozen=True, kw_only=True):
    """Who the proxy is: the node of its bootstrap."""

    pointer: str
    last_updated: str | None
    node_id: str | None
    node_cluster: str | None
    envoy_version: str | None
    istio_version: str | None
    cluster_id: str | None
    mesh_id: str | None
    namespace: str | None
    workload: str | None
    service_account: str | None
    node_name: str | None
    revision: str | None
    trust_domain: str | None
    concurrency: int | None
    locality: str | None
    labels: dict[str, str]
    metadata: dict[str, Any]


class ConfigDump(msgspec.Struct, frozen=True):
    """One config dump, of whatever age and shape.

    Attributes:
        bootstrap: of the proxy; None in a partial dump.
        sections: in the order of the dump; one kind may come more than once.
        rejections: refused updates, each once though Envoy prints a refused new listener twice.
        unknown_sections: type names of the sections that Envoy itself does not define.
        owners: ``namespace/name`` where the dump lay under names, as Envoy Gateway's tool prints it.
    """

    bootstrap: Bootstrap | None
    sections: tuple[Section, ...]
    rejections: tuple[Rejection, ...] = ()
    unknown_sections: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def parts(self, kind: Kind | None = None) -> Iterator[Part]:
        """The entries of one kind, or all, in the order of the dump, as they are held."""
        return (part for section in self.sections if kind is None or section.kind == kind for part in section.parts)

    def entries(self, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries of one kind, or all, in the order of the dump."""
        return (entry for part in self.parts(kind) for entry in part)

    def alike(self, kind: Kind) -> Iterator[Entry]:
        """The entries of one kind; where other dumps may have the same, without place and time: that costs less."""
        for part in self.parts(kind):
            yield from map(part.distinct.entries.__getitem__, part.numbers) if isinstance(part, Listing) else part

    def bearing(self, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries that may hold certificates or route configurations; others cannot."""
        for part in self.parts(kind):
            yield from part.among(part.distinct.bearing) if isinstance(part, Listing) else part

    def version(self, kind: Kind) -> str | None:
        """The version that the section of `kind` processed last."""
        return next((s.version_info for s in self.sections if s.kind == kind and s.version_info), None)
