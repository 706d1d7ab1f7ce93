"""Sections of a config dump in every age: elements of a section become entries."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from meshforensics.formats._xds_dump import Entry, Rejection, Section, State
from meshforensics.formats._xds_message import Message
from meshforensics.formats._xds_object import object_of
from meshforensics.formats._xds_store import Kind, Resources


class Listed(NamedTuple):
    """A repeated field of a section: what it holds, in which state, under which field of the element."""

    kind: Kind
    state: State | None
    field: str


LISTS: Final[dict[str, Listed]] = {
    "static_clusters": Listed("cluster", "static", "cluster"),
    "dynamic_active_clusters": Listed("cluster", "active", "cluster"),
    "dynamic_warming_clusters": Listed("cluster", "warming", "cluster"),
    "static_listeners": Listed("listener", "static", "listener"),
    "dynamic_active_listeners": Listed("listener", "active", "listener"),
    "dynamic_warming_listeners": Listed("listener", "warming", "listener"),
    "dynamic_draining_listeners": Listed("listener", "draining", "listener"),
    "dynamic_listeners": Listed("listener", None, ""),
    "static_route_configs": Listed("route", "static", "route_config"),
    "dynamic_route_configs": Listed("route", "active", "route_config"),
    "static_endpoint_configs": Listed("endpoint", "static", "endpoint_config"),
    "dynamic_endpoint_configs": Listed("endpoint", "active", "endpoint_config"),
    "static_secrets": Listed("secret", "static", "secret"),
    "dynamic_active_secrets": Listed("secret", "active", "secret"),
    "dynamic_warming_secrets": Listed("secret", "warming", "secret"),
    "inline_scoped_route_configs": Listed("scoped_route", "static", ""),
    "dynamic_scoped_route_configs": Listed("scoped_route", "active", ""),
    "ecds_filters": Listed("ecds", "active", "ecds_filter"),
}
"""Repeated fields by name; the three listener lists are of `admin.v2alpha`."""

SECTIONS: Final[dict[str, Kind]] = {
    "ClustersConfigDump": "cluster",
    "ListenersConfigDump": "listener",
    "RoutesConfigDump": "route",
    "EndpointsConfigDump": "endpoint",
    "SecretsConfigDump": "secret",
    "ScopedRoutesConfigDump": "scoped_route",
    "EcdsConfigDump": "ecds",
}
"""Sections by the last word of their type."""

ELEMENTS: Final[dict[str, Listed]] = {
    "StaticCluster": LISTS["static_clusters"],
    "DynamicCluster": Listed("cluster", None, "cluster"),
    "StaticListener": LISTS["static_listeners"],
    "DynamicListener": LISTS["dynamic_listeners"],
    "StaticRouteConfig": LISTS["static_route_configs"],
    "DynamicRouteConfig": LISTS["dynamic_route_configs"],
    "StaticEndpointConfig": LISTS["static_endpoint_configs"],
    "DynamicEndpointConfig": LISTS["dynamic_endpoint_configs"],
    "StaticSecret": LISTS["static_secrets"],
    "DynamicSecret": Listed("secret", None, "secret"),
    "InlineScopedRouteConfigs": LISTS["inline_scoped_route_configs"],
    "DynamicScopedRouteConfigs": LISTS["dynamic_scoped_route_configs"],
    "EcdsFilterConfig": LISTS["ecds_filters"],
}
"""Elements by the last word of their type: what ``?resource=`` prints in place of sections."""

_UNINITIALIZED = "uninitialized"
_STATES: Final[dict[str, State]] = {
    "active_state": "active",
    "warming_state": "warming",
    "draining_state": "draining",
}


def section_entries(section: Message, resources: Resources) -> Iterator[Entry]:
    """Every entry of a section, whichever lists it has."""
    for name, listed in LISTS.items():
        for element in section.messages(name):
            yield from element_entries(element, listed, resources)


def element_entries(element: Message, listed: Listed, resources: Resources) -> Iterator[Entry]:
    """The entries of one element: one, but for a dynamic listener, which has one for each of its states."""
    if listed == LISTS["dynamic_listeners"]:
        yield from _listener_entries(element, resources)
    elif listed.kind == "scoped_route":
        yield _entry(element, element, "", listed, resources)
    else:
        key, value = element.find(listed.field)
        if value is None and listed.kind != "secret":
            if listed.state == "static" and element.has("name"):  # until June 2018 static lists held them bare
                yield _entry(element, element, "", listed, resources)
            return
        held = element.message(listed.field)
        yield _entry(element, held, f"/{key}" if held.value else "", listed, resources)


def _entry(element: Message, held: Message, inner: str, listed: Listed, resources: Resources) -> Entry:
    resource = resources.of(listed.kind, held.value) if held.value else None
    version = element.text("version_info")
    waits = listed.kind == "secret" and listed.state is None and version == _UNINITIALIZED
    return Entry(
        kind=listed.kind,
        pointer=element.pointer,
        inner=inner,
        name=(resource.name if resource else None) or element.text("name"),
        version_info=version,
        last_updated=element.text("last_updated"),
        state="warming" if waits else listed.state,
        resource=resource,
    )


def _listener_entries(element: Message, resources: Resources) -> Iterator[Entry]:
    error = rejection_of(element)
    for field, state in _STATES.items():
        if not element.has(field):
            continue
        held = element.message(field)
        key, _ = held.find("listener")
        listener = held.message("listener")
        resource = resources.of("listener", listener.value) if listener.value else None
        yield Entry(
            kind="listener",
            pointer=element.pointer,
            inner=f"{held.pointer.removeprefix(element.pointer)}/{key}",
            name=element.text("name") or (resource.name if resource else None),
            version_info=held.text("version_info"),
            last_updated=held.text("last_updated"),
            state=state,
            resource=resource,
            error=error,
        )
        error = None
    if error is not None:
        yield rejected(element.pointer, error)


def rejected(pointer: str, error: Rejection) -> Entry:
    """The entry of a listener that was refused and that the proxy therefore does not have."""
    return Entry(
        kind="listener",
        pointer=pointer,
        inner="",
        name=error.name,
        version_info=None,
        last_updated=None,
        state="error",
        resource=None,
        error=error,
    )


def rejection_of(element: Message) -> Rejection | None:
    """What `error_state` of a dynamic listener says."""
    if not element.has("error_state"):
        return None
    state = element.message("error_state")
    return Rejection(
        kind="listener",
        name=element.text("name") or state.text("failed_configuration", "name"),
        details=state.text("details") or "",
        last_update_attempt=state.text("last_update_attempt"),
        pointer=state.pointer,
        made_by=object_of(state.message("failed_configuration")),
    )


def once(sections: list[Section]) -> tuple[list[Section], tuple[Rejection, ...]]:
    """Each rejection once, and the sections without the entries that only repeat one.

    Envoy prints a refused new listener twice: with its name and the time of the attempt, and again
    without both. The second is the same refusal (`envoy.admin.v3.UpdateFailureState`).
    """
    told = [part for section in sections for part in section.parts if isinstance(part, tuple)]
    errors = [entry.error for part in told for entry in part if entry.error is not None]
    best: dict[tuple[str, str | None], Rejection] = {}
    for error in errors:
        key = (error.details, error.name)
        if key not in best or _fuller(error, best[key]):
            best[key] = error
    if len(best) == len(errors):
        return sections, tuple(best.values())
    kept = set(map(id, best.values()))
    cleaned = [
        Section(
            section.kind,
            section.pointer,
            section.version_info,
            tuple(_without_repeated(part, kept) if isinstance(part, tuple) else part for part in section.parts),
        )
        for section in sections
    ]
    return cleaned, tuple(best.values())


def _without_repeated(part: tuple[Entry, ...], kept: set[int]) -> tuple[Entry, ...]:
    return tuple(entry for entry in part if entry.state != "error" or id(entry.error) in kept)


def _fuller(one: Rejection, other: Rejection) -> bool:
    return one.last_update_attempt is not None and other.last_update_attempt is None
