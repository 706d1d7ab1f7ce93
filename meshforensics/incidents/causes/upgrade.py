"""An upgrade: which versions ran when, which routes lost their destination, who refused what."""

import json
from typing import Any

import pandas as pd

from meshforensics.checks import declared_checks
from meshforensics.formats.config_dump import parts_of
from meshforensics.incidents._declare import Case
from meshforensics.incidents.config_rejected import behind
from meshforensics.tables import keys, text, texts, true

_ROUTES = ("routes", "route_instances", "cluster_instances")


def versions_over_time(case: Case) -> pd.DataFrame:
    """Who ran which version, from when to when it was seen: one row a spell.

    Columns: who (a proxy, or a component such as pilot), version, revision, build, first, last. A version that was
    seen again after another one is a spell of its own.
    """
    seen = pd.concat([_components(case), _proxies(case)], ignore_index=True)
    rows: list[dict[str, Any]] = []
    for _, own in seen.sort_values(["who", "first"], kind="stable").groupby("who", sort=False):
        spells: list[dict[str, Any]] = []
        for row in own.to_dict("records"):
            spell = {str(name): value for name, value in row.items()}
            same = spells and all(spells[-1][name] == spell[name] for name in ("version", "revision", "build"))
            if same:
                spells[-1]["last"] = spell["last"]
            else:
                spells.append(spell)
        rows += spells
    return pd.DataFrame(rows, columns=["who", "version", "revision", "build", "first", "last", "item", "pointer"])


def _components(case: Case) -> pd.DataFrame:
    versions = case.source.over_time("versions")
    own = versions[versions["component"].isin(["pilot", "istiod"]) & versions["captured_at"].notna()]
    return _seen(own, "control plane", text(own["version"]), text(own["revision"]), "")


def _proxies(case: Case) -> pd.DataFrame:
    proxies = case.source.over_time("proxies")
    own = proxies[proxies["captured_at"].notna() & (text(proxies["version"]) != "")]
    who = text(own["namespace"]) + "/" + text(own["pod"])
    made = _seen(own, who, text(own["version"]), text(own["revision"]), text(own["build"]))
    known = made[made["build"] != ""]  # what only a config dump told has no build, and the server's own page has
    alone = made[~made["who"].isin(known["who"])]
    return pd.concat([known, alone], ignore_index=True)


def _seen(own: pd.DataFrame, who: Any, version: Any, revision: Any, build: Any) -> pd.DataFrame:
    times = {"first": own["captured_at"], "last": own["captured_at"]}
    places = {"item": text(own["item"]), "pointer": text(own["pointer"])}
    return pd.DataFrame({"who": who, "version": version, "revision": revision, "build": build, **times, **places})


def lost_routes(case: Case) -> pd.DataFrame:
    """Routes whose cluster their proxy does not hold, and the objects behind both ends.

    Columns: proxy, route_config, virtual_host, name, match, cluster, weight, route_object (the VirtualService),
    had (whether the proxy held the cluster at an earlier capture; missing when it was not captured earlier),
    rule (the DestinationRule of the host), lacks (what that rule lacks), changed_at, changed_by (of the rule).
    """
    if any(case.source.reason(name) for name in _ROUTES):
        return pd.DataFrame(columns=[*_LOST])
    frames = {name: case.source.frame(name) for name in _ROUTES}
    lost = declared_checks()["routing.missing-cluster"].rows(**frames)
    rules, held = _rules(case), _held_before(case)
    rows = []
    for row in lost.to_dict("records"):
        proxy, cluster = f"{row['namespace']}/{row['pod']}", str(row["cluster"])
        rule = rules.get(_host_of(cluster), {})
        names = ("route_config", "virtual_host", "name", "match", "cluster", "weight", "item", "pointer")
        kept = {str(name): row[name] for name in names}
        rows.append(
            {
                **kept,
                "proxy": proxy,
                "route_object": "" if pd.isna(row["object"]) else str(row["object"]),
                "had": None if proxy not in held else cluster in held[proxy],
                "rule": rule.get("object", ""),
                "lacks": _lacks(cluster, rule),
                "changed_at": rule.get("changed_at", pd.NaT),
                "changed_by": rule.get("changed_by", ""),
                "rule_item": rule.get("item", ""),
                "rule_pointer": rule.get("pointer", ""),
            }
        )
    return pd.DataFrame(rows, columns=[*_LOST]).sort_values(["cluster", "proxy"], kind="stable", ignore_index=True)


_LOST = (
    *("proxy", "route_config", "virtual_host", "name", "match", "cluster", "weight", "route_object", "had", "rule"),
    *("lacks", "changed_at", "changed_by", "item", "pointer", "rule_item", "rule_pointer"),
)


def _host_of(cluster: str) -> str:
    return parts_of(cluster).host or cluster


def _rules(case: Case) -> dict[str, dict[str, Any]]:
    """The DestinationRule of each host, as of the instant, with the subsets that it has."""
    config = case.source.frame("config")
    found: dict[str, dict[str, Any]] = {}
    for row in config[config["kind"] == "DestinationRule"].to_dict("records"):
        spec = _spec(row["spec"])
        host = str(spec.get("host") or "")
        whole = host if host.count(".") > 1 else f"{host.partition('.')[0]}.{row['namespace']}.svc.cluster.local"
        changed = row["changed_at"] if not pd.isna(row["changed_at"]) else row["created_at"]
        subsets = [str(each.get("name")) for each in spec.get("subsets") or () if isinstance(each, dict)]
        by = "" if pd.isna(row["changed_by"]) else str(row["changed_by"])
        kept = {"object": str(row["object"]), "item": str(row["item"]), "pointer": str(row["pointer"])}
        found[whole] = {**kept, "subsets": subsets, "changed_at": changed, "changed_by": by}
    return found


def _spec(said: Any) -> dict[str, Any]:
    try:
        spec = json.loads(said) if isinstance(said, str) else {}
    except ValueError:
        return {}
    return spec if isinstance(spec, dict) else {}


def _lacks(cluster: str, rule: dict[str, Any]) -> str:
    subset = parts_of(cluster).subset
    if not subset:
        return "no cluster of the host itself"
    if not rule:
        return f"no DestinationRule with a subset {subset} was captured"
    has = ", ".join(rule["subsets"]) or "none"
    return f"subset {subset}; it has {has}" if subset not in rule["subsets"] else f"nothing: it has subset {subset}"


def _held_before(case: Case) -> dict[str, set[str]]:
    """The clusters that each proxy held in captures before its last one."""
    held = case.source.over_time("cluster_instances")
    found: dict[str, set[str]] = {}
    for proxy, rows in held.groupby(text(held["namespace"]) + "/" + text(held["pod"])):
        earlier = rows[rows["captured_at"] < rows["captured_at"].max()]
        if len(earlier):
            found[str(proxy)] = set(texts(earlier["name"]))
    return found


def refused_updates(case: Case) -> pd.DataFrame:
    """Each update that a proxy refuses now, once however many sources tell of it: the text, since when, and why.

    Columns: proxy, type, resource_name, message, at (the earliest), told_by (a tuple), object (that made it, or that
    fits), inferred (whether the object only fits).
    """
    rejections = case.source.frame("rejections")
    current = rejections[true(rejections["current"], missing=True)]
    rows = []
    grouped = current.groupby([text(current[name]) for name in ("namespace", "pod", "type", "message")])
    for key, own in grouped if len(current) else ():
        namespace, pod, kind, message = (str(part) for part in key)
        named = sorted({each for each in texts(own["object"]) if each})
        first = own.sort_values("at", kind="stable").iloc[0]
        rows.append(
            {
                "proxy": f"{namespace}/{pod}",
                "type": kind,
                "resource_name": next((each for each in texts(own["resource_name"]) if each), ""),
                "message": message,
                "at": first["at"],
                "told_by": tuple(sorted(set(texts(own["place"])))),
                "object": ", ".join(named or behind(case, own)),
                "inferred": not named,
                "item": str(first["item"]),
                "pointer": str(first["pointer"]),
            }
        )
    names = ["proxy", "type", "resource_name", "message", "at", "told_by", "object", "inferred", "item", "pointer"]
    return pd.DataFrame(rows, columns=names)


def refusing(case: Case) -> dict[str, str]:
    """The proxies that refuse an update now, with the object that fits."""
    found = refused_updates(case)
    return dict(zip(found["proxy"], found["object"], strict=True))


def proxies_by_address(case: Case) -> dict[str, str]:
    """Every known pod by its address."""
    found = {}
    for table in ("pods", "proxies"):
        for namespace, pod, ip in keys(case.source.frame(table), "namespace", "pod", "ip"):
            if ip:
                found[ip] = f"{namespace}/{pod}"
    return found
