"""stat_pages: a page that was cut is not whole, and an agent's page is none of a proxy's own."""

from dataclasses import dataclass, replace

import pandas as pd

from meshforensics.model import Cause, Item, Status
from meshforensics.tables import Tables
from meshforensics.tables.stat_pages import page_before, stat_pages
from meshforensics.testing import frame, rows_of, tables_of

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
TEXT = b"server.uptime: 60\n"


def _known(row: tuple[object, ...]) -> tuple[object, ...]:
    return (*row[:2], *row[3:5])


@dataclass(frozen=True)
class _Cut:
    items: tuple[Item, ...]

    def read(self, item: Item) -> bytes:
        return TEXT if item.stored else b""


def test_a_page_that_came_whole() -> None:
    (row,) = rows_of(stat_pages, TEXT, kind="envoy.stats")

    assert _known(row) == ("shop", "web-1", "envoy.stats", True)


def test_a_page_that_was_cut() -> None:
    whole = tables_of(("envoy.stats", "shop/web-1", TEXT))
    (item,) = whole.evidence.items
    tables = Tables(_Cut((replace(item, status=Status.PARTIAL, cause=Cause.TRUNCATED),)), whole.declared, at=None)

    assert tables.frame("stat_pages")[["pod", "form", "whole"]].to_numpy().tolist() == [["web-1", "envoy.stats", False]]


def test_what_an_agent_passes_on_is_not_a_page_of_the_proxy() -> None:
    tables = tables_of(("agent.metrics", "shop/web-1", b"a 1\n"))

    assert tables.state("stat_pages").reason == "not captured: stat_pages"


def test_the_page_before_is_the_newest_that_is_earlier() -> None:
    ago = [30, 20, 0]
    pages = frame(
        "stat_pages",
        namespace=["shop"] * 3,
        pod=["web-1"] * 3,
        captured_at=[NOON - pd.Timedelta(minutes=each) for each in ago],
        form=["envoy.stats"] * 3,
        whole=[True] * 3,
    )
    rows = frame(
        "stats",
        namespace=["shop"] * 3,
        pod=["web-1", "web-1", "web-2"],
        captured_at=[NOON, NOON - pd.Timedelta(minutes=30), NOON],
        item=["envoy.stats:shop/web-1@x"] * 3,
    )

    assert page_before(rows, pages).tolist() == [NOON - pd.Timedelta(minutes=20), pd.NaT, pd.NaT]
    assert page_before(rows, pages.iloc[:0]).isna().all()
