"""Failures that only counters tell of: without a log they block health."""

import pandas as pd
import pytest

from meshforensics.model import Standing
from meshforensics.testing import frame
from tests.incidents.cases import judged, whole_mesh

LABELS = '{"http_conn_manager_prefix":"inbound_0.0.0.0_8080","response_code_class":"%s"}'


def _stats(**values: int) -> pd.DataFrame:
    """Counters of web-1, and one of pay-1 that says nothing."""
    names = ["envoy_http_downstream_rq"] * 2 + ["envoy_listener_no_filter_chain_match", "envoy_server_live"]
    given = [values.get("good", 1000), values.get("bad", 0), values.get("refused", 0), 1]
    labels = [LABELS % "2xx", LABELS % "5xx", "{}", "{}"]
    pods = ["web-1"] * 3 + ["pay-1"]
    return frame("stats", namespace=["shop"] * 4, pod=pods, name=names, labels=labels, value=given)


@pytest.mark.parametrize(
    ("stats", "logs", "status"),
    [
        pytest.param(_stats(bad=40), False, Standing.UNDETERMINED, id="failures-that-no-log-dates"),
        pytest.param(_stats(bad=40), True, Standing.SUPPORTED, id="a-log-that-shows-none"),
        pytest.param(_stats(bad=9, good=100), False, Standing.SUPPORTED, id="a-few"),
        pytest.param(_stats(bad=40, good=90_000), False, Standing.SUPPORTED, id="a-small-share"),
        pytest.param(_stats(refused=40), False, Standing.UNDETERMINED, id="refused-connections"),
    ],
)
def test_health_where_counters_show_failures(stats: pd.DataFrame, logs: bool, status: Standing) -> None:
    mesh = {**whole_mesh(), "stats": stats}
    if not logs:
        mesh["log_coverage"] = frame("log_coverage")

    assert judged("healthy", **mesh).status is status
