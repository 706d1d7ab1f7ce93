"""Telemetry: how many series each proxy prints, and which family makes most of them."""

from collections import Counter

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, text, texts

_PAGES = ("envoy.stats", "linkerd.metrics", "ztunnel.metrics")
_OF_TEXT = r"\A([^.]+)\..*\.([^.]+)\Z"
"""A name of the text form has its labels inside: ``cluster.<name>.upstream_rq_total``."""


@check(
    "control-plane.many-series",
    phase="control-plane",
    plane="control",
    threshold="telemetry.series",
    by=["family"],
    observed="series",
    unit="series",
    title="Proxies print very many series",
    detail="{count:proxy|s}, {namespace}/{pod} with {series} series, {of_family} of them of {family}",
    remediation="Remove labels of high cardinality (Telemetry metrics.overrides, proxyStatsMatcher); they cost memory "
    "in every proxy and in Prometheus.",
    source="guide, diagram (telemetry: high cardinality; it is in the proxies since Istio 1.5)",
)
def many_series(stats: pd.DataFrame, profile: Profile, histograms: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Of two pages of one proxy the one with more is judged: both tell of the same."""
    level = min(profile.threshold("telemetry.series").levels.values())
    pages = [rows for rows in (stats, histograms) if len(rows)]
    sizes = sum((_sizes(rows) for rows in pages), Counter())
    large = {item for item, count in sizes.items() if count > level}
    families: dict[str, Counter[str]] = {item: Counter() for item in large}
    places: dict[str, dict[str, str]] = {}
    for rows in pages:
        own = rows[rows["item"].isin(sorted(large))]
        for item, family in zip(texts(own["item"]), _families(own), strict=True):
            families[item][family] += 1
        first = own.drop_duplicates("item")
        for item, namespace, pod, pointer in keys(first, "item", "namespace", "pod", "pointer"):
            places.setdefault(item, {"namespace": namespace, "pod": pod, "item": item, "pointer": pointer})
    made = [{**places[item], **_largest(families[item]), "series": sizes[item]} for item in sorted(large)]
    columns = ["namespace", "pod", "series", "family", "of_family", "item", "pointer"]
    found = pd.DataFrame(made, columns=columns).sort_values("series", ascending=False, kind="stable")
    return found.drop_duplicates(["namespace", "pod"])


def _sizes(rows: pd.DataFrame) -> Counter[str]:
    """How many series each page of a proxy has."""
    counts = rows["item"].value_counts()
    return Counter({str(item): int(count) for item, count in counts.items() if count and str(item).startswith(_PAGES)})


def _families(rows: pd.DataFrame) -> "pd.Series[str]":
    return text(rows["name"]).str.replace(_OF_TEXT, r"\1.….\2", regex=True)


def _largest(families: Counter[str]) -> dict[str, str | int]:
    """The family with most series; of two alike the first by name."""
    family, count = min(families.items(), key=lambda each: (-each[1], each[0]))
    return {"family": family, "of_family": count}
