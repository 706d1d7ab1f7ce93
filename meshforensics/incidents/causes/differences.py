"""What changed in the configuration that proxies hold: by object, in meaning and not in bytes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from meshforensics.formats.xds_form import Form, resource_name, summary
from meshforensics.incidents._declare import Case
from meshforensics.tables import keys, places, text, texts
from meshforensics.tables.resource_forms import REFUSED

KINDS = ("cluster", "listener", "route")
_HELD = ("active", "static")
_HOST = re.compile(r"virtual_hosts\[(.*?)\](?=\.|\[|$)")
_COLUMNS = (
    *("kind", "name", "change", "object", "path", "before", "after", "proxies", "since"),
    *("item", "pointer", "item_before", "pointer_before"),
)


def changed_resources(case: Case) -> pd.DataFrame:
    """Every difference between the first and the last dump of a proxy, and between what it runs and what it refused.

    Columns: kind (cluster, listener, route), name, change (added, removed, changed, refused), object (that made it),
    path, before, after, proxies (a tuple), since (when the proxy took it), and the places after and before.
    A proxy that was captured once changes nothing here: see `captured_once`.
    """
    forms, objects = _forms(case), _objects(case)
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for proxy, kind, name, change, old, new in _pairs(case):
        for path, before, after in _differences(forms, kind, old, new):
            if path == "name":  # a resource that got a new name is told by it already
                continue
            key = (kind, name, change, path, str(before), str(after))
            held = made.setdefault(key, _row(kind, name, change, old, new))
            held.update(path=path, before=before, after=after, object=_object(objects, old, new, path))
            held["proxies"] = (*held["proxies"], proxy)
    made.update(_refused(case, forms, objects))
    rows = [{**row, "proxies": tuple(sorted(set(row["proxies"])))} for row in made.values()]
    frame = pd.DataFrame(rows, columns=[*_COLUMNS])
    return frame.sort_values(["kind", "name", "change", "path"], kind="stable", ignore_index=True)


def _refused(
    case: Case, forms: dict[tuple[str, str], Form], objects: dict[tuple[str, str], str]
) -> dict[tuple[str, ...], dict[str, Any]]:
    """What a refused listener would have changed in the one that the proxy keeps."""
    told = case.source.frame("resource_forms")
    kept = {place: json.loads(said) for place, said in zip(places(told), texts(told["form"]), strict=True)}
    held = case.source.frame("listener_instances")
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for _, row in held[held["error"].notna()].iterrows():
        place = (str(row["item"]), f"{row['pointer']}{REFUSED}")
        before = forms.get(("listener", str(row["resource"])))
        after = kept.get(place)
        found = summary(before, after) if before is not None and after is not None else ((("", None, "refused")),)
        for path, old, new in found:
            refused = {**row.to_dict(), "pointer": place[1] if after is not None else str(row["pointer"])}
            line = _row("listener", str(row["name"]), "refused", row, refused)
            line.update(path=path, before=old, after=new, object=_object(objects, row, row, path))
            line.update(proxies=(f"{row['namespace']}/{row['pod']}",), since=pd.NaT)
            made[str(row["name"]), "refused", path, *place] = line
    return made


def captured_once(case: Case) -> tuple[str, ...]:
    """The proxies of which one config dump was captured: what changed in them is not known."""
    held = case.source.over_time("cluster_instances")
    times = held.groupby(text(held["namespace"]) + "/" + text(held["pod"]))["captured_at"].nunique()
    return tuple(sorted(str(proxy) for proxy, count in times.items() if count < 2))


def _row(kind: str, name: str, change: str, old: Any, new: Any) -> dict[str, Any]:
    shown, other = (new, old) if new is not None else (old, new)
    return {
        "kind": kind,
        "name": name,
        "change": change,
        "since": new["last_updated"] if new is not None else pd.NaT,
        "proxies": (),
        "item": str(shown["item"]),
        "pointer": str(shown["pointer"]),
        "item_before": str(other["item"]) if other is not None else "",
        "pointer_before": str(other["pointer"]) if other is not None else "",
    }


def _pairs(case: Case) -> Iterator[tuple[str, str, str, str, Any, Any]]:
    """Of each proxy, each resource with its form before and after; None where it was not there."""
    for kind in KINDS:
        held = case.source.over_time(f"{kind}_instances")
        known = held[held["captured_at"].notna()]
        for proxy, rows in known.groupby(text(known["namespace"]) + "/" + text(known["pod"])):
            yield from _of_proxy(str(proxy), kind, rows)


def _of_proxy(proxy: str, kind: str, rows: pd.DataFrame) -> Iterator[tuple[str, str, str, str, Any, Any]]:
    first, last = rows["captured_at"].min(), rows["captured_at"].max()
    now = _by_name(rows[rows["captured_at"] == last])
    if first == last:
        return
    before = _by_name(rows[rows["captured_at"] == first])
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old is None or new is None:
            yield proxy, kind, name, "added" if old is None else "removed", old, new
        elif old["resource"] != new["resource"]:
            yield proxy, kind, name, "changed", old, new


def _by_name(rows: pd.DataFrame) -> dict[str, Any]:
    held = rows[rows["state"].isin(_HELD) | rows["state"].isna()]
    return {resource_name(str(row["name"])): row for _, row in held.iterrows() if not pd.isna(row["name"])}


def _forms(case: Case) -> dict[tuple[str, str], Form]:
    forms = case.source.over_time("resource_forms")
    rows = keys(forms, "kind", "resource", "form")
    return {(kind, resource): json.loads(said) for kind, resource, said in rows}


def _differences(
    forms: dict[tuple[str, str], Form], kind: str, old: Any, new: Any
) -> Iterator[tuple[str, str | None, str | None]]:
    """What differs; one line for a resource that only one side has, and none where only spelling differs."""
    if old is None or new is None:
        yield "", None if old is None else "there", None if new is None else "there"
        return
    before, after = forms.get((kind, str(old["resource"]))), forms.get((kind, str(new["resource"])))
    if before is not None and after is not None:
        yield from summary(before, after)


def _objects(case: Case) -> dict[tuple[str, str], str]:
    """The object that made a resource, and that made a virtual host of it."""
    found: dict[tuple[str, str], str] = {}
    for table, inner in (("clusters", ""), ("listeners", ""), ("routes", "virtual_host"), ("virtual_hosts", "name")):
        frame = case.source.over_time(table)
        known = frame[frame["object"].notna()]
        names = text(known[inner]) if inner else pd.Series([""] * len(known), index=known.index)
        for resource, name, made_by in zip(texts(known["resource"]), names, texts(known["object"]), strict=True):
            found.setdefault((resource, name), made_by)
    return found


def _object(objects: dict[tuple[str, str], str], old: Any, new: Any, path: str) -> str:
    host = _HOST.search(path)
    names = (host.group(1), "") if host else ("",)
    for row in (new, old):
        for name in names:
            made_by = objects.get((str(row["resource"]), name), "") if row is not None else ""
            if made_by:
                return made_by
    return ""
