"""Failures that only counters tell of: without a log they block health."""

import pandas as pd
import pytest

from meshforensics.model import Standing
from meshforensics.tables.counted_calls import REFUSED
from meshforensics.testing import frame
from tests.incidents.cases import NOON, judged, whole_mesh


def _aside(good: int = 1000, bad: int = 0, refused: int = 0) -> pd.DataFrame:
    """What web-1 counts since a start three days ago."""
    return frame(
        "counted_calls",
        namespace=["shop"] * 3,
        pod=["web-1"] * 3,
        since=[NOON - pd.Timedelta(days=3)] * 3,
        at=[NOON] * 3,
        family=["", "", REFUSED],
        failed=[False, True, True],
        aside=[True] * 3,
        calls=[good, bad, refused],
    )


@pytest.mark.parametrize(
    ("aside", "logs", "status"),
    [
        pytest.param(_aside(bad=40), False, Standing.UNDETERMINED, id="failures-that-no-log-dates"),
        pytest.param(_aside(bad=40), True, Standing.SUPPORTED, id="a-log-that-shows-none"),
        pytest.param(_aside(bad=9, good=100), False, Standing.SUPPORTED, id="a-few"),
        pytest.param(_aside(bad=40, good=90_000), False, Standing.SUPPORTED, id="a-small-share"),
        pytest.param(_aside(refused=40), False, Standing.UNDETERMINED, id="refused-connections"),
    ],
)
def test_health_where_counters_show_failures(aside: pd.DataFrame, logs: bool, status: Standing) -> None:
    mesh = whole_mesh()
    mesh["counted_calls"] = pd.concat([mesh["counted_calls"], aside], ignore_index=True)
    if not logs:
        mesh["log_coverage"] = frame("log_coverage")

    assert judged("healthy", **mesh).status is status


def test_what_a_server_counts_is_not_counted_twice() -> None:
    """Its callers count the same calls."""
    recent = _aside(bad=40).assign(since=NOON - pd.Timedelta(minutes=5))
    mesh = whole_mesh()
    mesh["counted_calls"] = pd.concat([mesh["counted_calls"], recent], ignore_index=True)

    assert judged("healthy", **mesh).summary.startswith("No incident: 0 of 100 calls")
