"""What the captured VirtualServices say, against the routes that proxies made of earlier ones."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._routes_meant import GENERATED, Held, Meant, Unlike, held_of, meant_of, said_of, unlike
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, places, text, texts

_OF_ROUTES = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")
_WHOLE = ("kubernetes.virtualservices.networking.istio.io:-@", "foreign.crs:")


@check(
    "sync.routes-differ",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["object"],
    observed="object",
    title="Proxies run routes of an earlier VirtualService",
    detail="{count:proxy has|proxies have} routes of {object} as of {last_updated}, before {since}: {unlike}",
    remediation="Compare syncz for RDS, and the istiod that these proxies are connected to; a rejection keeps the old.",
    source="guide, overview (Pilot out of sync); istiod makes routes of VirtualServices: its pilot/pkg/networking",
)
def routes_differ(
    routes: pd.DataFrame,
    route_instances: pd.DataFrame,
    virtual_service_rules: pd.DataFrame,
    config: pd.DataFrame,
    profile: Profile,
    services: pd.DataFrame = ABSENT,
    envoy_filter_patches: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """By hosts, subsets and shares, where the proxy was last given routes before the VirtualService said this.

    Since when it says this the API server tells, or the first proxy that has it. Filters may rewrite routes, so
    that with one nothing is judged.
    """
    rows: list[dict[str, Any]] = []
    filtered = len(envoy_filter_patches) and envoy_filter_patches["apply_to"].isin(_OF_ROUTES).any()
    meant = {} if filtered else meant_of(virtual_service_rules, _aliases(services))
    judged = {key: (held, meant[key[1]]) for key, held in held_of(routes).items() if key[1] in meant}
    found = {key: unlike(*each) for key, each in judged.items()}
    live = _live(route_instances)
    since = _since({key: not any(each) for key, each in found.items()}, live, config)
    for (resource, name), differing in found.items():
        if not any(differing) or name not in since or pd.isna(meant[name].at):
            continue
        own = live[live["resource"] == resource]
        settled = (own["captured_at"] - since[name]).dt.total_seconds() >= profile.number("drift.settled")
        late = own[settled & (own["last_updated"] < min(since[name], meant[name].at))]
        told = {"object": name, "since": since[name], "unlike": _in_words(differing)}
        shown = judged[resource, name]
        rows += [{**row, **told, "evidence": _evidence(row, *shown)} for row in _records(late)]
    return pd.DataFrame(rows, columns=[*route_instances.columns, "object", "since", "unlike", "evidence"])


def _live(instances: pd.DataFrame) -> pd.DataFrame:
    """What proxies run and when they were given it."""
    live = instances[instances["state"].isin(["active", "static"])]
    live = live[live["last_updated"].notna() & live["captured_at"].notna()]
    return live.assign(resource=text(live["resource"]))


def _since(alike: Mapping[tuple[str, str], bool], live: pd.DataFrame, config: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Since when each VirtualService has said what it says, at the latest."""
    oldest = live.groupby("resource")["last_updated"].min().to_dict()
    found: dict[str, pd.Timestamp] = {}
    for (resource, name), same in alike.items():
        if same and resource in oldest:
            found[name] = min(oldest[resource], found.get(name, oldest[resource]))
    changed = config[(config["kind"] == "VirtualService") & config["changed_at"].notna()]
    return found | dict(zip(texts(changed["object"]), changed["changed_at"], strict=True))


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _in_words(differing: Unlike) -> str:
    strange, lacking = differing
    parts = [f"they lead to {said_of(strange)}"] if strange else []
    parts += [f"they lack the rule to {said_of(lacking)}"] if lacking else []
    return ", and ".join(parts)


def _evidence(row: Mapping[str, Any], held: Held, meant: Meant) -> tuple[tuple[str, str], ...]:
    """The configuration of this proxy, its routes where they were first seen, and the VirtualService."""
    return ((str(row["item"]), str(row["pointer"])), held.place, meant.place)


def _aliases(services: pd.DataFrame) -> set[str]:
    """Services that stand for another name: istiod may lead past them."""
    if services.empty:
        return set()
    own = services[text(services["type"]) == "ExternalName"]
    return {f"{name}.{namespace}" for namespace, name in keys(own, "namespace", "name")}


@check(
    "sync.routes-of-gone-object",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["object"],
    observed="object",
    title="Proxies run routes of a VirtualService that is gone",
    detail="{count:proxy has|proxies have} routes of {object}, which no list since {gone} has",
    remediation="Compare syncz for RDS, and the istiod that these proxies are connected to.",
    source="guide, overview (Pilot out of sync); istiod names the VirtualService of each route in its metadata",
)
def routes_of_gone_object(
    routes: pd.DataFrame, route_instances: pd.DataFrame, custom_resources_over_time: pd.DataFrame, profile: Profile
) -> pd.DataFrame:
    """Where a list of all VirtualServices lacked it long enough before the proxy was captured.

    Lists that have none of those that routes name are of another place than istiod's, and tell nothing.
    """
    columns = [*route_instances.columns, "object", "gone", "evidence"]
    lists = _lists(custom_resources_over_time)
    made = routes[text(routes["object"]).str.startswith("VirtualService:")]
    made = made[~text(made["object"]).str.contains(GENERATED, regex=False)]
    named = set(texts(made["object"]))
    if not any(named & held for held in lists.values()):
        return pd.DataFrame(columns=columns)
    gone = {name: since for name in named if (since := _gone_since(name, lists)) is not None}
    made = made[text(made["object"]).isin(gone)].drop_duplicates(["resource", "object"])
    shown = made[["resource", "object"]].astype({"resource": "str"})
    shown = shown.assign(route=pd.Series(list(places(made)), index=made.index, dtype="object"))
    held = _live(route_instances).merge(shown, on="resource")
    held = held.assign(gone=pd.to_datetime(text(held["object"]).map(gone), utc=True))
    settled = (held["captured_at"] - held["gone"]).dt.total_seconds() >= profile.number("drift.settled")
    late = held[settled & (held["last_updated"] <= held["gone"])]
    evidence = [(place, route) for place, route in zip(places(late), late["route"], strict=True)]
    return late[[*route_instances.columns, "object", "gone"]].assign(
        evidence=pd.Series(evidence, index=late.index, dtype="object")
    )


def _lists(objects: pd.DataFrame) -> dict[pd.Timestamp, set[str]]:
    """The VirtualServices of each list of all of them that the API server gave, by its time."""
    own = objects[(text(objects["kind"]) == "VirtualService") & objects["captured_at"].notna()]
    own = own[text(own["item"]).str.startswith(_WHOLE)]
    return {pd.Timestamp(str(at)): set(texts(rows["object"])) for at, rows in own.groupby("captured_at")}


def _gone_since(name: str, lists: Mapping[pd.Timestamp, set[str]]) -> pd.Timestamp | None:
    """The first of the lists from which on none has it; None where the last one has."""
    since = None
    for at in sorted(lists, reverse=True):
        if name in lists[at]:
            break
        since = at
    return since
