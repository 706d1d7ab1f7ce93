"""rises: counters between two samples, since a start, and over a restart."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.investigation import Investigation
from meshforensics.tables import ABSENT
from meshforensics.tables.rises import rises
from meshforensics.testing import frame
from tests.tables.reading import cells

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
PAY = "outbound|80||pay"
OVERFLOW = "envoy_cluster_upstream_rq_pending_overflow"


def _stats(*rows: tuple[int, str, int], form: str = "envoy.stats_prometheus") -> pd.DataFrame:
    """(minutes ago, name, value); uptime is of the proxy."""
    count = len(rows)
    return frame(
        "stats",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        captured_at=[NOON - pd.Timedelta(minutes=ago) for ago, _, _ in rows],
        name=[name for _, name, _ in rows],
        cluster=[None if "uptime" in name else PAY for _, name, _ in rows],
        value=[value for _, _, value in rows],
        real=[float(value) for _, _, value in rows],
        item=[f"{form}:shop/web-1@{ago}" for ago, _, _ in rows],
    )


def _made(stats: pd.DataFrame, pages: pd.DataFrame = ABSENT) -> list[tuple[Any, ...]]:
    assert rises.derives is not None
    made = rises.derives(stats, pages)
    if made.empty:
        return []
    ago = (NOON - made["since"]).dt.total_seconds() / 60
    return cells(made.assign(ago=ago), "name", "cluster", "ago", "rise", "total")


@pytest.mark.parametrize(
    ("stats", "made"),
    [
        pytest.param(
            _stats((10, OVERFLOW, 5), (0, OVERFLOW, 8)),
            [(None, 5, 5), (10, 3, 8)],
            id="between-two-samples",
        ),
        pytest.param(_stats((0, OVERFLOW, 8), (0, "envoy_server_uptime", 300)), [(5, 8, 8)], id="since-a-known-start"),
        pytest.param(
            _stats((10, OVERFLOW, 5), (0, OVERFLOW, 8), (0, "envoy_server_uptime", 300)),
            [(None, 5, 5), (5, 8, 8)],
            id="restarted-between",
        ),
        pytest.param(_stats((10, OVERFLOW, 5), (0, OVERFLOW, 2)), [(None, 5, 5), (None, 2, 2)], id="reset-between"),
        pytest.param(_stats((0, OVERFLOW, 2**60)), [], id="a-number-that-counts-nothing"),
        pytest.param(_stats((0, OVERFLOW, 8), (0, "envoy_server_uptime", 2**60)), [(None, 8, 8)], id="ages-old"),
        pytest.param(_stats((0, "envoy_cluster_circuit_breakers_default_rq_open", 1)), [], id="a-gauge-is-none"),
    ],
)
def test_how_far_a_counter_rose(stats: pd.DataFrame, made: list[tuple[Any, ...]]) -> None:
    assert _made(stats) == [("upstream_rq_pending_overflow", PAY, *each) for each in made]


def _pages(*taken: tuple[int, bool], form: str = "envoy.stats_prometheus") -> pd.DataFrame:
    """(minutes ago, whether it came whole)."""
    return frame(
        "stat_pages",
        namespace=["shop"] * len(taken),
        pod=["web-1"] * len(taken),
        captured_at=[NOON - pd.Timedelta(minutes=ago) for ago, _ in taken],
        form=[form] * len(taken),
        whole=[whole for _, whole in taken],
    )


@pytest.mark.parametrize(
    ("pages", "uptime_s", "made"),
    [
        pytest.param(_pages((10, True), (0, True)), 3600, (10, 8, 8), id="the-page-before-has-it-not"),
        pytest.param(_pages((10, True), (0, True)), 300, (5, 8, 8), id="it-started-since"),
        pytest.param(_pages((20, True), (10, False), (0, True)), 3600, (20, 8, 8), id="the-page-before-was-cut"),
        pytest.param(_pages((10, False), (0, True)), 3600, (60, 8, 8), id="only-a-cut-page-before"),
        pytest.param(_pages((10, True), form="envoy.stats"), 3600, (60, 8, 8), id="a-page-of-another-form"),
        pytest.param(_pages((10, True)).assign(pod="web-2"), 3600, (60, 8, 8), id="a-page-of-another-proxy"),
        pytest.param(_pages((0, True)), 3600, (60, 8, 8), id="its-own-page"),
        pytest.param(_pages(), 3600, (60, 8, 8), id="no-page-known"),
    ],
)
def test_a_counter_that_is_new_rose_from_zero(pages: pd.DataFrame, uptime_s: int, made: tuple[int, ...]) -> None:
    stats = _stats((0, OVERFLOW, 8), (0, "envoy_server_uptime", uptime_s))

    assert [row[2:] for row in _made(stats, pages)] == [made]


def test_a_name_of_the_text_form_is_the_same_counter() -> None:
    name = f"cluster.{PAY};.outlier_detection.ejections_enforced_total"

    assert _made(_stats((0, name, 1), form="envoy.stats")) == [
        ("outlier_detection_ejections_enforced_total", PAY, None, 1, 1)
    ]


def test_of_two_forms_of_one_capture_one_counts() -> None:
    both = [
        _stats((0, OVERFLOW, 8)),
        _stats((0, f"cluster.{PAY};.upstream_rq_pending_overflow", 8), form="envoy.stats"),
    ]

    assert _made(pd.concat([each.astype("object") for each in both])) == [
        ("upstream_rq_pending_overflow", PAY, None, 8, 8)
    ]


def test_of_a_real_series(leak: Investigation) -> None:
    made = leak.over_time("rises")

    assert len(made) > 0
    assert made[made["since"].notna()]["rise"].ge(0).all()
