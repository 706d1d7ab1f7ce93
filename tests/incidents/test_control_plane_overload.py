"""An overloaded istiod, what refutes it, and the one proxy that is only stale."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.control_plane import throttled
from meshforensics.checks.control_plane_pushes import slow_convergence, slow_queue, slow_since_start
from meshforensics.checks.sync import stale
from meshforensics.model import Finding, Standing
from meshforensics.testing import frame
from tests.checks.objects import NOON, said_of_frames
from tests.checks.test_control_plane_pushes import CONVERGENCE, QUEUE, counts
from tests.incidents.cases import judged

SUPPORTED, POSSIBLE, REFUTED, UNDETERMINED = (
    Standing.SUPPORTED,
    Standing.POSSIBLE,
    Standing.REFUTED,
    Standing.UNDETERMINED,
)
OVERLOAD = "control-plane-overload"
IN_RANGE = frame("histograms", name=[CONVERGENCE], le=[10.0], count=[100])


def _found(check: Check, **frames: Any) -> tuple[Finding, ...]:
    return said_of_frames(check, frames).findings


def _times(name: str, slow: int, **span: Any) -> pd.DataFrame:
    return counts((name, "{}", 10.0, 100 - slow), (name, "{}", float("inf"), 100), **span)


SLOW = _found(slow_convergence, istiod_counts_over_time=_times(CONVERGENCE, 50))
MOSTLY_SLOW = _found(slow_convergence, istiod_counts_over_time=_times(CONVERGENCE, 51))
QUEUED = _found(slow_queue, istiod_counts_over_time=_times(QUEUE, 50))
SLOW_SOMETIME = _found(slow_since_start, istiod_counts=_times(CONVERGENCE, 50, since=600, basis="since start"))


def _held_back(share: float) -> tuple[Finding, ...]:
    one: dict[str, list[Any]] = {
        "namespace": ["istio-system"],
        "pod": ["istiod-1"],
        "container": ["discovery"],
    }
    return _found(throttled, throttling=frame("throttling", **one, at=[NOON], share=[share]))


def _sync(waiting: int, of: int) -> pd.DataFrame:
    """As many proxies, of which some have not acknowledged for ten minutes."""
    return frame(
        "xds_sync",
        namespace=["shop"] * of,
        pod=[f"web-{number}" for number in range(of)],
        istiod=["istio-system/istiod-1"] * of,
        type=["cds"] * of,
        status=["STALE" if number < waiting else "SYNCED" for number in range(of)],
        sent_at=[NOON - pd.Timedelta(minutes=10)] * of,
    )


@pytest.mark.parametrize(
    ("strain", "waiting", "status"),
    [
        pytest.param(SLOW, 3, SUPPORTED, id="slow-and-waiting"),
        pytest.param(SLOW, 0, POSSIBLE, id="slow-and-nobody-waits"),
        pytest.param(SLOW, 1, POSSIBLE, id="slow-and-one-proxy-waits"),
        pytest.param(MOSTLY_SLOW, 1, SUPPORTED, id="most-pushes-slow-and-one-proxy-waits"),
        pytest.param(SLOW_SOMETIME, 3, SUPPORTED, id="slow-at-some-time-and-waiting-now"),
        pytest.param(SLOW_SOMETIME, 0, POSSIBLE, id="slow-at-some-time"),
        pytest.param(QUEUED, 0, SUPPORTED, id="the-queue-is-where-they-wait"),
        pytest.param(_held_back(0.5), 3, SUPPORTED, id="throttled-and-waiting"),
        pytest.param(_held_back(0.2), 3, REFUTED, id="throttled-in-bursts"),
        pytest.param((), 3, REFUTED, id="waiting-with-times-in-range"),
        pytest.param((), 0, REFUTED, id="in-range"),
    ],
)
def test_control_plane_overload(strain: tuple[Finding, ...], waiting: int, status: Standing) -> None:
    sync = _sync(waiting, of=4)
    behind = _found(stale, xds_sync=sync)

    said = judged(OVERLOAD, *strain, *behind, xds_sync=sync, histograms=IN_RANGE)

    assert said.status is status


def test_one_stale_proxy_is_stale_and_istiod_is_not_overloaded() -> None:
    sync = _sync(1, of=4)
    behind = _found(stale, xds_sync=sync)
    frames = {"xds_sync": sync, "histograms": IN_RANGE, "rejections": frame("rejections")}

    assert judged("config-stale", *behind, **frames).status is SUPPORTED
    assert judged(OVERLOAD, *behind, **frames).status is REFUTED


def test_proxies_that_wait_without_any_time_of_istiod_leave_it_open() -> None:
    sync = _sync(3, of=4)

    assert judged(OVERLOAD, *_found(stale, xds_sync=sync), xds_sync=sync).status is POSSIBLE


def test_it_names_istiod_and_the_mechanism() -> None:
    said = judged(OVERLOAD, *_held_back(0.5), *SLOW)

    assert (said.subjects, said.mechanism) == (("istio-system/istiod-1",), "slow pushes")
    assert [each.kind for each in said.missing] == ["istiod.syncz"]
