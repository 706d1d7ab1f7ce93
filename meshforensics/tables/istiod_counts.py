"""What each istiod counted: its counters and histograms between two samples, or since it started."""

from typing import Any

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, of_items, text, texts

_START = "process_start_time_seconds"
_UPTIME = "istiod_uptime_seconds"
_OWN = r"(?:pilot|citadel|galley|sidecar_injection|webhook_patch)_"
_SERIES = ["namespace", "pod", "name", "labels", "le"]
_LEAST = -1.0
"""Stands for no bound, because a missing value is no key of a merge."""


def _counts(stats: pd.DataFrame = ABSENT, histograms: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Each sample against the one before it of the same istiod; the first, and one after a restart, since the start."""
    held = _cumulative(stats, histograms)
    starts = _starts(stats)
    rows = []
    for (namespace, pod), own in held.groupby(["namespace", "pod"]):
        before: tuple[pd.Timestamp, pd.DataFrame] | None = None
        for at in own["captured_at"].drop_duplicates().sort_values():
            sample = own[own["captured_at"] == at]
            began = starts.get((str(namespace), str(pod), at), pd.NaT)
            if before and (pd.isna(began) or began <= before[0]):
                rows.append(_difference(before[1], sample).assign(since=before[0], basis="two samples"))
            else:
                since = pd.Series(began, index=sample.index, dtype="datetime64[us, UTC]")
                rows.append(sample.assign(rose=sample["held"], since=since, basis="since start"))
            before = (at, sample)
    names = [column.name for column in istiod_counts.all_columns]
    if not rows:
        return pd.DataFrame(columns=names)
    made = pd.concat(rows, ignore_index=True)
    return made.assign(at=made["captured_at"], le=made["le"].where(made["le"] != _LEAST))[names]


def _cumulative(stats: pd.DataFrame, histograms: pd.DataFrame) -> pd.DataFrame:
    """The values of istiod's counters, and of the buckets of its histograms."""
    parts = []
    if len(stats):
        counters = _own(stats)
        counters = counters[(counters["type"] == "counter") & counters["value"].notna()]
        parts.append(_plain(counters).assign(le=_LEAST, held=counters["value"].astype("int64")))
    if len(histograms):
        buckets = _own(histograms)
        buckets = buckets[buckets["le"].notna() & buckets["count"].notna()]
        parts.append(_plain(buckets).assign(le=buckets["le"].astype(float), held=buckets["count"].astype("int64")))
    columns = [*_SERIES, "captured_at", "item", "pointer", "held"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _own(rows: pd.DataFrame) -> pd.DataFrame:
    own = of_items(rows, "istiod.metrics")
    own = own[own["captured_at"].notna()]
    return own[text(own["name"]).str.match(_OWN)]


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Texts in place of categories, so that rows of two tables can stand in one frame."""
    texts = {name: text(rows[name]) for name in ("namespace", "pod", "name", "labels", "item", "pointer")}
    return pd.DataFrame({**texts, "captured_at": rows["captured_at"]})


def _starts(stats: pd.DataFrame) -> dict[tuple[str, str, Any], pd.Timestamp]:
    """When the istiod of each sample had started, where its metrics tell it."""
    if stats.empty:
        return {}
    found: dict[tuple[str, str, Any], pd.Timestamp] = {}
    for name in (_UPTIME, _START):
        own = of_items(stats[stats["name"] == name], "istiod.metrics")
        own = own[own["real"].notna() & own["captured_at"].notna()]
        keys = zip(texts(own["namespace"]), texts(own["pod"]), own["captured_at"], own["real"], strict=True)
        for namespace, pod, at, seconds in keys:
            began = at - _seconds(seconds) if name == _UPTIME else pd.Timestamp(0, tz="UTC") + _seconds(seconds)
            found[(namespace, pod, at)] = began
    return found


def _seconds(number: float) -> pd.Timedelta:
    return pd.Timedelta(seconds=min(max(float(number), 0.0), 4e9))


def _difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """How far each series rose; one that fell was reset and counts from zero, one that is new rose by all it has."""
    old = before.drop_duplicates(_SERIES).set_index(_SERIES)["held"]
    index = pd.MultiIndex.from_frame(after[_SERIES])
    was = old.reindex(index).fillna(0).to_numpy()
    held = after["held"].to_numpy()
    return after.assign(
        rose=[int(new - last) if new >= last else int(new) for new, last in zip(held, was, strict=True)]
    )


istiod_counts = Table(
    id="istiod_counts",
    about="What each istiod counted in a span of time: counters, and buckets of histograms.",
    of="pod",
    columns=(
        Column("since", "datetime64[us, UTC]", about="Begin of the span; missing where unknown.", source="computed"),
        Column("at", "datetime64[us, UTC]", about="End of the span: the capture.", source="manifest"),
        Column("basis", "category", about="two samples, or since start.", source="computed"),
        Column("name", "category", about="Name of the counter or histogram.", source="istiod metrics"),
        Column("labels", "category", about="Labels as a JSON object, keys sorted.", source="istiod metrics"),
        Column("le", "Float64", about="Upper bound of the bucket; missing for a counter.", source="label le"),
        Column("rose", "Int64", about="How far it rose in the span.", source="computed"),
    ),
    derives=_counts,
)
