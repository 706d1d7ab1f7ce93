"""EnvoyFilters: patches that did not take effect, or that an upgrade may undo."""

import re
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._filters import Proxy, is_for, proxies_of, roots_of, settled
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, mapping_in, spec_of, text, texts, true, where

_RELATIVE = {"INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "MERGE", "REMOVE"}
_IGNORED = {
    ("ADD", "ROUTE_CONFIGURATION"),
    ("ADD", "HTTP_ROUTE"),
    ("REMOVE", "ROUTE_CONFIGURATION"),
    ("REMOVE", "HTTP_ROUTE"),
}
_REPLACEABLE = {"HTTP_FILTER", "NETWORK_FILTER"}
_ADDS = {"ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"}
_HOLDERS = {"HTTP_FILTER": "http_filters", "NETWORK_FILTER": "filters"}


@check(
    "routing.filter-operation-ignored",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "operation", "apply_to"],
    subject="object",
    observed="operation",
    title="An EnvoyFilter asks for an operation that istiod ignores",
    detail="{object} asks to {operation} a {apply_to}, which has no effect",
    remediation="Use the operation that the EnvoyFilter reference allows for this part, such as MERGE.",
    source="guide, phase 2, step 4; istioctl analyze IST0152, IST0153, IST0154",
)
def filter_operation_ignored(envoy_filter_patches: pd.DataFrame) -> pd.DataFrame:
    asked = keys(envoy_filter_patches, "operation", "apply_to")
    return where(
        envoy_filter_patches,
        (each in _IGNORED or (each[0] == "REPLACE" and each[1] not in _REPLACEABLE) for each in asked),
    )


@check(
    "routing.filter-order-unsafe",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object"],
    subject="object",
    observed="operation",
    title="An EnvoyFilter depends on the order of others, or on a version",
    detail="{object} has a {operation} patch and no priority{pinned}: it may not be applied after another's change",
    remediation="Set a priority, or use INSERT_FIRST or ADD where the place does not matter.",
    source="guide, phase 2, step 4; istioctl analyze IST0151, IST0155",
)
def filter_order_unsafe(envoy_filter_patches: pd.DataFrame) -> pd.DataFrame:
    operation, apply_to = text(envoy_filter_patches["operation"]), text(envoy_filter_patches["apply_to"])
    ignored = [each in _IGNORED for each in zip(operation, apply_to, strict=True)]
    relative = operation.isin(_RELATIVE) & ~pd.Series(ignored, index=envoy_filter_patches.index, dtype=bool)
    unsafe = envoy_filter_patches[relative & (envoy_filter_patches["priority"].fillna(0) == 0)]
    pinned = text(unsafe["proxy_version"]) != ""
    return unsafe.assign(pinned=[", and is for one version" if each else "" for each in pinned])


@check(
    "routing.filter-not-applied",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "name"],
    subject="object",
    observed="name",
    title="An EnvoyFilter did not take effect on any proxy that it is for",
    detail="{object} adds {name} ({apply_to}), which none of the {selected} captured proxies that it is for has",
    remediation="Read istiod's log for the patch; compare its match with the listeners, its selector with the pods.",
    source="guide, phase 2, step 4 (failed configurations); Envoy config_dump against EnvoyFilter configPatches",
)
def filter_not_applied(
    envoy_filter_patches: pd.DataFrame,
    proxies: pd.DataFrame,
    pods: pd.DataFrame,
    listeners: pd.DataFrame,
    filter_chains: pd.DataFrame,
    listener_instances: pd.DataFrame,
    cluster_instances: pd.DataFrame,
    profile: Profile,
    config: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Only patches that add something with a name can be looked for; a change of a minute ago may be under way.

    A proxy without a listener of that direction, or without the filter that the patch is put next to, has no place
    for it.
    """
    adds = envoy_filter_patches[
        envoy_filter_patches["operation"].isin(_ADDS)
        & envoy_filter_patches["apply_to"].isin([*_HOLDERS, "CLUSTER"])
        & (text(envoy_filter_patches["name"]) != "")
        & ~true(envoy_filter_patches["targeted"], missing=False)
    ]
    adds = where(adds, settled(adds, config, profile.number("warming-age")))
    if adds.empty:
        return adds.assign(selected=0)
    known = list(proxies_of(proxies, pods, listener_instances))
    held = _held(filter_chains, listener_instances, cluster_instances)
    places = _places(listeners, filter_chains, listener_instances)
    roots = roots_of(mesh_config)
    rows = adds.to_dict("records")
    chosen = [[each for each in known if is_for(row, each, roots) and _has_place(row, places, each)] for row in rows]
    names = keys(adds, "apply_to", "name")
    lacking = [
        bool(own) and not any(name in held.get((each.namespace, each.pod), ()) for each in own)
        for own, name in zip(chosen, names, strict=True)
    ]
    return where(adds.assign(selected=[len(own) for own in chosen]), lacking)


@check(
    "routing.filter-not-removed",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "removed"],
    subject="object",
    observed="removed",
    title="An EnvoyFilter removes what every proxy that it is for still has",
    detail="{object} removes {removed} ({apply_to}), which all {selected} captured proxies that it is for still have",
    remediation="Read istiod's log for the patch; compare the name in its match with that in the listeners.",
    source="guide, phase 2, step 4 (failed configurations); Envoy config_dump against EnvoyFilter configPatches",
)
def filter_not_removed(
    envoy_filter_patches: pd.DataFrame,
    proxies: pd.DataFrame,
    pods: pd.DataFrame,
    listeners: pd.DataFrame,
    filter_chains: pd.DataFrame,
    listener_instances: pd.DataFrame,
    profile: Profile,
    config: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Only removals from every listener of a direction: of one port or chain the table of chains does not tell."""
    removed = [_removed(*each) for each in keys(envoy_filter_patches, "operation", "apply_to", "match")]
    named = envoy_filter_patches.assign(removed=removed)
    named = where(named, (bool(name) for name in removed))
    named = named[~true(named["targeted"], missing=False)]
    named = where(named, settled(named, config, profile.number("warming-age")))
    known = list(proxies_of(proxies, pods, listener_instances))
    places = _places(listeners, filter_chains, listener_instances)
    roots = roots_of(mesh_config)
    rows = named.to_dict("records")
    own = [[places.get((each.namespace, each.pod), {}) for each in known if is_for(row, each, roots)] for row in rows]
    kept = [bool(held) and all(_keeps(row, each) for each in held) for row, held in zip(rows, own, strict=True)]
    return where(named.assign(selected=[len(held) for held in own]), kept)


def _removed(operation: str, apply_to: str, match: str) -> str:
    """The name of the filter that a patch removes from every listener of its direction; empty where it is another."""
    if operation != "REMOVE" or apply_to not in _HOLDERS:
        return ""
    listener = mapping_in(spec_of(match), "listener")
    if set(listener) != {"filterChain"} or set(mapping_in(listener, "filterChain")) != {"filter"}:
        return ""
    steps = ("filterChain", "filter", *(["subFilter"] if apply_to == "HTTP_FILTER" else []))
    return str(mapping_in(listener, *steps).get("name") or "")


def _keeps(patch: Mapping[Hashable, Any], places: "_Places") -> bool:
    """Whether the listeners of a proxy that a patch is for still have what it removes."""
    return any(
        _short(name) == _short(patch["removed"]) for names in _of_direction(patch, places).values() for name in names
    )


def _of_direction(patch: Mapping[Hashable, Any], places: "_Places") -> "_Places":
    wanted = {"SIDECAR_INBOUND": "INBOUND", "SIDECAR_OUTBOUND": "OUTBOUND"}.get(str(patch["context"]))
    return {direction: names for direction, names in places.items() if wanted in (None, direction)}


_Places = dict[str, set[str]]
"""Names of the network and HTTP filters of a proxy, by direction of their listener."""


def _places(
    listeners: pd.DataFrame, filter_chains: pd.DataFrame, listener_instances: pd.DataFrame
) -> dict[tuple[str, ...], _Places]:
    directions = dict(zip(texts(listeners["resource"]), texts(listeners["direction"]), strict=True))
    names: dict[str, set[str]] = {}
    several = (filter_chains[column] for column in _HOLDERS.values())
    for resource, *filters in zip(texts(filter_chains["resource"]), *several, strict=True):
        own = names.setdefault(resource, set())
        own.update(str(name) for each in filters if isinstance(each, tuple) for name in each)
    made: dict[tuple[str, ...], _Places] = {}
    live = listener_instances[listener_instances["state"] == "active"]
    for namespace, pod, resource in keys(live, "namespace", "pod", "resource"):
        by_direction = made.setdefault((namespace, pod), {})
        by_direction.setdefault(directions.get(resource, ""), set()).update(names.get(resource, ()))
    return made


def _has_place(patch: Mapping[Hashable, Any], places: Mapping[tuple[str, ...], _Places], proxy: Proxy) -> bool:
    """Whether a proxy has the filters next to which the patch is put."""
    if patch["apply_to"] == "CLUSTER":
        return True
    several = _of_direction(patch, places.get((proxy.namespace, proxy.pod), {})).values()
    beside = {patch["apply_to"] == "HTTP_FILTER" and _MANAGER, *_ANCHOR.findall(str(patch["match"] or ""))} - {False}
    return any(all(any(name.endswith(_short(each)) for name in names) for each in beside) for names in several)


_MANAGER = "envoy.filters.network.http_connection_manager"
_ANCHOR = re.compile(r'"(?:filter|subFilter)":\{[^{}]*?"name":"([^"]+)"')


def _short(name: object) -> str:
    """The last word of a filter's name, which all spellings of it share: ``envoy.router``, ``….http.router``."""
    return str(name).rpartition(".")[2]


def _held(
    filter_chains: pd.DataFrame, listener_instances: pd.DataFrame, cluster_instances: pd.DataFrame
) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """What each proxy has by name: HTTP and network filters, and clusters."""
    of_resource: dict[str, set[tuple[str, ...]]] = {}
    for kind, column in _HOLDERS.items():
        for resource, names in zip(texts(filter_chains["resource"]), filter_chains[column], strict=True):
            own = of_resource.setdefault(resource, set())
            own.update((kind, str(name)) for name in (names if isinstance(names, tuple) else ()))
    made: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for namespace, pod, resource in keys(listener_instances, "namespace", "pod", "resource"):
        made.setdefault((namespace, pod), set()).update(of_resource.get(resource, ()))
    for namespace, pod, name in keys(cluster_instances, "namespace", "pod", "name"):
        made.setdefault((namespace, pod), set()).add(("CLUSTER", name))
    return made
