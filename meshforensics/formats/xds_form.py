"""The meaning of an xDS resource as paths with values, so that two of them can be compared and not only their bytes.

Lists whose order means nothing are keyed by what names their elements; values that are Envoy's defaults and fields that
change by themselves are dropped; names that Envoy or Istio changed are written in their newest form.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from meshforensics.formats._xds_cluster import parts_of
from meshforensics.model import NotTheFormError

Form = dict[str, str]

ORDER = "[order]"
"""The path below an ordered list that tells the order of its named elements."""

ORDERED = frozenset({"routes", "http_filters", "filters", "listener_filters", "alpn_protocols", "retry_priority"})
VOLATILE = frozenset({"version_info", "last_updated", "google_re2", "resource_version", "generation"})
"""Fields that change by themselves, or (`google_re2`) that mean nothing any more."""

DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "lb_policy": ("ROUND_ROBIN",),
    "type": ("STATIC",),
    "dns_lookup_family": ("AUTO",),
    "priority": ("DEFAULT", 0),
    "connect_timeout": ("5s",),
    "max_connections": (1024,),
    "max_pending_requests": (1024,),
    "max_requests": (1024,),
    "max_retries": (3,),
    "total_weight": (100,),
    "protocol": ("TCP",),
    "codec_type": ("AUTO",),
    "bind_to_port": (True,),
    "generate_request_id": (True,),
    "denominator": ("HUNDRED",),
    "traffic_direction": ("UNSPECIFIED",),
}
"""Envoy's defaults by field (api/envoy/config/*.proto): written out or not, they mean the same."""

ON_BY_DEFAULT = frozenset({"bind_to_port", "generate_request_id", "dynamic_stats", "normalize_path"})
"""Fields of which false is no default."""

FIELDS = {
    "config": "typed_config",
    "per_filter_config": "typed_per_filter_config",
    "match_typed_subject_alt_names": "match_subject_alt_names",
    "verify_subject_alt_name": "match_subject_alt_names",
}
FILTERS = {
    "envoy.http_connection_manager": "envoy.filters.network.http_connection_manager",
    "envoy.tcp_proxy": "envoy.filters.network.tcp_proxy",
    "envoy.router": "envoy.filters.http.router",
    "envoy.cors": "envoy.filters.http.cors",
    "envoy.fault": "envoy.filters.http.fault",
    "envoy.listener.original_dst": "envoy.filters.listener.original_dst",
    "envoy.listener.tls_inspector": "envoy.filters.listener.tls_inspector",
    "envoy.listener.http_inspector": "envoy.filters.listener.http_inspector",
    "envoy.file_access_log": "envoy.access_loggers.file",
    "tls": "envoy.transport_sockets.tls",
}
"""Names that were given anew: fields, and well-known extensions (Envoy 1.14, 1.16)."""

_MATCHES = {
    "exact_match": "exact",
    "prefix_match": "prefix",
    "suffix_match": "suffix",
    "contains_match": "contains",
    "safe_regex_match": "safe_regex",
}
_PATTERNS = ("safe_regex", "pattern", "regex_rewrite")
_HIDDEN = "hidden_envoy_deprecated_"
_ELEMENT = re.compile(r"\](?=\.|\[|$)")
_API = re.compile(r"^/apis/(networking|security|telemetry)\.istio\.io/v[0-9a-z]+/")


class Difference(NamedTuple):
    """One path whose value differs; None where there is no such path."""

    path: str
    before: str | None
    after: str | None


def form_of(payload: bytes) -> Form:
    """The meaning of one resource, from its JSON.

    Raises:
        NotTheFormError: it is no JSON object.
    """
    try:
        return form(msgspec.json.decode(payload, type=dict[str, Any]))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotTheFormError(f"no resource: {error}") from error


def form(resource: Mapping[str, Any]) -> Form:
    """The meaning of one resource: paths such as ``virtual_hosts[a].routes[b].route.cluster``, with their values."""
    return dict(sorted(_flat("", _clean(resource))))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    """The paths that differ, sorted; an order only where elements that both have changed places."""
    paths = sorted({*before, *after})
    found = (
        Difference(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    )
    return tuple(each for each in found if not each.path.endswith(ORDER) or _reordered(each))


def summary(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    """`differences`, with an element of a list that only one side has told once, by how many fields it has."""
    made: dict[str, Difference] = {}
    fields: dict[str, int] = {}
    for each in differences(before, after):
        alone = _alone(each, before, after)
        fields[alone] = fields.get(alone, 0) + 1
        made.setdefault(alone, each)
    return tuple(_told(path, each, fields[path]) for path, each in made.items())


def _alone(each: Difference, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The shortest element on the way to a path that the other side has nothing of; else the path."""
    if each.before is not None and each.after is not None:
        return each.path
    other = before if each.before is None else after
    for end in (match.end() for match in _ELEMENT.finditer(each.path)):
        element = each.path[:end]
        if not any(path.startswith(element) for path in other):
            return element
    return each.path


def _told(path: str, each: Difference, fields: int) -> Difference:
    if path == each.path:
        return each
    said = f"there, {fields} fields"
    return Difference(path, None if each.before is None else said, None if each.after is None else said)


def _reordered(each: Difference) -> bool:
    old, new = (json.loads(value) if value else [] for value in (each.before, each.after))
    return [key for key in old if key in new] != [key for key in new if key in old]


def _clean(value: Any, key: str = "") -> Any:
    """The value without defaults and what changes by itself, in today's names."""
    if isinstance(value, Mapping):
        return _cleaned(value, key)
    if isinstance(value, list):
        return [_clean(each, key) for each in value]
    if isinstance(value, str):
        return _named(value, key)
    return value


def _cleaned(value: Mapping[str, Any], parent: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for given, held in value.items():
        key = _field(given.removeprefix(_HIDDEN), value)
        if key in VOLATILE or held is None or held == [] or _is_default(key, held):
            continue
        if key in _MATCHES:
            made["string_match"] = {_MATCHES[key]: _clean(held, _MATCHES[key])}
        elif key == "regex" and isinstance(held, str) and parent not in _PATTERNS:
            made["safe_regex"] = {"regex": held}
        elif key == "match_subject_alt_names":
            made[key] = [_matcher(each) for each in held] if isinstance(held, list) else _clean(held)
        else:
            made[key] = _clean(held, key)
    return made


def _field(key: str, value: Mapping[str, Any]) -> str:
    """Today's name of a field; `config` is an old name only in what names an extension."""
    return key if key == "config" and "name" not in value else FIELDS.get(key, key)


def _matcher(each: Any) -> Any:
    """A name that a peer's certificate must have, however old the field: a matcher of text."""
    if isinstance(each, str):
        return {"exact": each}
    return _clean(each.get("matcher", each)) if isinstance(each, Mapping) else each


def _is_default(key: str, held: Any) -> bool:
    if held is False:
        return key not in ON_BY_DEFAULT
    return isinstance(held, (str, int, float)) and any(held is each or held == each for each in DEFAULTS.get(key, ()))


def _named(text: str, key: str) -> str:
    if key == "@type":
        return text.rpartition(".")[2]
    if key in {"name", "cluster", "route_config_name"}:
        text = FILTERS.get(text, text)
        return resource_name(text)
    return _API.sub(r"/apis/\1.istio.io/", text)


def resource_name(text: str) -> str:
    """The name of a resource as Istio writes it today: up to 1.8 inbound ones named port and host too.

    >>> resource_name("inbound|9080|http|reviews.shop.svc.cluster.local")
    'inbound|9080||'
    """
    parts = parts_of(text)
    return f"inbound|{parts.port}||" if parts.direction == "inbound" and parts.port else text


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if not value and path:
            yield path, "{}"
        for key, held in value.items():
            yield from _flat(f"{path}.{key}" if path else key, held)
    elif isinstance(value, list):
        yield from _list(path, value)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _list(path: str, values: list[Any]) -> Iterator[tuple[str, str]]:
    ordered = path.rpartition(".")[2] in ORDERED
    if not any(isinstance(each, (dict, list)) for each in values):
        said = [each if isinstance(each, str) else json.dumps(each) for each in values]
        yield path, json.dumps(said if ordered else sorted(said))
        return
    names: list[str] = []
    for each in values:
        name = _key(each, alone=len(values) == 1)
        seen = sum(one == name or one.startswith(f"{name} #") for one in names)
        names.append(f"{name} #{seen + 1}" if seen else name)
        yield from _flat(f"{path}[{names[-1]}]", each)
    if ordered and len(names) > 1:
        yield f"{path}{ORDER}", json.dumps(names)


def _key(each: Any, *, alone: bool) -> str:
    """What names an element of a list: its name, with its match where it has one; else what it is, if not alone."""
    if not isinstance(each, dict):
        return json.dumps(each, sort_keys=True)
    name = each.get("name")
    match = each.get("match", each.get("filter_chain_match"))
    if isinstance(name, str) and name:
        return f"{name} {_short(match)}" if isinstance(each.get("match"), dict) else name
    if match is not None:
        return _short(match)
    named = next((each[key] for key in ("address", "endpoint", "priority", "header") if key in each), None)
    return _short(each if named is None else named) if named is not None or not alone else "0"


def _short(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
