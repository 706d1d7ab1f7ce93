"""What a config dump says, in records."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from meshforensics.formats._xds_store import Kind, Resource

State = Literal["active", "warming", "draining", "static", "error"]


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """An update that Envoy refused and still remembers: `error_state` of a listener."""

    kind: Kind
    name: str | None
    details: str
    last_update_attempt: str | None
    pointer: str


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


class Section(msgspec.Struct, frozen=True):
    """One section of a dump: the resources of one kind, under the version processed last."""

    kind: Kind | Literal["bootstrap"]
    pointer: str
    version_info: str | None
    entries: tuple[Entry, ...]


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

    def entries(self, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries of one kind, or all, in the order of the dump."""
        for section in self.sections:
            if kind is None or section.kind == kind:
                yield from section.entries

    def version(self, kind: Kind) -> str | None:
        """The version that the section of `kind` processed last."""
        return next((s.version_info for s in self.sections if s.kind == kind and s.version_info), None)
