"""Whether the proxy itself shows that a rejection of its log is over."""

import pandas as pd
import pytest

from meshforensics.tables._mended import mended
from meshforensics.testing import frame

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
BEFORE, AFTER = NOON - pd.Timedelta(seconds=1), NOON + pd.Timedelta(seconds=1)
WHO = {"namespace": ["ops"], "pod": ["seats-1"]}


def _report(kind: str, name: str | None) -> pd.DataFrame:
    return frame("rejections", **WHO, type=[kind], resource_name=[name], at=[NOON])


def _listener(name: str | None, state: str, at: pd.Timestamp = AFTER) -> pd.DataFrame:
    return _held("listener_instances", name, state, captured_at=at)


def _held(table: str, name: str | None, state: str = "active", **values: pd.Timestamp) -> pd.DataFrame:
    return frame(table, **WHO, name=[name], state=[state], **{key: [value] for key, value in values.items()})


def _gauge(name: str, at: pd.Timestamp) -> pd.DataFrame:
    return frame("stats", **WHO, name=[name], value=[int(at.timestamp() * 1000)])


NONE = pd.DataFrame()
GAUGES = ("envoy_cluster_manager_cds_update_time", "cluster_manager.cds.update_time")


@pytest.mark.parametrize(
    ("report", "listeners", "over"),
    [
        pytest.param(_report("lds", "in"), _listener("in", "active"), True, id="it-runs"),
        pytest.param(_report("lds", "in"), _listener("in", "error"), False, id="it-is-refused"),
        pytest.param(_report("lds", "in"), _listener(None, "error"), False, id="one-without-name-is-refused"),
        pytest.param(_report("lds", "in"), _listener("b", "error"), True, id="another-is-refused"),
        pytest.param(_report("lds", None), _listener("b", "error"), False, id="which-one-is-unsaid"),
        pytest.param(_report("lds", "in"), _listener("in", "active", BEFORE), False, id="an-older-dump"),
        pytest.param(_report("cds", "c"), _listener("in", "active"), False, id="listeners-tell-of-no-clusters"),
    ],
)
def test_what_a_later_dump_shows_of_listeners(report: pd.DataFrame, listeners: pd.DataFrame, over: bool) -> None:
    assert list(mended(report, listeners, NONE, NONE)) == [over]


@pytest.mark.parametrize(("at", "over"), [(AFTER, True), (NOON, False), (BEFORE, False)])
def test_a_cluster_that_changed_since_was_accepted(at: pd.Timestamp, over: bool) -> None:
    clusters = _held("cluster_instances", "c", last_updated=at)

    assert list(mended(_report("cds", "c"), NONE, clusters, _gauge(GAUGES[0], AFTER))) == [over]


@pytest.mark.parametrize("gauge", GAUGES)
@pytest.mark.parametrize(("at", "over"), [(AFTER, True), (BEFORE, False)])
def test_an_update_that_was_accepted_since(gauge: str, at: pd.Timestamp, over: bool) -> None:
    assert list(mended(_report("cds", None), NONE, NONE, _gauge(gauge, at))) == [over]
    assert list(mended(_report("rds", None), NONE, NONE, _gauge(gauge, at))) == [False]


def test_without_evidence_nothing_is_over() -> None:
    assert list(mended(_report("lds", "in"), NONE, NONE, NONE)) == [False]
