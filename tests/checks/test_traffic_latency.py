"""Where the time of requests goes."""

import json

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_latency import slow_beside_upstream, slow_between_proxies
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import CLUSTER, NOON


def _log(duration_ms: int, upstream_ms: int | None, total: int = 20) -> pd.DataFrame:
    return frame(
        "access_log",
        namespace=["shop"] * total,
        pod=["web-1"] * total,
        cluster=[CLUSTER] * total,
        at=[NOON] * total,
        status=[200] * total,
        duration_ms=[duration_ms] * total,
        upstream_ms=[upstream_ms] * total,
    )


@pytest.mark.parametrize(
    ("log", "severity"),
    [
        pytest.param(_log(900, 895), None, id="the-upstream-is-slow"),
        pytest.param(_log(100, 50), None, id="fifty-ms-are-the-limit"),
        pytest.param(_log(100, 49), Severity.INFO, id="fifty-one"),
        pytest.param(_log(900, 100), Severity.WARNING, id="most-of-it"),
        pytest.param(_log(900, None), None, id="the-upstream-does-not-say"),
        pytest.param(_log(900, 100, 19), None, id="too-few"),
        pytest.param(_log(5, 9), None, id="clocks-that-round"),
    ],
)
def test_slow_beside_upstream(log: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(slow_beside_upstream, at=NOON, access_log=log)

    assert [each.severity for each in said.findings] == ([severity] if severity else [])


def _told(reporter: str, *samples: tuple[int, float], flags: str = "-", workload: str = "pay") -> pd.DataFrame:
    """(calls, their time) at captures a minute apart, up to noon."""
    labels = {"reporter": reporter, "response_flags": flags, "destination_workload": workload}
    count = len(samples)
    return frame(
        "histograms",
        namespace=["shop"] * count,
        pod=["web-1" if reporter == "source" else "pay-1"] * count,
        captured_at=[NOON - pd.Timedelta(minutes=count - 1 - number) for number in range(count)],
        name=["istio_request_duration_milliseconds"] * count,
        labels=[json.dumps({**labels, "destination_workload_namespace": "shop"})] * count,
        count=[calls for calls, _ in samples],
        sum=[total for _, total in samples],
    )


@pytest.mark.parametrize(
    ("source", "destination", "severity"),
    [
        pytest.param(_told("source", (100, 9000.0)), _told("destination", (100, 8000.0)), None, id="ten-ms"),
        pytest.param(_told("source", (100, 9000.0)), _told("destination", (100, 2000.0)), Severity.INFO, id="seventy"),
        pytest.param(
            _told("source", (100, 9000.0), (200, 49000.0)),
            _told("destination", (100, 8000.0), (200, 18000.0)),
            Severity.WARNING,
            id="since-the-sample-before",
        ),
        pytest.param(_told("source", (100, 9000.0)), _told("destination", (300, 2000.0)), None, id="of-other-callers"),
        pytest.param(_told("source", (19, 9000.0)), _told("destination", (19, 0.0)), None, id="too-few"),
        pytest.param(
            _told("source", (100, 9000.0), flags="UF"), _told("destination", (100, 0.0)), None, id="failed-by-the-mesh"
        ),
        pytest.param(
            _told("source", (100, 9000.0), workload="unknown"),
            _told("destination", (100, 0.0), workload="unknown"),
            None,
            id="of-an-unknown-workload",
        ),
    ],
)
def test_slow_between_proxies(source: pd.DataFrame, destination: pd.DataFrame, severity: Severity | None) -> None:
    both = pd.concat([source.astype("object"), destination.astype("object")], ignore_index=True)

    said = outcome(slow_between_proxies, histograms_over_time=both)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/pay",))] if severity else []
    )


@pytest.mark.parametrize("check", [slow_beside_upstream, slow_between_proxies])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check, at=NOON).not_evaluated or "").startswith("not captured: ")
