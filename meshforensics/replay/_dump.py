"""``/config_dump`` as Envoy cuts it: ``include_eds``, ``resource``, ``mask`` and ``name_regex``.

Source: Envoy source/server/admin/config_dump_handler.cc and api/envoy/admin/v3/config_dump_shared.proto, 1.40. Whether
a path of a mask below a resource's own fields names a field at all only Envoy's schema knows: such a path keeps
nothing here, where Envoy might refuse it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from meshforensics.replay._answer import JSON, Answer, NoAnswerError, Query, cannot

_SECTIONS = {
    "BootstrapConfigDump": {},
    "ClustersConfigDump": {
        "static_clusters": "StaticCluster",
        "dynamic_active_clusters": "DynamicCluster",
        "dynamic_warming_clusters": "DynamicCluster",
    },
    "EcdsConfigDump": {"ecds_filters": "EcdsFilterConfig"},
    "EndpointsConfigDump": {
        "static_endpoint_configs": "StaticEndpointConfig",
        "dynamic_endpoint_configs": "DynamicEndpointConfig",
    },
    "ListenersConfigDump": {"static_listeners": "StaticListener", "dynamic_listeners": "DynamicListener"},
    "RoutesConfigDump": {"static_route_configs": "StaticRouteConfig", "dynamic_route_configs": "DynamicRouteConfig"},
    "ScopedRoutesConfigDump": {
        "inline_scoped_route_configs": "InlineScopedRouteConfigs",
        "dynamic_scoped_route_configs": "DynamicScopedRouteConfigs",
    },
    "SecretsConfigDump": {
        "static_secrets": "StaticSecret",
        "dynamic_active_secrets": "DynamicSecret",
        "dynamic_warming_secrets": "DynamicSecret",
    },
}
"""The repeated fields of each section, and the message that their members are."""
_FIELDS = {
    "StaticCluster": "cluster last_updated",
    "DynamicCluster": "cluster version_info last_updated error_state client_status",
    "EcdsFilterConfig": "ecds_filter version_info last_updated error_state client_status",
    "StaticEndpointConfig": "endpoint_config last_updated",
    "DynamicEndpointConfig": "endpoint_config version_info last_updated error_state client_status",
    "StaticListener": "listener last_updated",
    "DynamicListener": "name active_state warming_state draining_state error_state client_status",
    "StaticRouteConfig": "route_config last_updated",
    "DynamicRouteConfig": "route_config version_info last_updated error_state client_status",
    "InlineScopedRouteConfigs": "name scoped_route_configs last_updated",
    "DynamicScopedRouteConfigs": "name version_info scoped_route_configs last_updated error_state client_status",
    "StaticSecret": "name secret last_updated",
    "DynamicSecret": "name secret version_info last_updated error_state client_status",
}
"""The fields of each of those messages."""
_WRAPPED = {"cluster", "ecds_filter", "endpoint_config", "listener", "route_config", "secret"}
"""Fields that hold a resource of any type: a mask names something in them, not them."""
_SINGLE = {
    "BootstrapConfigDump": {"bootstrap", "last_updated"},
    "ClustersConfigDump": {"version_info"},
    "ListenersConfigDump": {"version_info"},
}
"""The other fields of each section."""
_ENDPOINTS = "EndpointsConfigDump"
_KNOWN = {"include_eds", "resource", "mask", "name_regex"}

Message = dict[str, Any]
Named = Callable[[Message], bool]


def dump(payload: bytes, query: Query) -> Answer:
    """What Envoy makes of a dump that was captured with its endpoints.

    Raises:
        NoAnswerError: Envoy refuses the query, or the captured bytes are no dump.
    """
    asked = {key: value for key, value in query.items() if key in _KNOWN and (value or key == "include_eds")}
    if set(asked) == {"include_eds"}:
        return Answer(status=200, body=payload, content_type=JSON)
    sections = _sections(payload)
    shown = [each for each in sections if "include_eds" in asked or _word(each) != _ENDPOINTS]
    if not set(asked) - {"include_eds"} and len(shown) == len(sections):
        return Answer(status=200, body=payload, content_type=JSON)
    named = _named(asked.get("name_regex", ""))
    kept = [_matching(each, named) for each in shown]
    if "resource" in asked:
        kept = _resources(kept, asked["resource"], _paths(asked))
    elif "mask" in asked:
        kept = _masked(kept, _paths(asked), asked["mask"])
    document = {"configs": kept} if kept else {}
    return Answer(
        status=200, body=msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n", content_type=JSON
    )


def _sections(payload: bytes) -> list[Message]:
    try:
        configs = msgspec.json.decode(payload)["configs"]
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError) as error:
        raise cannot("the captured dump has no list of configs to choose from") from error
    if not isinstance(configs, list) or not all(isinstance(each, dict) for each in configs):
        raise cannot("the captured dump has no list of configs to choose from")
    return configs


def _word(message: Message) -> str:
    """``ClustersConfigDump`` of its type, whatever version it is of."""
    return str(message.get("@type", "")).rpartition(".")[2]


def _paths(asked: Query) -> list[list[str]]:
    return [path.split(".") for path in asked.get("mask", "").split(",") if path]


def _named(regex: str) -> Named:
    """Whether the name of a resource is like the whole of an expression."""
    if not regex:
        return lambda _: True
    try:
        wanted = re.compile(regex)
    except re.error as error:
        raise NoAnswerError(400, f"INVALID_ARGUMENT: Error while parsing name_regex from {regex}: {error}") from error
    return lambda member: wanted.fullmatch(_name(member)) is not None


def _name(member: Message) -> str:
    """The name of a resource: its own, else that of what it wraps."""
    for held in (member, *(each for each in member.values() if isinstance(each, dict))):
        for key in ("name", "cluster_name"):
            if isinstance(held.get(key), str):
                return str(held[key])
    return ""


def _matching(section: Message, named: Named) -> Message:
    """A section with the resources that are named so; one that has none left does not have the field."""
    lists = _SECTIONS.get(_word(section), {})
    made = {key: _members(section, key, named) if key in lists else value for key, value in section.items()}
    return {key: value for key, value in made.items() if value != [] or key not in lists}


def _members(section: Message, field: str, named: Named) -> list[Message]:
    found = section.get(field)
    return [one for one in found if isinstance(one, dict) and named(one)] if isinstance(found, list) else []


def _resources(sections: list[Message], field: str, paths: list[list[str]]) -> list[Message]:
    """The members of one field, each as a message of its own."""
    for section in sections:
        word = _word(section)
        if field in _SINGLE.get(word, set()):
            raise NoAnswerError(400, f"{field} is not a repeated field. Use ?mask={field} to get only this field")
        if field in _SECTIONS.get(word, {}):
            type_ = _SECTIONS[word][field]
            members = _members(section, field, lambda _: True)
            _check(type_, paths if members else [])
            own = {"@type": f"{section['@type']}.{type_}"}
            return [{**own, **(_trimmed(one, paths) if paths else one)} for one in members]
    raise NoAnswerError(404, f"{field} not found in config dump")


def _check(type_: str, paths: list[list[str]]) -> None:
    """Refuse a mask of what such a message does not have, or of a whole resource."""
    for path in paths:
        if path[0] not in _FIELDS[type_].split() or (len(path) == 1 and path[0] in _WRAPPED):
            said = "".join(f'paths: "{".".join(each)}"\n' for each in paths)
            raise NoAnswerError(400, f"FieldMask {said} could not be successfully used.")


def _masked(sections: list[Message], paths: list[list[str]], mask: str) -> list[Message]:
    """The sections that have all fields of a mask, with those fields; a path leads into no list."""
    kept = [_trimmed(each, paths) for each in sections if all(_has(_word(each), path) for path in paths)]
    if not kept:
        raise NoAnswerError(400, f"FieldMask {mask} could not be successfully applied to any configs.")
    return kept


def _has(word: str, path: list[str]) -> bool:
    if path[0] in _SECTIONS.get(word, {}):
        return len(path) == 1
    return path[0] in _SINGLE.get(word, set())


def _trimmed(message: Message, paths: list[list[str]]) -> Message:
    """The message with what the paths lead to, its type, and nothing else."""
    return dict(_kept(message, paths))


def _kept(message: Message, paths: list[list[str]]) -> Iterator[tuple[str, Any]]:
    for key, value in message.items():
        below = [path[1:] for path in paths if path[0] == key]
        if key == "@type" or [] in below:
            yield key, value
        elif below and isinstance(value, dict):
            yield key, _trimmed(value, below)
