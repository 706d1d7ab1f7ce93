"""What istiod means every replica of a workload to have, and one of them lacks."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._hosts import same
from meshforensics.checks._replicas import in_groups, replicas_of
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, text, texts

_OUTBOUND = r"outbound\|\d+\|[^|]*\|[^|]+"


@check(
    "sync.clusters-lacking",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["name"],
    observed="name",
    title="A proxy lacks a cluster that its replicas have",
    detail="{count:proxy lacks|proxies lack} {name}, which {others:other replica|s} of {workload} "
    "{others:~has|have}; {meant}",
    remediation="Compare syncz for CDS, and the istiod that this proxy is connected to; look for a rejection.",
    source="guide, overview (Pilot out of sync); Envoy config_dump against DestinationRules and istiod debug/registryz",
)
def clusters_lacking(
    proxies: pd.DataFrame,
    cluster_instances: pd.DataFrame,
    profile: Profile,
    pods: pd.DataFrame = ABSENT,
    destination_rules: pd.DataFrame = ABSENT,
    registry: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Of subsets that a DestinationRule defines and services that istiod knows, where most replicas have long had it.

    Replicas have the same labels and namespace, so that a Sidecar, exportTo or a workloadSelector tells none apart.
    """
    live = cluster_instances[cluster_instances["state"].isin(["active", "warming"])]
    live = live[live["captured_at"].notna() & text(live["name"]).str.fullmatch(_OUTBOUND)]
    live = in_groups(live.assign(name=text(live["name"])), replicas_of(proxies, pods))
    live = live.drop_duplicates(["namespace", "pod", "name"])
    members = {str(key): rows for key, rows in live.drop_duplicates(["namespace", "pod"]).groupby("group")}
    held = live.groupby(["group", "name"]).agg(having=("pod", "size"), newest=("last_updated", "max")).reset_index()
    size = held["group"].map({key: len(rows) for key, rows in members.items()}).astype("Int64")
    least = max(profile.number("siblings.least"), 1)
    odd = held[(held["having"] < size) & (held["having"] * 2 > size) & (held["having"] >= least)]
    meant = _meant(odd["name"], destination_rules, registry)
    rows = []
    for key, name, having, newest in zip(odd["group"], odd["name"], odd["having"], odd["newest"], strict=True):
        holders = live[(live["group"] == key) & (live["name"] == name)]
        mine = set(keys(holders, "namespace", "pod"))
        others = members[key][[proxy not in mine for proxy in keys(members[key], "namespace", "pod")]]
        late = others[(others["captured_at"] - newest).dt.total_seconds() >= profile.number("drift.settled")]
        shown = {"name": name, "others": having, "workload": "/".join(str(key).split("\x1f")[:2])}
        for namespace, pod, item in keys(late, "namespace", "pod", "item") if name in meant else ():
            said, places = meant[name]
            evidence = ((item, ""), *keys(holders.iloc[:1], "item", "pointer"), *places)
            rows.append({"namespace": namespace, "pod": pod, **shown, "meant": said, "evidence": evidence})
    return pd.DataFrame(rows, columns=["namespace", "pod", "name", "others", "workload", "meant", "evidence"])


def _meant(
    names: "pd.Series[str]", destination_rules: pd.DataFrame, registry: pd.DataFrame
) -> dict[str, tuple[str, tuple[tuple[str, ...], ...]]]:
    """The clusters that are meant to be: by which object, and where that stands."""
    rules = destination_rules if len(destination_rules) else pd.DataFrame(columns=["host", "subset", "object"])
    subsets = {(same(host), subset): n for n, (host, subset) in enumerate(keys(rules, "host", "subset")) if subset}
    known: dict[str, set[str]] = {}
    for host, ports in zip(texts(registry["host"]), registry["ports"], strict=True) if len(registry) else ():
        own = ports if isinstance(ports, tuple) else ()
        known.setdefault(host, set()).update(str(each).partition("/")[0] for each in own)
    found: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {}
    for name in dict.fromkeys(texts(names)):
        _, port, subset, host = name.split("|", 3)
        if subset and (same(host), subset) in subsets:
            rule = rules.iloc[[subsets[same(host), subset]]]
            found[name] = (f"{texts(rule['object'])[0]} defines it", tuple(keys(rule, "item", "pointer")))
        elif not subset and port in known.get(host, ()):
            found[name] = ("istiod has the service", ())
    return found
