"""States of proxies, from /server_info or from stats."""

import pandas as pd
import pytest

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of
from tests.tables.reading import cells

SERVER_INFO = b'{"version":"x/1.35.0/Clean/RELEASE/BoringSSL","state":"PRE_INITIALIZING","uptime_current_epoch":"9s"}'
PROMETHEUS = (
    b"# TYPE envoy_server_state gauge\nenvoy_server_state{} 1\n"
    b"# TYPE envoy_server_uptime gauge\nenvoy_server_uptime{} 70\n"
)
TEXT = b"server.state: 2\nserver.uptime: 5\n"


@pytest.mark.parametrize(
    ("items", "states"),
    [
        pytest.param([("envoy.server_info", SERVER_INFO)], [("PRE_INITIALIZING", 9.0)], id="server-info"),
        pytest.param([("envoy.stats_prometheus", PROMETHEUS)], [("DRAINING", 70.0)], id="scrape"),
        pytest.param([("envoy.stats", TEXT)], [("PRE_INITIALIZING", 5.0)], id="admin-text"),
        pytest.param(
            [("envoy.server_info", SERVER_INFO), ("envoy.stats_prometheus", PROMETHEUS)],
            [("PRE_INITIALIZING", 9.0)],
            id="server-info-first",
        ),
        pytest.param([("envoy.stats", b"cluster.x.upstream_rq_total: 1\n")], [], id="not-told"),
    ],
)
def test_proxy_states(items: list[tuple[str, bytes]], states: list[tuple[object, ...]]) -> None:
    made = tables_of(*((kind, "shop/web-1", payload) for kind, payload in items)).frame("proxy_states")

    assert cells(made, "state", "uptime_s") == states


def test_real_proxies_are_live(upgrade: Investigation) -> None:
    states = upgrade.frame("proxy_states")

    assert set(states["state"]) == {"LIVE"}
    assert bool(pd.notna(states["uptime_s"]).all())


def test_without_either_it_is_not_known() -> None:
    assert tables_of().state("proxy_states").reason == "not captured: proxies; not captured: stats"
