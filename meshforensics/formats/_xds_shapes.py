"""Config dumps of every shape, read tolerantly: the way for all that Envoy itself does not print today.

Which shapes there are, with the tool that prints them:

- ``{"configs": [section, ...]}``: Envoy since 1.8, istiod; ``{"configs": {name: section}}`` before;
- elements in place of sections: Envoy asked with ``?resource=``;
- one section alone; an object with `bootstrap`; a list of resources: istioctl proxy-config;
- any of these below names of namespace and pod: Envoy Gateway's egctl.
"""

from collections.abc import Callable, Iterator
from typing import Any

from meshforensics.formats._xds_bootstrap import read_bootstrap
from meshforensics.formats._xds_dump import Bootstrap, ConfigDump, Entry, Section
from meshforensics.formats._xds_message import Message, escape
from meshforensics.formats._xds_sections import ELEMENTS, LISTS, SECTIONS, element_entries, once, section_entries
from meshforensics.formats._xds_store import Kind, Resources
from meshforensics.model import NotTheFormError

_DEPTH = 3
_TYPES: dict[str, Kind] = {
    "Cluster": "cluster",
    "Listener": "listener",
    "RouteConfiguration": "route",
    "ClusterLoadAssignment": "endpoint",
    "Secret": "secret",
}
_MARKS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "route": (("virtual_hosts",), ("name", "validate_clusters")),
    "listener": (("filter_chains",), ("internal_listener",), ("api_listener",), ("address", "listener_filters")),
    "endpoint": (("cluster_name", "endpoints"),),
    "cluster": (("name", "connect_timeout"), ("name", "load_assignment"), ("name", "lb_policy")),
    "secret": (("name", "tls_certificate"), ("name", "validation_context")),
}


class Collected:
    """What was found so far in one document."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.bootstrap: Bootstrap | None = None
        self.sections: list[Section] = []
        self.unknown: list[str] = []
        self.owners: list[str] = []
        self.found = False

    def section(self, section: Message, hint: str = "") -> None:
        """Add one section, or one element of `?resource=`, or one typed resource."""
        self.found = True
        if section.type == "BootstrapConfigDump" or (not section.type and section.has("bootstrap")):
            if self.bootstrap is None and section.has("bootstrap"):
                self.bootstrap = read_bootstrap(section)
            return
        kind = SECTIONS.get(section.type) or (None if section.type else _kind_of_lists(section, hint))
        if kind is not None:
            self._add(kind, section, section_entries(section, self.resources))
        elif section.type in ELEMENTS:
            listed = ELEMENTS[section.type]
            self._add(listed.kind, section, element_entries(section, listed, self.resources))
        elif section.type in _TYPES:
            self.resource(section, _TYPES[section.type])
        else:
            self.unknown.append(section.type_name or hint or "untyped")

    def _add(self, kind: Kind, section: Message, entries: Iterator[Entry]) -> None:
        self.sections.append(Section(kind, section.pointer, section.text("version_info"), (tuple(entries),)))

    def resource(self, message: Message, kind: Kind) -> None:
        """Add a resource that stands alone, as istioctl prints them."""
        self.found = True
        held = self.resources.of(kind, message.value)
        entry = Entry(kind, message.pointer, "", held.name, None, None, None, held)
        self.sections.append(Section(kind, message.pointer, None, ((entry,),)))

    def dump(self) -> ConfigDump:
        """Everything found, each rejection once."""
        sections, rejections = once(self.sections)
        unknown = tuple(dict.fromkeys(self.unknown))
        return ConfigDump(self.bootstrap, tuple(sections), rejections, unknown, tuple(self.owners))


def _kind_of_lists(section: Message, hint: str) -> Kind | None:
    """The kind of an untyped section, by the lists in it, or by the name it has in a map of sections."""
    for name, listed in LISTS.items():
        if section.has(name):
            return listed.kind
    return {"clusters": "cluster", "listeners": "listener", "routes": "route"}.get(hint)  # type: ignore[return-value]


def read_shapes(document: Any, resources: Resources) -> ConfigDump:
    """The dump in `document`, whatever its shape.

    Raises:
        NotTheFormError: it is no config dump; says what it looks like.
    """
    collected = Collected(resources)
    if isinstance(document, list):
        _list(document, "", collected)
    elif isinstance(document, dict):
        _object(Message(document, ""), (), collected)
    if not collected.found:
        raise NotTheFormError(f"not a config dump: {_instead(document)}")
    return collected.dump()


def _object(message: Message, names: tuple[str, ...], collected: Collected) -> None:
    """Look for a dump in an object, and below it where it is a map of names."""
    if message.has("configs"):
        if len(names) > 1:
            collected.owners.append("/".join(names[-2:]))
        _configs(message, collected)
    elif _is_section(message):
        if len(names) > 1:
            collected.owners.append("/".join(names[-2:]))
        collected.section(message)
    elif (kind := _kind_of(message)) is not None and not names:
        collected.resource(message, kind)
    elif len(names) < _DEPTH:
        for key, value in message.value.items():
            if isinstance(value, dict):
                below = Message(value, f"{message.pointer}/{escape(str(key))}")
                _object(below, (*names, str(key)), collected)


def _is_section(message: Message) -> bool:
    if message.type:
        return message.type.endswith("ConfigDump") or message.type in ELEMENTS or message.type in _TYPES
    held = message.find("bootstrap")[1]
    if isinstance(held, dict) and isinstance(held.get("node"), dict):
        return True
    return any(isinstance(message.find(name)[1], list) for name in LISTS)


def _configs(message: Message, collected: Collected) -> None:
    held = message.find("configs")[1]
    collected.found = True
    if isinstance(held, dict):
        for name, section in message.entries("configs"):
            collected.section(section, name)
        return
    for section in message.messages("configs"):
        collected.section(section)


def _list(document: list[Any], pointer: str, collected: Collected) -> None:
    """A list of sections, elements or resources; every member must be one."""
    for index, value in enumerate(document):
        if not isinstance(value, dict):
            raise NotTheFormError(f"not a config dump: a list whose member {index} is no object")
        member = Message(value, f"{pointer}/{index}")
        if _is_section(member):
            collected.section(member)
            continue
        kind = _kind_of(member)
        if kind is None:
            raise NotTheFormError(f"not a config dump: a list whose member {index} is no xDS resource")
        collected.resource(member, kind)


def _kind_of(message: Message) -> Kind | None:
    """The kind of an untyped resource, by the fields that only it has."""
    for kind, choices in _MARKS.items():
        if any(all(message.has(name) for name in fields) for fields in choices):
            return kind
    return None


def _instead(document: Any) -> str:
    """What a document is that holds no dump."""
    if isinstance(document, list):
        return "an empty list"
    if not isinstance(document, dict):
        return f"a single value, {str(document)[:40]!r}"
    signs: dict[str, Callable[[dict[str, Any]], bool]] = {
        "a Kmesh dump, which is not Envoy's": lambda d: "dynamicResources" in d and "staticResources" in d,
        "a ztunnel or Kmesh dump of workloads": lambda d: "workloads" in d,
        "a Kubernetes object": lambda d: "apiVersion" in d and "kind" in d,
        "an answer of the /clusters endpoint": lambda d: "cluster_statuses" in d,
        "an answer of the /server_info endpoint": lambda d: "command_line_options" in d,
        "an answer of the /certs endpoint": lambda d: "certificates" in d,
    }
    for said, fits in signs.items():
        if fits(document):
            return said
    return f"an object with the fields {', '.join(map(str, list(document)[:5]))}" if document else "an empty object"
