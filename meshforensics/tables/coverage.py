"""Coverage: how many proxies there are, were captured and could be decoded, per namespace."""

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, texts, true


def _coverage(
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
    xds_sync: pd.DataFrame = ABSENT,
    listener_instances: pd.DataFrame = ABSENT,
    log_coverage: pd.DataFrame = ABSENT,
    memory: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    told = pods[true(pods["injected"], missing=False) & (pods["phase"] == "Running")]
    captured = {
        key
        for frame in (proxies, listener_instances, log_coverage, memory, stats)
        for key in keys(frame, "namespace", "pod")
    }
    decoded = set(keys(listener_instances, "namespace", "pod"))
    served = set(keys(xds_sync, "namespace", "pod"))
    proxy_like = set(keys(proxies, "namespace", "pod")) | decoded | served | set(keys(told, "namespace", "pod"))
    known = {key for key in proxy_like if key[1]}
    first = _places(pods, proxies, xds_sync, listener_instances)
    rows = []
    for namespace in sorted({namespace for namespace, _ in known}):
        mine = {key for key in known if key[0] == namespace}
        item, pointer, at = first.get(namespace, ("", "", pd.NaT))
        rows.append((at, namespace, len(mine), len(mine & captured), len(mine & decoded), item, pointer))
    return pd.DataFrame(rows, columns=[column.name for column in coverage.all_columns])


def _places(*frames: pd.DataFrame) -> dict[str, tuple[str, str, object]]:
    made: dict[str, tuple[str, str, object]] = {}
    for frame in frames:
        rows = zip(
            texts(frame["namespace"]), texts(frame["item"]), texts(frame["pointer"]), frame["captured_at"], strict=True
        )
        for namespace, item, pointer, at in rows:
            made.setdefault(namespace, (item, pointer, at))
    return made


coverage = Table(
    id="coverage",
    about="Proxies known, captured (anything of them) and decoded (their configuration), per namespace.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace.", source="computed"),
        Column(
            "known",
            "Int64",
            unit="proxies",
            about="Proxies that pods, istiod or the capture itself tell of.",
            source="pods, xds_sync, proxies",
        ),
        Column("captured", "Int64", unit="proxies", about="Proxies of which anything was captured.", source="items"),
        Column(
            "decoded",
            "Int64",
            unit="proxies",
            about="Proxies whose configuration was decoded.",
            source="listener_instances",
        ),
    ),
    derives=_coverage,
)
