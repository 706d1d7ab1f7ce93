"""Which proxies, versions and nodes grow, and whether that is more than chance."""

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._growers import growers
from meshforensics.tables import text

SUSPECT = 0.01
"""Fisher's p below which a group is named."""

_BY = {
    "version": "Istio version",
    "build": "Envoy build",
    "revision": "revision",
    "workload": "workload",
    "node": "node",
}


def grown_by_group(case: Case) -> pd.DataFrame:
    """Of each version, build, revision, workload and node: how many proxies with a series grow.

    Columns: by, group, growing, followed, p (Fisher's exact test of this group against the others, one-sided; missing
    where there are no others), suspect.
    """
    known = _attributes(case)
    grown = {each.subject for each in growers(case)}
    rows = []
    for column, title in _BY.items():
        told = known[known[column] != ""]
        for value, members in told.groupby(column):
            inside = [proxy in grown for proxy in members["proxy"]]
            outside = [proxy in grown for proxy in told["proxy"] if proxy not in set(members["proxy"])]
            p = fisher(sum(inside), len(inside), sum(outside), len(outside)) if outside else None
            place = members.iloc[0]
            rows.append(
                {
                    "by": title,
                    "group": value,
                    "growing": sum(inside),
                    "followed": len(inside),
                    "p": p,
                    "suspect": p is not None and p < SUSPECT,
                    "item": place["item"],
                    "pointer": place["pointer"],
                }
            )
    return pd.DataFrame(rows, columns=["by", "group", "growing", "followed", "p", "suspect", "item", "pointer"])


def fisher(growing: int, of: int, others: int, of_others: int) -> float:
    """The probability that a group has so many growing members by chance.

    >>> round(fisher(4, 4, 0, 4), 4)
    0.0143
    """
    from scipy.stats import fisher_exact  # noqa: PLC0415 - half a second that only series need

    table = [[growing, of - growing], [others, of_others - others]]
    return float(fisher_exact(table, alternative="greater").pvalue)


def _attributes(case: Case) -> pd.DataFrame:
    """What is known of each proxy that has a series, from the proxy itself, else from its pod."""
    followed = case.source.over_time("growth")
    wanted = set(text(followed["namespace"]) + "/" + text(followed["pod"]))
    proxies = case.source.frame("proxies")
    own = proxies[(text(proxies["namespace"]) + "/" + text(proxies["pod"])).isin(wanted)]
    made = pd.DataFrame(
        {
            "proxy": text(own["namespace"]) + "/" + text(own["pod"]),
            **{column: text(own[column]) for column in _BY},
            "item": text(own["item"]),
            "pointer": text(own["pointer"]),
        }
    )
    return made.drop_duplicates("proxy").sort_values("proxy", ignore_index=True)
