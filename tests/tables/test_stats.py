"""Stats and histograms."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.tables.stats import histograms, stats
from meshforensics.testing import rows_of, tables_of

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/stats_prometheus"
LARGEST = 2**64 - 1
TEXT = f'cluster.outbound|80||web.shop;.circuit_breakers.default.remaining_rq: {LARGEST}\nhttp.a.x_version_text: "7"\n'


def known(row: tuple[Any, ...]) -> tuple[object, ...]:
    return tuple(None if pd.isna(value) else value for value in row)


@pytest.mark.parametrize(
    ("kind", "payload", "name", "pointer"),
    [
        pytest.param("envoy.stats", f"a.b: {LARGEST}\n", "a.b", "L1", id="text"),
        pytest.param(
            "envoy.stats", f'{{"stats": [{{"name": "a.b", "value": {LARGEST}}}]}}', "a.b", "/stats/0", id="json"
        ),
        pytest.param("envoy.stats_prometheus", f"a_b{{}} {LARGEST}\n", "a_b", "L1", id="scrape"),
    ],
)
def test_2_to_the_64_minus_1_stays_exact(kind: str, payload: str, name: str, pointer: str) -> None:
    frame = tables_of((kind, "shop/web-1", payload.encode())).frame("stats")

    assert frame["value"].dtype == pd.UInt64Dtype()
    assert [(row["name"], int(row["value"]), row["pointer"]) for _, row in frame.iterrows()] == [
        (name, LARGEST, pointer)
    ]


def test_rows_of_text() -> None:
    rows = [known(row) for row in rows_of(stats, TEXT.encode(), kind="envoy.stats")]
    item = "envoy.stats:shop/web-1@unknown"
    breaker = "cluster.outbound|80||web.shop;.circuit_breakers.default.remaining_rq"

    assert rows == [
        (
            *("shop", "web-1", None, breaker, None, "{}", "outbound|80||web.shop"),
            *(None, None, LARGEST, float(LARGEST), None, item, "L1"),
        ),
        ("shop", "web-1", None, "http.a.x_version_text", "text", "{}", None, None, None, None, None, "7", item, "L2"),
    ]


def test_rows_of_a_scrape() -> None:
    rows = [known(row) for row in rows_of(stats, SAMPLE.read_bytes(), kind="envoy.stats_prometheus")]
    item = "envoy.stats_prometheus:shop/web-1@unknown"

    assert len(rows) == 14
    assert rows[2] == (
        *("shop", "web-1", None, "envoy_http_downstream_rq", "counter"),
        '{"http_conn_manager_prefix":"inbound_0.0.0.0_8080","response_code_class":"1xx"}',
        *(None, "inbound_0.0.0.0_8080", "1xx", 0, 0.0, None, item, "L6"),
    )


def test_histograms_of_a_scrape() -> None:
    rows = [known(row) for row in rows_of(histograms, SAMPLE.read_bytes(), kind="envoy.stats_prometheus")]
    item = "envoy.stats_prometheus:shop/web-1@unknown"
    name = "envoy_cluster_manager_cds_update_duration"

    assert rows[-1] == (
        *("shop", "web-1", None, name, "histogram", "{}", None, None),
        *(float("inf"), None, 1, 2.048780487804878, None, item, "L42"),
    )


def test_quantiles_of_text() -> None:
    payload = b"cluster.a;.upstream_rq_time: P50(nan,1.05)\n"

    (row,) = [known(row) for row in rows_of(histograms, payload, kind="envoy.stats")]

    assert row == (
        *("shop", "web-1", None, "cluster.a;.upstream_rq_time", "summary", "{}", "a", None),
        *(None, 0.5, None, None, 1.05, "envoy.stats:shop/web-1@unknown", "L1"),
    )


@pytest.mark.parametrize("kind", ["istiod.metrics", "agent.metrics", "ztunnel.metrics", "linkerd.metrics"])
def test_scrapes_of_others_are_read_too(kind: str) -> None:
    frame = tables_of((kind, "istio-system/istiod-1", b"# TYPE pilot_xds gauge\npilot_xds 3\n")).frame("stats")

    assert [(row["name"], row["type"], int(row["value"])) for _, row in frame.iterrows()] == [("pilot_xds", "gauge", 3)]
