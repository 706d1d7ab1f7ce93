"""The control plane: does istiod keep up."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.profile import Profile
from meshforensics.tables import places, text


@check(
    "control-plane.slow-convergence",
    phase="control-plane",
    plane="control",
    threshold="control-plane.convergence-share",
    by=["namespace", "pod"],
    observed="share",
    unit="ratio",
    title="Configuration reaches proxies slowly",
    detail="{slow} of {total} pushes of {namespace}/{pod} took over {limit_s} s to reach a proxy, since its start",
    remediation="Look at istiod's throttling, its queue and the size of pushes; scope them by Sidecar resources.",
    source="istiod pilot_proxy_convergence_time (histogram, since start)",
)
def slow_convergence(histograms: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    own = histograms[text(histograms["name"]) == "pilot_proxy_convergence_time"]
    limit = profile.number("convergence-limit")
    rows = []
    for _, buckets in own[own["le"].notna()].groupby(["namespace", "pod"], observed=True):
        total = int(buckets["count"].max())
        within = buckets[buckets["le"].astype(float) <= limit]["count"]
        if total:
            slow = total - (int(within.max()) if len(within) else 0)
            first = buckets.iloc[0]
            share = slow / total
            rows.append(
                {**first, "slow": slow, "total": total, "share": share, "limit_s": limit, "evidence": places(buckets)}
            )
    return pd.DataFrame(rows) if rows else own.iloc[:0].assign(share=0.0, slow=0, total=0, limit_s=limit)
