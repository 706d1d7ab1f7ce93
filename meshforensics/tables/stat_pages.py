"""Pages of stats: which were taken of each proxy and when, and which tell of every counter that there was."""

from bisect import bisect_left
from collections.abc import Iterable

import pandas as pd

from meshforensics.model import Status
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._frames import keys, text, texts, true

_KINDS = ("envoy.stats", "envoy.stats_prometheus", "linkerd.metrics")
"""Pages that a proxy wrote itself. An agent passes on what Envoy gave it, or nothing where Envoy did not answer."""


def _page(reading: Reading) -> Iterable[Row]:
    yield ("", reading.item.kind, reading.item.status is Status.CAPTURED)


def page_before(rows: pd.DataFrame, pages: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Of each row of a counter, when the whole page before its own was taken, of one proxy and form; else NaT.

    A counter that such a page does not have was zero then: proxies make many of them at their first event.
    """
    if pages.empty:
        return pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us, UTC]")
    whole = pages[true(pages["whole"], missing=False) & pages["captured_at"].notna()]
    times: dict[tuple[str, ...], list[pd.Timestamp]] = {}
    for page, at in zip(keys(whole, "namespace", "pod", "form"), whole["captured_at"], strict=True):
        times.setdefault(page, []).append(at)
    ordered = {page: sorted(each) for page, each in times.items()}
    forms = text(rows["item"]).str.split(":").str[0]
    found: list[pd.Timestamp | None] = []
    for own, form, at in zip(keys(rows, "namespace", "pod"), texts(forms), rows["captured_at"], strict=True):
        taken = ordered.get((*own, form), [])
        place = bisect_left(taken, at) if taken else 0
        found.append(taken[place - 1] if place else None)
    return pd.Series(found, index=rows.index, dtype="datetime64[us, UTC]")


stat_pages = Table(
    id="stat_pages",
    about="Pages of stats that proxies wrote themselves, and whether each came whole.",
    of="pod",
    columns=(
        Column("form", "category", about="Kind of the page.", source="manifest"),
        Column("whole", "boolean", about="Whether it came whole; what a cut one lacks is not zero.", source="manifest"),
    ),
    reads=dict.fromkeys(_KINDS, _page),
)
