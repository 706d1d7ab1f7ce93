"""An upgrade, first part: which versions ran when, what changed in the configuration, which routes lost their end."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import differences, upgrade
from meshforensics.report._blocks import Block, Code, Content, Dim, Paragraph, Phrase
from meshforensics.report._case import Case, asked
from meshforensics.report._shown import Shown, evidence, evidence_at, missing, table_of
from meshforensics.report._words import count, instant, listed
from meshforensics.report.sections._section import section


def said_at(at: Any) -> str:
    """An instant of a frame, without its zone; a dash where there is none."""
    return "-" if pd.isna(at) else instant(pd.Timestamp(at).to_pydatetime()).removesuffix(" UTC")


def told(value: Any) -> str:
    """A text of a frame; a dash where there is none."""
    return (
        "-" if value is None or (not isinstance(value, (tuple, list)) and pd.isna(value)) or value == "" else str(value)
    )


@section
def versions(case: Case) -> Content:
    """Versions and revisions of the control plane and of each proxy, from when to when they were seen."""
    frame = upgrade.versions_over_time(asked(case))
    if frame.empty:
        why = case.reason("versions", over_time=True) or "no version was captured"
        said = f"Which versions ran is not known: {why}."
        return Content(anchor="versions", title="Versions: not captured", blocks=(Paragraph(text=said),))
    return Content(
        anchor="versions",
        title=_versions(frame),
        blocks=(table_of(frame, _VERSIONS), *evidence(case, frame), *missing(case, "versions", "proxies", "pods")),
    )


def _versions(frame: pd.DataFrame) -> str:
    several = [str(who) for who, own in frame.groupby("who", sort=False) if len(own) > 1]
    control = frame[frame["who"] == "control plane"]
    proxies = sorted(set(frame[frame["who"] != "control plane"]["version"]))
    if several:
        spells = " to ".join(str(each) for each in frame[frame["who"] == several[0]]["version"])
        return f"Versions: {several[0]} went from {spells}; proxies run {listed(proxies, 3) or 'unknown versions'}"
    if len(control) and proxies and set(control["version"]) != set(proxies):
        return (
            f"Versions: the control plane runs {control['version'].iloc[0]}, proxies {listed(proxies, 3)}; none changed"
        )
    return f"Versions: one throughout, {listed(sorted(set(frame['version'])), 3)}"


_VERSIONS = (
    Shown(head="Who", say=lambda row: str(row["who"])),
    Shown(head="Version", say=lambda row: told(row["version"])),
    Shown(head="Revision", say=lambda row: told(row["revision"])),
    Shown(head="Envoy build", say=lambda row: told(row["build"])),
    Shown(head="First seen (UTC)", say=lambda row: said_at(row["first"])),
    Shown(head="Last seen (UTC)", say=lambda row: said_at(row["last"])),
)


@section
def configuration_changes(case: Case) -> Content:
    """Clusters, listeners and routes before and after, by the object that made them: in meaning, not in bytes."""
    frame = differences.changed_resources(asked(case))
    once = differences.captured_once(asked(case))
    blocks: list[Block] = [Paragraph(text=_MEANING)]
    if len(frame):
        places = [*_places(frame, "item", "pointer"), *_places(frame, "item_before", "pointer_before")]
        blocks += [table_of(frame, _CHANGED), *evidence_at(case, places)]
    blocks += _once(once)
    blocks += missing(case, "cluster_instances", "listener_instances", "route_instances")
    return Content(anchor="changes", title=_changed(case, frame, once), blocks=tuple(blocks))


_MEANING = (
    "Each proxy's first dump against its last, and what it refused against what it keeps. Order counts only where "
    "Envoy takes the first match; defaults and what changes by itself are dropped; renamed fields and filters are one."
)


def _places(frame: pd.DataFrame, item: str, pointer: str) -> list[tuple[str, str]]:
    return list(zip(frame[item].astype(str), frame[pointer].astype(str), strict=True))


def _changed(case: Case, frame: pd.DataFrame, once: tuple[str, ...]) -> str:
    if len(frame):
        objects = [each for each in dict.fromkeys(frame["object"]) if each]
        by = f", by {listed(objects, 3)}" if objects else ""
        what = frame.drop_duplicates(["kind", "name", "change"])
        differ = "differs" if len(what) == 1 else "differ"
        return f"Configuration: {count(len(what), 'resource')} {differ} in meaning{by}"
    if case.reason("cluster_instances", over_time=True):
        return "Configuration: not captured"
    if once and len(once) == len(_known(case)):
        return "Configuration: each proxy was captured once, so what changed is not known"
    return "Configuration: nothing changed in meaning in the proxies that were captured twice"


def _known(case: Case) -> set[str]:
    held = case.over_time("cluster_instances")
    return set(held["namespace"].astype(str) + "/" + held["pod"].astype(str))


def _once(once: tuple[str, ...]) -> tuple[Block, ...]:
    if not once:
        return ()
    who = f"{count(len(once), 'proxy')}: {listed(once, 6)}"
    said = f"Captured once, so what changed in them is not known: {who}."
    return (Paragraph(text=said),)


def _path(row: "pd.Series[Any]") -> Phrase:
    return (Code(str(row["path"])),) if row["path"] else "the whole resource"


_CHANGED = (
    Shown(head="Resource", say=lambda row: f"{row['change']}: {row['kind']} {row['name']}"),
    Shown(head="Object", say=lambda row: told(row["object"])),
    Shown(head="Where", say=_path),
    Shown(head="Before", say=lambda row: told(row["before"])),
    Shown(head="After", say=lambda row: told(row["after"])),
    Shown(head="Proxies", say=lambda row: listed(row["proxies"], 3)),
)


@section
def lost_routes(case: Case) -> Content:
    """Routes that lead to a cluster or subset which their proxy does not hold, and the objects of both ends."""
    frame = upgrade.lost_routes(asked(case))
    lacking = missing(case, "routes", "route_instances", "cluster_instances", "config")
    if frame.empty:
        known = not case.reason("routes") and not case.reason("cluster_instances")
        said = "Every route that was captured leads to a cluster of its proxy." if known else "This is not known."
        title = "Routes: none lost its cluster" if known else "Routes: not captured"
        return Content(anchor="routes", title=title, blocks=(Paragraph(text=said), *lacking))
    places = [*_places(frame, "item", "pointer"), *_places(frame, "rule_item", "rule_pointer")]
    rules = [each for each in dict.fromkeys(frame["rule"]) if each]
    clusters = list(dict.fromkeys(frame["cluster"].astype(str)))
    by = f"; behind it {listed(rules, 3)}" if rules else ""
    lead = f"{count(len(frame), 'route')} {'leads' if len(frame) == 1 else 'lead'}"
    title = f"Routes: {lead} to {listed(clusters, 2)}, which is not there{by}"
    return Content(
        anchor="routes", title=title, blocks=(table_of(frame, _LOST), *evidence_at(case, places, quoted=2), *lacking)
    )


def _had(row: "pd.Series[Any]") -> str:
    return "not known: captured once" if pd.isna(row["had"]) else ("yes" if row["had"] else "no")


def _rule(row: "pd.Series[Any]") -> Phrase:
    by = f", changed {said_at(row['changed_at'])} by {told(row['changed_by'])}" if row["rule"] else ""
    return (told(row["rule"]), Dim(f": lacks {row['lacks']}{by}"))


_LOST = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Route", say=lambda row: f"{row['name']} ({row['match']}) of {row['virtual_host']}"),
    Shown(head="Made by", say=lambda row: told(row["route_object"])),
    Shown(head="Names", say=lambda row: str(row["cluster"])),
    Shown(head="Weight", say=lambda row: told(row["weight"]), number=True),
    Shown(head="Held before", say=_had),
    Shown(head="Behind the cluster", say=_rule),
)


@section
def refused_updates(case: Case) -> Content:
    """Updates that proxies refuse now, with Envoy's text, since when, and the object that fits."""
    frame = upgrade.refused_updates(asked(case))
    lacking = missing(case, "rejections", "xds_sync", "proxy_log")
    if frame.empty:
        known = not case.reason("rejections")
        said = "No update is refused that was captured." if known else "Whether a proxy refuses an update is not known."
        title = "Refused updates: none" if known else "Refused updates: not captured"
        return Content(anchor="refused", title=title, blocks=(Paragraph(text=said), *lacking))
    who = listed(dict.fromkeys(frame["proxy"]), 3)
    title = f"Refused updates: {who} refuses “{frame['message'].iloc[0]}”"
    return Content(
        anchor="refused", title=title, blocks=(table_of(frame, _REFUSED), *evidence(case, frame, quoted=2), *lacking)
    )


def _fits(row: "pd.Series[Any]") -> Phrase:
    return (str(row["object"]), Dim(" (fits, inferred)")) if row["object"] and row["inferred"] else told(row["object"])


_REFUSED = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="What", say=lambda row: f"{row['type']} {row['resource_name']}".strip()),
    Shown(head="Envoy's text", say=lambda row: str(row["message"])),
    Shown(head="Since (UTC)", say=lambda row: said_at(row["at"])),
    Shown(head="Object", say=_fits),
    Shown(head="Told by", say=lambda row: listed(row["told_by"], 4)),
)
