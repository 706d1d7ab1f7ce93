"""Access control: who was denied, by which policy."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import places, text


def _denials(access_log: pd.DataFrame, window: Window) -> pd.DataFrame:
    inside = (access_log["at"] >= pd.Timestamp(window.start)) & (access_log["at"] <= pd.Timestamp(window.end))
    said = text(access_log["details"]) + " " + text(access_log["termination_details"])
    denied = access_log[inside & said.str.contains("rbac_access_denied_matched_policy", regex=False)]
    # the server's proxy decides; a caller's line that passes the details on is the same denial
    return denied.assign(policy=said[denied.index].str.extract(r"matched_policy\[(\S+)\]")[0].fillna("unknown"))


@check(
    "access.denied",
    phase="access-control",
    plane="state",
    threshold="access.denied",
    by=["namespace", "pod", "policy"],
    observed="denied",
    unit="requests",
    title="An authorization policy denied calls",
    detail="{namespace}/{pod} denied {denied} calls since {at}, policy {policy}, first {method} {path}",
    remediation="`none`: an ALLOW policy exists and no rule matched. Compare rule and caller; delete no policy.",
    source="guide, phase 3; Envoy RBAC filter, response code details",
)
def denied(access_log: pd.DataFrame, window: Window) -> pd.DataFrame:
    rows = []
    for _, group in _denials(access_log, window).groupby(["namespace", "pod", "policy"], observed=True):
        first = group.sort_values("at").iloc[0]
        rows.append({**first.to_dict(), "denied": len(group), "evidence": places(group)})
    return pd.DataFrame(rows, columns=[*access_log.columns, "policy", "denied", "evidence"])


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
