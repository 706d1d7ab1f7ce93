"""Clocks: nodes whose time is not that of the control plane."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model.words import noun
from meshforensics.profile import Profile
from meshforensics.tables import places, text


@check(
    "proxies.node-clock-skew",
    phase="proxy-health",
    plane="control",
    threshold="clock.skew",
    by=["node"],
    subject="Node:{node}",
    observed="skew_s",
    unit="s",
    title="The clock of a node differs from the control plane's",
    detail="the kubelet of {node} says it began {pods_said} {skew_words} the scheduler gave them to it",
    remediation="Look at time synchronisation on the node: fresh certificates are not yet valid there, or end early.",
    source="claims 14 (clock skew); Kubernetes: status.startTime is the kubelet's clock, PodScheduled the scheduler's",
)
def node_clock_skew(pods: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    """By the newest pods of each node: a kubelet begins a pod within a second of its scheduling.

    One pod alone can only show a clock that is behind; what begins late may have waited for its kubelet. No clock
    is a day off: a pod that tells so was not begun when it says.
    """
    since = at - pd.Timedelta(seconds=profile.number("clock.evidence-age"))
    known = pods["scheduled_at"].notna() & pods["started_at"].notna() & (text(pods["node"]) != "")
    believable = (pods["started_at"] - pods["scheduled_at"]).abs() <= at - since
    recent = pods[known & believable & (pods["scheduled_at"] >= since)].sort_values("scheduled_at", kind="stable")
    rows = []
    for node, own in recent.groupby(text(recent["node"])):
        newest = own.tail(int(profile.number("clock.pods")))
        skew = float((newest["started_at"] - newest["scheduled_at"]).dt.total_seconds().median())
        if len(newest) > 1 or skew < 0:
            rows.append(
                {
                    "node": node,
                    "skew_s": abs(skew),
                    "pods_said": noun(len(newest), "its newest pod", f"its newest {len(newest)} pods"),
                    "skew_words": f"{abs(skew):.0f} s {'before' if skew < 0 else 'after'}",
                    "item": newest.iloc[0]["item"],
                    "pointer": newest.iloc[0]["pointer"],
                    "evidence": places(newest),
                }
            )
    return pd.DataFrame(rows, columns=["node", "skew_s", "pods_said", "skew_words", "item", "pointer", "evidence"])
