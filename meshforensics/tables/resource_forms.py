"""Resource forms: what clusters, listeners and routes mean, so that two of them can be compared."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from meshforensics.formats.config_dump import Kind, Resource
from meshforensics.formats.place import Known, span
from meshforensics.formats.xds_form import form_of
from meshforensics.model import NotTheFormError
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._xds import RESOURCE, dump_of

REFUSED = "/error_state/failed_configuration"
"""Where a listener that was refused stands below the one that stays active."""

_KINDS: tuple[Kind, ...] = ("cluster", "listener", "route")


def _rows(reading: Reading) -> Iterable[Row] | None:
    sections = {section.kind for section in dump_of(reading).sections}
    return _forms(reading) if sections & set(_KINDS) else None


def _forms(reading: Reading) -> Iterator[Row]:
    found, refused = list(_new(reading)), list(_refused(reading))
    if not found and not refused:
        return
    payload, known = reading.payload, Known()
    for kind, place, resource in found:
        start, end = span(payload, place, known)
        yield place, kind, resource.id, resource.name, json.dumps(form_of(payload[start:end]))
    for place, name in refused:
        with suppress(NotTheFormError):  # Envoy keeps what it refused, but a dump need not hold it
            start, end = span(payload, place, known)
            yield place, "listener", None, name, json.dumps(form_of(payload[start:end]))


def _refused(reading: Reading) -> Iterator[tuple[str, str | None]]:
    """Where listeners that the proxy refused would be: each proxy's own."""
    for entry in dump_of(reading).bearing("listener"):
        if entry.error is not None:
            yield f"{entry.pointer}{REFUSED}", entry.name


def _new(reading: Reading) -> Iterator[tuple[Kind, str, Resource]]:
    """Resources that no item before had, those inside listeners too."""
    dump = dump_of(reading)
    for kind in _KINDS:
        for part in dump.parts(kind):
            for entry in part:
                if entry.resource is not None and reading.first((kind, entry.resource.id)):
                    yield kind, entry.place, entry.resource
                for pointer, inner in entry.resource.inner if entry.resource is not None else ():
                    if reading.first(("route", inner.id)):
                        yield "route", entry.place + pointer, inner


resource_forms = Table(
    id="resource_forms",
    about="The meaning of each distinct cluster, listener and route configuration, and of each refused listener.",
    of="mesh",
    columns=(
        Column("kind", "category", about="cluster, listener or route.", source="the section of the dump"),
        RESOURCE,
        Column("name", "category", about="Name of the resource.", source="name"),
        Column(
            "form",
            "str",
            about="JSON object of paths to values: order-free lists keyed by name, defaults and what changes by "
            "itself dropped, old names written in today's form.",
            source="the resource",
        ),
    ),
    reads={"envoy.config_dump": _rows},
)
