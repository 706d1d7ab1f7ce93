"""Does istiod keep up."""

import pandas as pd
import pytest

from meshforensics.checks.control_plane import slow_convergence
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome


def _histogram(within: int, total: int) -> pd.DataFrame:
    limits = [1.0, 10.0, 30.0, float("inf")]
    return frame(
        "histograms",
        namespace=["istio-system"] * 4,
        pod=["istiod-1"] * 4,
        name=["pilot_proxy_convergence_time"] * 4,
        le=limits,
        count=[0, within, total, total],
    )


@pytest.mark.parametrize(
    ("within", "severity"),
    [
        pytest.param(100, None, id="all-in-time"),
        pytest.param(99, None, id="one-percent-is-the-limit"),
        pytest.param(98, Severity.WARNING, id="two-percent"),
        pytest.param(80, Severity.ERROR, id="a-fifth"),
    ],
)
def test_slow_convergence(within: int, severity: Severity | None) -> None:
    said = outcome(slow_convergence, histograms=_histogram(within, 100))

    assert [(each.severity, each.subjects, each.evidence_total) for each in said.findings] == (
        [(severity, ("istio-system/istiod-1",), 4)] if severity else []
    )


def test_without_pushes_there_is_nothing_to_judge() -> None:
    assert outcome(slow_convergence, histograms=_histogram(0, 0)).findings == ()
    assert outcome(slow_convergence).not_evaluated == "not captured: histograms"
