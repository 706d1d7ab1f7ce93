"""EnvoyFilters that merge values into clusters: whether any cluster that they are for has them."""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._filters import is_for, proxies_of, roots_of, settled
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, mapping_in, spec_of, text, true, where

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s\Z")
_MATCHED = {"name", "service", "portNumber", "subset"}
_DIRECTIONS = {"SIDECAR_INBOUND": {"inbound"}, "SIDECAR_OUTBOUND": {"outbound"}, "GATEWAY": {"outbound"}}


def _timeout(said: object) -> float | None:
    found = _SECONDS.match(said) if isinstance(said, str) else None
    return float(found[1]) if found else None


def _policy(said: object) -> str | None:
    return said if isinstance(said, str) and said != "ROUND_ROBIN" else None


_FIELDS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "connect_timeout": ("connect_timeout_s", _timeout),
    "lb_policy": ("lb_policy", _policy),
}
"""Single values of a cluster that its table has: the column, and how the value of a patch is read."""


@check(
    "routing.filter-not-merged",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "field"],
    subject="object",
    observed="field",
    title="An EnvoyFilter merges a value that no cluster it is for has",
    detail="{object} merges {field} {wanted} into clusters; none of the {matching} that its match is for has it, on "
    "{selected:captured proxy|captured proxies} that it is for",
    remediation="Read istiod's log for the patch; compare its match with the names of the clusters.",
    source="guide, phase 2, step 4 (failed configurations); Istio's cluster_patch.go: a merge is the last to write a "
    "cluster; Envoy config_dump against EnvoyFilter configPatches",
)
def filter_not_merged(
    envoy_filter_patches: pd.DataFrame,
    proxies: pd.DataFrame,
    pods: pd.DataFrame,
    clusters: pd.DataFrame,
    cluster_instances: pd.DataFrame,
    listener_instances: pd.DataFrame,
    profile: Profile,
    config: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Only values that no other patch of the mesh writes, and only where the table of clusters has the value."""
    ours = envoy_filter_patches[envoy_filter_patches["apply_to"] == "CLUSTER"]
    merges = ours[(ours["operation"] == "MERGE") & ~true(ours["targeted"], missing=False)]
    merges = where(merges, settled(merges, config, profile.number("warming-age")))
    columns = [*envoy_filter_patches.columns, "field", "wanted", "matching", "selected"]
    if merges.empty or cluster_instances.empty:
        return pd.DataFrame(columns=columns)
    known = list(proxies_of(proxies, pods, listener_instances))
    roots, held = roots_of(mesh_config), _held(clusters, cluster_instances)
    rows: list[dict[Hashable, Any]] = []
    for row in merges.to_dict("records"):
        own = [held.get((each.namespace, each.pod), []) for each in known if is_for(row, each, roots)]
        matching = [[each for each in several if _matches(row, each)] for several in own]
        flat = [each for several in matching for each in several]
        for field, wanted in _wanted(row, ours):
            if flat and all(_differs(each, field, wanted) for each in flat):
                names = {str(each["name"]) for each in flat}
                rows.append(row | {"field": field, "wanted": wanted, "matching": len(names), "selected": len(own)})
    return pd.DataFrame(rows, columns=columns)


def _held(clusters: pd.DataFrame, cluster_instances: pd.DataFrame) -> dict[tuple[str, ...], list[dict[Hashable, Any]]]:
    """The clusters of services that each proxy has from its control plane."""
    of_resource: dict[str, dict[Hashable, Any]] = {str(each["resource"]): each for each in clusters.to_dict("records")}
    live = cluster_instances[text(cluster_instances["state"]) == "active"]
    made: dict[tuple[str, ...], list[dict[Hashable, Any]]] = {}
    for namespace, pod, resource in keys(live, "namespace", "pod", "resource"):
        cluster = of_resource.get(resource)
        if cluster is not None and cluster["direction"] in {"inbound", "outbound"}:
            made.setdefault((namespace, pod), []).append(cluster)
    return made


def _wanted(patch: Mapping[Hashable, Any], patches: pd.DataFrame) -> Iterator[tuple[str, object]]:
    """The single values that a patch merges and that no other patch of a cluster writes."""
    merged = spec_of(str(patch["merged"] or ""))
    for field, (_, read) in _FIELDS.items():
        said = read(merged.get(field, merged.get(_camel(field))))
        spelled = text(patches["merged"]).str.contains(f'"(?:{field}|{_camel(field)})"')
        if said is not None and int(spelled.sum()) == 1:
            yield field, said


def _camel(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(each.capitalize() for each in others)


def _matches(patch: Mapping[Hashable, Any], cluster: Mapping[Hashable, Any]) -> bool:
    """Whether a patch's match is for a cluster; one that asks for what is not known here is for none."""
    wanted = mapping_in(spec_of(str(patch["match"] or "")), "cluster")
    directions = _DIRECTIONS.get(str(patch["context"]), {"inbound", "outbound"})
    if not set(wanted) <= _MATCHED or cluster["direction"] not in directions:
        return False
    if wanted.get("name"):
        return bool(wanted["name"] == cluster["name"])
    told = {"service": cluster["host"], "portNumber": cluster["port"], "subset": cluster["subset"]}
    return all(not said or said == told[field] for field, said in wanted.items() if field != "name")


def _differs(cluster: Mapping[Hashable, Any], field: str, wanted: object) -> bool:
    """Whether a cluster is known to have another value; a load balancing that is not said is round robin."""
    held = cluster[_FIELDS[field][0]]
    return bool(held != wanted) if pd.notna(held) else field == "lb_policy"
