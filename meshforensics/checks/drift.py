"""Configuration drift: between replicas, between captures, and by hands beside the declared way (anti-pattern 1)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._replicas import in_groups, replicas_of
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, ips_of, keys, places, text, texts, true

_BY_HAND = (
    r"kubectl-(?:edit|patch|replace|set|label|annotate|scale|rollout|create|run)\Z"
    r"|(?:k9s|lens|openlens|freelens|headlamp|octant|dashboard|kubernetes-dashboard|kiali|rancher)\b"
)
_DECLARED = (
    r"kubectl-client-side-apply|kubectl\Z|argocd|helm|flux|kustomize|terraform|pulumi|operator|kapp|fleet|spinnaker"
)
_BY_PLACE = {"STRICT_DNS", "LOGICAL_DNS", "STATIC"}
"""Clusters that hold their hosts themselves: locality weighs them for each proxy."""

_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 - it is read, not bound
"""Binds to every address of a machine, and to none."""


@check(
    "drift.edited-by-hand",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "manager"],
    subject="object",
    observed="manager",
    title="An object of the mesh was edited by hand",
    detail="{object}: {fields} changed by {manager} at {at}{over}",
    remediation="Bring the change into the source that the object comes from; validate before: istioctl analyze, "
    "kubectl apply --dry-run=server.",
    source="guide, anti-pattern 1 (configuration drift); claims 10.1; metadata.managedFields",
)
def edited_by_hand(field_managers: pd.DataFrame) -> pd.DataFrame:
    """What is edited by hand over what a declared source applies is a warning of its own."""
    by_hand = _edits(field_managers)
    return by_hand[by_hand["over"] == ""]


@check(
    "drift.edited-over-source",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "manager"],
    subject="object",
    observed="manager",
    title="An object that comes from a source was edited by hand since",
    detail="{object}: {fields} changed by {manager} at {at}{over}",
    remediation="Bring the change into that source: its next apply undoes it, or keeps half of it.",
    source="guide, anti-pattern 1 (configuration drift); claims 10.1; metadata.managedFields",
)
def edited_over_source(field_managers: pd.DataFrame) -> pd.DataFrame:
    by_hand = _edits(field_managers)
    return by_hand[by_hand["over"] != ""]


def _edits(field_managers: pd.DataFrame) -> pd.DataFrame:
    """Edits of specs by tools for hands, with what a declared source had applied before."""
    own = field_managers[~field_managers["subresource"].isin(["status"])]
    own = own[own["fields"].map(lambda fields: isinstance(fields, tuple) and bool(fields)).astype(bool)]
    manager = text(own["manager"]).str.lower()
    declared = own[manager.str.contains(_DECLARED, regex=True) & ~manager.str.contains(_BY_HAND, regex=True)]
    applied: dict[str, tuple[str, pd.Timestamp]] = {}
    for name, who, at in zip(texts(declared["object"]), texts(declared["manager"]), declared["at"], strict=True):
        if name not in applied or (not pd.isna(at) and not at <= applied[name][1]):
            applied[name] = (who, at)
    hands = own[manager.str.contains(_BY_HAND, regex=True)]
    over = [_over(applied.get(name), at) for name, at in zip(texts(hands["object"]), hands["at"], strict=True)]
    return hands.assign(over=pd.Series(over, index=hands.index, dtype="str"))


def _over(applied: tuple[str, pd.Timestamp] | None, at: pd.Timestamp) -> str:
    """What an edit was made over, in words; empty where the source applied after it, or there is none."""
    if applied is None or pd.isna(at) or pd.isna(applied[1]) or applied[1] > at:
        return ""
    return f", after {applied[0]} applied it"


@check(
    "drift.changed-between-captures",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "change"],
    subject="object",
    observed="change",
    title="An object of the mesh changed between captures",
    detail="{object} was {change} between {since} and {until}{who}",
    remediation="Compare the time with the onset of the trouble; the evidence shows both states.",
    source="guide, anti-pattern 1 (configuration drift); two captures of one bundle",
)
def changed_between_captures(config_over_time: pd.DataFrame) -> pd.DataFrame:
    """Each source is compared with itself, so that what another source lacks is not taken for removed."""
    timed = config_over_time[config_over_time["captured_at"].notna() & (config_over_time["kind"] != "ConfigMap")]
    rows: list[dict[str, Any]] = []
    for states in _courses(timed):
        for (since, before), (until, after) in pairwise(states):
            rows += _changes(before, after, {"since": since, "until": until})
    columns = ["object", "change", "since", "until", "who", "evidence"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(["object", "change", "until"])


def _courses(timed: pd.DataFrame) -> Iterator[list[tuple[pd.Timestamp, pd.DataFrame]]]:
    """What each source said at each instant: lists of one namespace, and of all, are one source for that namespace."""
    if timed.empty:
        return
    source = text(timed["item"]).str.rpartition("@")[0]
    listed = source.str.endswith(":-") | source.str.contains(":Namespace:", regex=False)
    for _, said in timed.groupby(source.where(~listed, source.str.partition(":")[0])):
        scope = text(said["item"]).str.extract(r":Namespace:(.*)@")[0].fillna("")
        for namespace in sorted(set(scope)):
            seen = said[(scope == "") | (scope == namespace)]
            of = seen if not namespace else seen[text(seen["namespace"]) == namespace]
            yield [
                (at, of[of["captured_at"] == at].drop_duplicates("object")) for at in sorted(set(seen["captured_at"]))
            ]


def _changes(before: pd.DataFrame, after: pd.DataFrame, span: dict[str, pd.Timestamp]) -> list[dict[str, Any]]:
    """What became of each object from one capture to the next; istiod's copy fills up what the server's lacks."""
    whole = "istiod.configz" not in {*texts(before["source_kind"]), *texts(after["source_kind"])}
    old = dict(zip(texts(before["object"]), before.to_dict("records"), strict=True))
    new = dict(zip(texts(after["object"]), after.to_dict("records"), strict=True))
    made = []
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        change = "added" if was is None else "removed" if now is None else _change(was, now)
        if not change or (not whole and change != "changed"):
            continue
        by = now["changed_by"] if now is not None else None
        shown = tuple((str(each["item"]), str(each["pointer"])) for each in (now, was) if each is not None)
        who = f", by {by}" if isinstance(by, str) and by else ""
        made.append({"object": name, "change": change, **span, "who": who, "evidence": shown})
    return made


def _change(was: "dict[Any, Any]", now: "dict[Any, Any]") -> str:
    """Whether the spec changed; empty where it did not."""
    old, new = ("" if pd.isna(each["spec"]) else str(each["spec"]) for each in (was, now))
    return "changed" if old != new else ""


@check(
    "drift.replicas-differ",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["workload", "what"],
    subject="{namespace}/{pod}",
    observed="name",
    title="Replicas of one workload run different configuration",
    detail="{count} of {replicas:replica|s} of {workload} {count:~differs|differ} from the others in {differing} "
    "{what}{differing:~|s}, such as {name}",
    remediation="Compare syncz of the replicas, then the istiod that each is connected to: one of them is behind.",
    source="guide, anti-pattern 1 (configuration drift) and overview (Pilot out of sync); Envoy config_dump",
)
def replicas_differ(
    proxies: pd.DataFrame,
    listener_instances: pd.DataFrame,
    listeners: pd.DataFrame,
    cluster_instances: pd.DataFrame,
    clusters: pd.DataFrame,
    route_instances: pd.DataFrame,
    profile: Profile,
    pods: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Of replicas of one version and revision, for resources that both hold and that changed long enough ago.

    What only one of them holds is not judged: a proxy has no listener for itself, and may be asked for what
    others are not. A listener that is bound to its proxy's own address is compared without it.
    """
    alike = replicas_of(proxies, pods)
    by_place = clusters[clusters["type"].isin(_BY_PLACE)]["resource"]
    comparable = cluster_instances[~text(cluster_instances["resource"]).isin(text(by_place))]
    bound = _without_own_address(listener_instances, listeners, _addresses(proxies, pods))
    kinds = {"listener": bound, "cluster": comparable, "route": route_instances}
    settled = profile.number("drift.settled")
    rows = [row for what, held in kinds.items() for row in _odd_ones(held, alike, what, settled)]
    columns = ["namespace", "pod", "workload", "what", "name", "differing", "replicas", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def _addresses(proxies: pd.DataFrame, pods: pd.DataFrame) -> dict[tuple[str, ...], set[str]]:
    """The addresses of each pod."""
    made: dict[tuple[str, ...], set[str]] = {}
    for frame in (proxies, pods):
        for namespace, pod, ip in keys(frame, "namespace", "pod", "ip") if len(frame) else ():
            made.setdefault((namespace, pod), set()).update({ip} - {""})
    return made


def _without_own_address(
    instances: pd.DataFrame, listeners: pd.DataFrame, own: dict[tuple[str, ...], set[str]]
) -> pd.DataFrame:
    """Listeners with their content without the addresses of their proxy in place of its hash.

    A proxy's own are its pod's and those that its listeners open: nobody can open a port of another's.
    """
    opens = listeners[true(listeners["bind_to_port"], missing=True)]
    bound = dict(zip(texts(opens["resource"]), ips_of(opens["address"]), strict=True))
    held = keys(instances, "namespace", "pod", "resource")
    for namespace, pod, resource in held:
        own.setdefault((namespace, pod), set()).update({bound.get(resource, "")} - _ANY)
    inside = dict(
        zip(texts(listeners["resource"]), zip(texts(listeners["outline"]), listeners["ips"], strict=True), strict=True)
    )
    said = [
        _masked(resource, *inside.get(resource, ("", ())), own[namespace, pod]) for namespace, pod, resource in held
    ]
    return instances.assign(resource=pd.Series(said, index=instances.index, dtype="str"))


def _masked(resource: str, outline: str, ips: object, own: set[str]) -> str | None:
    """What a listener says beside its proxy's own addresses; its hash where it has none of them."""
    given = ips if isinstance(ips, tuple) else ()
    if not outline or own.isdisjoint(given):
        return resource or None
    return " ".join([outline, *("own" if ip in own else str(ip) for ip in given)])


def _odd_ones(
    held: pd.DataFrame, alike: dict[tuple[str, ...], tuple[str, ...]], what: str, settled: float
) -> list[dict[str, Any]]:
    live = held[(held["state"] == "active") & held["resource"].notna() & held["captured_at"].notna()]
    live = in_groups(live, alike)
    if live.empty:
        return []
    several = live.groupby(["group", "name"], observed=True)["resource"].transform("nunique")
    found: dict[tuple[str, str, str], list[pd.DataFrame]] = {}
    replicas = live.drop_duplicates(["namespace", "pod"]).groupby("group")["pod"].size().to_dict()
    for (of, _), rows in live[several > 1].groupby(["group", "name"], observed=True):
        for key, own in _minority(rows, settled).groupby(["namespace", "pod"], observed=True):
            found.setdefault((str(of), str(key[0]), str(key[1])), []).append(own)
    return [_row(key, own, what, replicas) for key, own in sorted(found.items())]


def _minority(rows: pd.DataFrame, settled: float) -> pd.DataFrame:
    """The proxies that hold another resource than most, where no change may be under way."""
    changed, captured = rows["last_updated"].max(), rows["captured_at"].min()
    if pd.isna(changed) or (captured - changed).total_seconds() < settled:
        return rows.iloc[:0]
    count = text(rows["resource"]).map(text(rows["resource"]).value_counts())
    usual = text(rows["resource"])[count == count.max()].min()
    return rows[text(rows["resource"]) != usual]


def _row(
    key: tuple[str, str, str], several: list[pd.DataFrame], what: str, replicas: "dict[Any, int]"
) -> dict[str, Any]:
    of, namespace, pod = key
    workload = "/".join(of.split("\x1f")[:2])
    rows = pd.concat(several)
    names = sorted(set(texts(rows["name"])))
    said = {"name": names[0], "differing": len(names), "replicas": replicas.get(of, 0), "evidence": places(rows)}
    return {"namespace": namespace, "pod": pod, "workload": workload, "what": what, **said}
