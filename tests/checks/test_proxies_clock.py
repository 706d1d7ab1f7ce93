"""Clocks: a kubelet that begins pods before they were given to it, or long after."""

import pandas as pd
import pytest

from meshforensics.checks.proxies_clock import node_clock_skew
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _pods(*offsets: float | None, hours_ago: float = 1.0, node: str = "worker-1") -> pd.DataFrame:
    scheduled = [NOON - pd.Timedelta(hours=hours_ago) + pd.Timedelta(seconds=number) for number in range(len(offsets))]
    started = [
        None if offset is None else at + pd.Timedelta(seconds=offset)
        for at, offset in zip(scheduled, offsets, strict=True)
    ]
    count = len(offsets)
    return frame(
        "pods",
        namespace=["shop"] * count,
        pod=[f"web-{number}" for number in range(count)],
        node=[node] * count,
        scheduled_at=scheduled,
        started_at=started,
    )


@pytest.mark.parametrize(
    ("pods", "skew"),
    [
        pytest.param(_pods(-31), 31.0, id="one-pod-that-began-before"),
        pytest.param(_pods(-30), None, id="thirty-seconds-are-the-limit"),
        pytest.param(_pods(60), None, id="one-pod-that-began-late-may-have-waited"),
        pytest.param(_pods(60, 61), 60.5, id="two-that-began-late"),
        pytest.param(_pods(0, 0, 600), None, id="one-that-waited"),
        pytest.param(_pods(-60, -60, 0, 0, 0, 0), None, id="set-right-since"),
        pytest.param(_pods(-60, -60, hours_ago=25), None, id="a-day-ago"),
        pytest.param(_pods(-306009), None, id="three-days-before-is-no-clock"),
        pytest.param(_pods(None), None, id="not-told"),
        pytest.param(_pods(-60, node=""), None, id="no-node"),
    ],
)
def test_node_clock_skew(pods: pd.DataFrame, skew: float | None) -> None:
    said = outcome(node_clock_skew, at=NOON, pods=pods).findings

    assert [(each.subjects, each.observed and each.observed.value) for each in said] == (
        [] if skew is None else [(("Node:worker-1",), skew)]
    )


def test_without_pods_or_time_it_is_not_evaluated() -> None:
    assert outcome(node_clock_skew, at=NOON).not_evaluated == "not captured: pods"
    assert outcome(node_clock_skew, pods=_pods(-60)).not_evaluated == "capture time unknown, give --at"
