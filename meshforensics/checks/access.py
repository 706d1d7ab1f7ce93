"""Access control: who was denied, by which policy."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import ABSENT, denials_of, inside, places, text


@check(
    "access.denied",
    phase="access-control",
    plane="state",
    threshold="access.denied",
    by=["namespace", "pod", "policy"],
    observed="denied",
    unit="requests",
    title="An authorization policy denied calls",
    detail="{namespace}/{pod} denied {denied} calls of {callers} since {at}, policy {policy}{objects}, "
    "first {method} {path}",
    remediation="`none`: an ALLOW policy exists and no rule matched. Compare rule and caller; delete no policy.",
    source="guide, phase 3; Envoy RBAC filter, response code details",
)
def denied(
    access_log: pd.DataFrame,
    window: Window,
    config: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    denials = inside(denials_of(access_log, config, pods, proxies), window)
    return _counted(denials[~denials["meant"].astype(bool)])


@check(
    "access.denied-as-meant",
    phase="access-control",
    plane="state",
    severity="info",
    by=["namespace", "pod", "policy"],
    observed="denied",
    unit="requests",
    title="An authorization policy denied what it is there to deny",
    detail="{namespace}/{pod} denied {denied} calls of {callers} since {at}, policy {policy}, first {method} {path}; "
    "the like was never served",
    remediation="Nothing, unless the caller should be let in.",
    source="guide, phase 3; a rule that hits only its target is no incident",
)
def denied_as_meant(
    access_log: pd.DataFrame,
    window: Window,
    config: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    denials = inside(denials_of(access_log, config, pods, proxies), window)
    return _counted(denials[denials["meant"].astype(bool)])


def _counted(denials: pd.DataFrame) -> pd.DataFrame:
    """One row per server and policy: how many calls of whom, the first of them, and the objects behind it."""
    rows = []
    for _, group in denials.groupby(["namespace", "pod", "policy"], observed=True):
        first = group.sort_values("at").iloc[0]
        behind = sorted({name for names in group["objects"] for name in names})
        said = {"denied": len(group), "callers": ", ".join(sorted(set(group["caller"]))[:3]), "evidence": places(group)}
        objects = f" ({', '.join(behind)})" if behind else ""
        rows.append(first.to_dict() | said | {"objects": objects})
    return pd.DataFrame(rows, columns=[*denials.columns, "denied", "callers", "evidence"])


@check(
    "access.denied-since-start",
    phase="access-control",
    plane="state",
    severity="info",
    by=["name"],
    observed="value",
    unit="requests",
    title="Denials since a proxy started",
    detail="{name} is {value} since start on {subject}; {count} proxies count denials",
    remediation="Take a second sample, or the access log, to see whether they go on.",
    source="Envoy RBAC filter counters; shadow_denied is a dry run and not counted",
)
def denied_since_start(stats: pd.DataFrame) -> pd.DataFrame:
    name = text(stats["name"])
    labels = text(stats["labels"])
    counter = name.str.contains(r"rbac[._]denied\Z", regex=True) | (
        name.str.contains("http_rbac") & labels.str.contains('"authz_enforce_result": ?"denied"', regex=True)
    )
    return stats[counter & ~name.str.contains("shadow") & (stats["value"].fillna(0) > 0)]
