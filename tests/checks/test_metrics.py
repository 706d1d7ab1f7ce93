"""Alerts that would have fired."""

import pandas as pd
import pytest

from meshforensics.checks.metrics import alert_fired, critical_alert_fired
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

AT = pd.Timestamp("2026-01-01T12:00:00Z")


def _times(fired: str | None = "11:50", resolved: str | None = None, severity: str = "critical") -> pd.DataFrame:
    def instant(clock: str | None) -> pd.Timestamp | None:
        return None if clock is None else pd.Timestamp(f"2026-01-01T{clock}:00Z")

    return frame(
        "alert_times",
        alert=["ProxyRejectsConfig"] * 2,
        labels=['{"type": "lds"}', '{"type": "cds"}'],
        severity=[severity] * 2,
        at=[instant("11:40")] * 2,
        fired_at=[instant(fired)] * 2,
        resolved_at=[instant(resolved)] * 2,
        worst=[0.25, 0.5],
        limit=[0.0] * 2,
        unit=["updates/s"] * 2,
    )


def test_one_alert_is_one_finding_however_many_series() -> None:
    (finding,) = outcome(critical_alert_fired, at=AT, alert_times=_times()).findings

    assert (finding.severity, finding.subjects, finding.evidence_total) == (Severity.ERROR, ("type=cds", "type=lds"), 2)
    assert finding.at == pd.Timestamp("2026-01-01T11:50:00Z")
    assert "ProxyRejectsConfig fires from 2026-01-01T11:50:00Z, for 2 series" in finding.detail


@pytest.mark.parametrize(
    ("fired", "resolved", "found"),
    [
        pytest.param("11:50", None, True, id="stands"),
        pytest.param("11:00", "11:45", True, id="ended-in-the-window"),
        pytest.param("11:00", "11:44", False, id="ended-before-the-window"),
        pytest.param(None, None, False, id="pending-only"),
    ],
)
def test_what_fired_and_stood_in_the_window(fired: str | None, resolved: str | None, found: bool) -> None:
    assert bool(outcome(critical_alert_fired, at=AT, alert_times=_times(fired, resolved)).findings) is found


def test_a_warning_is_a_warning() -> None:
    times = _times(severity="warning")

    assert outcome(critical_alert_fired, at=AT, alert_times=times).findings == ()
    assert [each.severity for each in outcome(alert_fired, at=AT, alert_times=times).findings] == [Severity.WARNING]


def test_without_prometheus_nothing_is_said() -> None:
    assert outcome(alert_fired, at=AT).not_evaluated == "not captured: alert_times"
