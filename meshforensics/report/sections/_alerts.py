"""Alerts: which rules would have fired, and how long before the first failure."""

from datetime import datetime

import pandas as pd

from meshforensics.report._blocks import Block, Content, Head, Paragraph, Row, Table
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._words import count, instant, span
from meshforensics.report.sections._section import section
from meshforensics.tables import text


@section
def alerts(case: Case, incident: str = "") -> Content:
    """Every rule that fired in the captured range, first fired first."""
    reason = case.reason("alert_times", over_time=False)
    if reason:
        said = f"Whether an alert would have fired cannot be told: {reason}. Give a Prometheus to the capture."
        return Content(anchor="alerts", title="Alerts: not captured", blocks=(Paragraph(text=said),))
    times = case.frame("alert_times")
    fired = times[times["fired_at"].notna()].sort_values(["fired_at", "alert", "labels"], kind="stable")
    if fired.empty:
        said = "Rules whose metric was not scraped are not judged."
        return Content(anchor="alerts", title="Alerts: none would have fired", blocks=(Paragraph(text=said),))
    best = focus(case, incident)
    onset = best.onset if decided(best) else None
    return Content(anchor="alerts", title=_title(fired, onset), blocks=(_table(fired, onset),))


def _title(fired: pd.DataFrame, onset: datetime | None) -> str:
    many = f"Alerts: {count(fired['alert'].nunique(), 'rule')} would have fired"
    return many if onset is None else f"{many}, the first {_lead(fired['fired_at'].iloc[0], onset)}"


def _lead(fired: pd.Timestamp, onset: datetime) -> str:
    seconds = (pd.Timestamp(onset) - fired).total_seconds()
    return f"{span(abs(seconds))} {'before' if seconds > 0 else 'after'} the onset"


def _table(fired: pd.DataFrame, onset: datetime | None) -> Block:
    heads = tuple(
        Head(text=name)
        for name in ("Alert", "Series", "Fires (UTC)", "Against the onset", "Ends (UTC)", "Worst", "Limit")
    )
    series = fired.groupby(text(fired["alert"]), sort=False)
    return Table(heads=heads, rows=tuple(_row(rows, onset) for _, rows in series))


def _row(rows: pd.DataFrame, onset: datetime | None) -> Row:
    """One rule: its first series, and how many more there are."""
    first = rows.iloc[0]
    more = f" and {rows['labels'].nunique() - 1} more" if rows["labels"].nunique() > 1 else ""
    return Row(
        cells=(
            str(first["alert"]),
            f"{first['labels']}{more}",
            _clock(first["fired_at"]),
            "onset not known" if onset is None else _lead(first["fired_at"], onset),
            "stands" if rows["resolved_at"].isna().any() else _clock(rows["resolved_at"].max()),
            f"{first['worst']:.4g} {first['unit']}",
            f"{first['limit']:.4g}",
        )
    )


def _clock(at: pd.Timestamp) -> str:
    return instant(at.to_pydatetime()).removesuffix(" UTC")
