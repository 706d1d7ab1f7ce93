"""Which proxies are replicas of each other, so that istiod means them to have the same."""

import pandas as pd

from meshforensics.tables import keys, numbered, text


def replicas_of(proxies: pd.DataFrame, pods: pd.DataFrame) -> dict[tuple[str, ...], tuple[str, ...]]:
    """By proxy: what replicas have in common, workload, versions, role, and the template they are of."""
    hashes: dict[tuple[str, ...], str] = {}
    if len(pods):
        template = text(pods["labels"]).str.extract(r'"pod-template-hash":"([^"]+)"', expand=False).fillna("")
        hashes = dict(zip(keys(pods, "namespace", "pod"), template, strict=True))
    made = {}
    common = ("namespace", "workload", "version", "build", "revision", "role", "cluster_id", "service_account")
    for proxy, own in zip(keys(proxies, "namespace", "pod"), keys(proxies, *common), strict=True):
        if own[1]:
            made[proxy] = (*own, hashes.get(proxy, ""))
    return made


def in_groups(rows: pd.DataFrame, alike: dict[tuple[str, ...], tuple[str, ...]]) -> pd.DataFrame:
    """The rows of proxies that have replicas, with what they have in common as `group`."""
    numbers, proxies = numbered(rows, "namespace", "pod")
    names = pd.array(["\x1f".join(alike.get(proxy, ())) for proxy in proxies] or [""], dtype="str")
    group = pd.Series(names.take(numbers), index=rows.index)
    return rows.assign(group=group)[group != ""]
