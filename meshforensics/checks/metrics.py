"""Metrics: which alert rules would have fired, by what Prometheus told in the window."""

import json

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import text, texts


@check(
    "metrics.critical-alert-fired",
    phase="traffic",
    plane="service",
    severity="error",
    by=["alert"],
    subject="{series}",
    observed="worst",
    title="A critical alert would have fired",
    detail="{alert} fires from {fired_at}, for {count} series; {series} came to {worst:.4g} {unit} (limit {limit:g})",
    remediation="Read the page of the alert (docs/alerts.md), then what other findings say of the same subject.",
    source="guide, Prometheus rules (corrected); alerts.yaml",
)
def critical_alert_fired(alert_times: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _fired(alert_times, window, "critical")


@check(
    "metrics.alert-fired",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["alert"],
    subject="{series}",
    observed="worst",
    title="An alert would have fired",
    detail="{alert} fires from {fired_at}, for {count} series; {series} came to {worst:.4g} {unit} (limit {limit:g})",
    remediation="Read the page of the alert (docs/alerts.md), then what other findings say of the same subject.",
    source="guide, Prometheus rules (corrected); alerts.yaml",
)
def alert_fired(alert_times: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _fired(alert_times, window, "warning")


def _fired(alert_times: pd.DataFrame, window: Window, severity: str) -> pd.DataFrame:
    """What fired and still did in the window, one row a series, first fired first."""
    standing = alert_times["resolved_at"].isna() | (alert_times["resolved_at"] >= pd.Timestamp(window.start))
    own = alert_times[alert_times["fired_at"].notna() & standing & (text(alert_times["severity"]) == severity)]
    own = own.assign(at=own["fired_at"], series=[_named(each) for each in texts(own["labels"])])
    return own.sort_values("fired_at", kind="stable").drop_duplicates(["alert", "series"])


def _named(labels: str) -> str:
    known = json.loads(labels or "{}")
    return ", ".join(f"{name}={value}" for name, value in sorted(known.items())) or "the mesh"
