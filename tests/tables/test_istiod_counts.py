"""What istiod counted in a span: between two samples, since its start, over a restart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.tables import typed
from meshforensics.tables.istiod_counts import _counts, istiod_counts
from meshforensics.testing import tables_of
from tests.conftest import Opened
from tests.tables.reading import cells

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REJECTS = "pilot_total_xds_rejects"


def _metrics(rejects: int, slow: int, up_s: float | None) -> bytes:
    uptime = "" if up_s is None else f"# TYPE istiod_uptime_seconds gauge\nistiod_uptime_seconds {up_s}\n"
    return (
        f"# TYPE {REJECTS} counter\n{REJECTS}{{type="
        f'"lds"}} {rejects}\n# TYPE pilot_services gauge\npilot_services 7\n{uptime}'
        "# TYPE pilot_proxy_convergence_time histogram\n"
        f'pilot_proxy_convergence_time_bucket{{le="10"}} 100\n'
        f'pilot_proxy_convergence_time_bucket{{le="+Inf"}} {100 + slow}\n'
        f"pilot_proxy_convergence_time_sum 1\npilot_proxy_convergence_time_count {100 + slow}\n"
    ).encode()


def _over_time(*samples: tuple[int, bytes]) -> pd.DataFrame:
    """The table of scrapes of one istiod, each so many minutes before noon."""
    frames: dict[str, list[pd.DataFrame]] = {"stats": [], "histograms": []}
    for minutes, payload in samples:
        one = ("istiod.metrics", "istio-system/istiod-1", payload)
        tables = tables_of(one, captured_at=NOON - timedelta(minutes=minutes))
        for name, made in frames.items():
            made.append(tables.frame(name))
    joined = {name: pd.concat(made, ignore_index=True) for name, made in frames.items()}
    return typed(istiod_counts, _counts(**joined))


SLOW = "pilot_proxy_convergence_time"


@pytest.mark.parametrize(
    ("samples", "rejects"),
    [
        pytest.param(
            [(0, _metrics(5, 3, 3600))], [("since start", 5, "2026-01-01T11:00:00+00:00")], id="one-sample-since-start"
        ),
        pytest.param([(0, _metrics(5, 3, None))], [("since start", 5, None)], id="start-unknown"),
        pytest.param(
            [(10, _metrics(5, 3, 3000)), (0, _metrics(7, 3, 3600))],
            [("since start", 5, "2026-01-01T11:00:00+00:00"), ("two samples", 2, "2026-01-01T11:50:00+00:00")],
            id="two-samples",
        ),
        pytest.param(
            [(10, _metrics(5, 3, None)), (0, _metrics(2, 3, None))],
            [("since start", 5, None), ("two samples", 2, "2026-01-01T11:50:00+00:00")],
            id="one-that-fell-counts-from-zero",
        ),
        pytest.param(
            [(10, _metrics(5, 3, 3600)), (0, _metrics(7, 3, 60))],
            [("since start", 5, "2026-01-01T10:50:00+00:00"), ("since start", 7, "2026-01-01T11:59:00+00:00")],
            id="restarted-between",
        ),
    ],
)
def test_a_span_is_between_two_samples_of_one_process(
    samples: list[tuple[int, bytes]], rejects: list[tuple[object, ...]]
) -> None:
    assert cells(_over_time(*samples), "basis", "rose", "since", name=REJECTS) == rejects


def test_histograms_are_differences_too_and_gauges_are_left_out() -> None:
    made = _over_time((10, _metrics(0, 3, 3000)), (0, _metrics(0, 10, 3600)))

    assert cells(made, "le", "rose", name=SLOW, basis="two samples") == [(10.0, 0), (float("inf"), 7)]
    assert set(made["name"]) == {REJECTS, SLOW}


def test_a_proxy_is_no_istiod() -> None:
    tables = tables_of(("envoy.stats_prometheus", "shop/web-1", _metrics(5, 3, 60)), captured_at=NOON)

    assert tables.frame("istiod_counts").empty


def test_a_real_istiod_tells_when_it_started(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-09_bug-report.tar.gz")
    counts = case.frame("istiod_counts")

    assert cells(counts, "rose", "basis", name="pilot_xds_expired_nonce") == [(30, "since start")]
    assert [str(since)[:16] for since in counts["since"].unique()] == ["2023-09-05 07:02"]
