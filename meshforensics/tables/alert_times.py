"""Alerts: when each alert rule would have been active and fired, by the samples that the capture took of it."""

from collections.abc import Iterable, Iterator

import pandas as pd

from meshforensics.alerts import Alert, alerts
from meshforensics.formats.prometheus_range import decode
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import json_text

_SLACK = 1.5
"""Steps without a value after which a series has ended."""


def _rows(reading: Reading) -> Iterable[Row] | None:
    rule = alerts().get(reading.item.subject)
    sampled = reading.decoded(decode)
    if rule is None or not sampled:
        return None
    own = pd.DataFrame(
        {
            "labels": [json_text(each.labels) or "{}" for each in sampled],
            "at": [each.at for each in sampled],
            "real": [float("nan") if each.real is None else each.real for each in sampled],
            "pointer": [each.pointer for each in sampled],
        }
    )
    return _of(rule, own)


def _of(rule: Alert, own: pd.DataFrame) -> Iterator[Row]:
    """The times that one rule was active, series by series.

    A rule is evaluated at each instant that the range has. It is active from the first one at which its
    condition holds, until the first at which it does not or the series has no value, and fires once it has been
    active for its time (Prometheus, rules.AlertingRule.Eval).
    """
    grid = own["at"].drop_duplicates().sort_values()
    step = grid.diff().min()
    holds = own["real"] > rule.limit if rule.operator == ">" else own["real"] < rule.limit
    active = own[holds].sort_values(["labels", "at"], kind="stable")
    new = (active["labels"] != active["labels"].shift()) | (active["at"].diff() > step * _SLACK)
    for _, run in active.groupby(new.cumsum()):
        yield _row(rule, run, grid.iloc[-1], step)


def _row(rule: Alert, run: pd.DataFrame, end: pd.Timestamp, step: pd.Timedelta) -> Row:
    began, last = run["at"].iloc[0], run["at"].iloc[-1]
    fired = run["at"][run["at"] >= began + pd.Timedelta(seconds=rule.lasting)]
    worst = run.iloc[int(run["real"].argmax() if rule.operator == ">" else run["real"].argmin())]
    return (
        worst["pointer"],
        rule.name,
        worst["labels"],
        rule.severity,
        began,
        fired.iloc[0] if len(fired) else None,
        last + step if last < end else None,
        float(worst["real"]),
        rule.limit,
        rule.unit,
    )


alert_times = Table(
    id="alert_times",
    about="When alert rules were active in the range that was captured; one row per rule, series and time.",
    of="mesh",
    columns=(
        Column("alert", "category", about="Name of the rule.", source="alerts.yaml"),
        Column("labels", "str", about="Labels as JSON, keys sorted.", source="metric"),
        Column("severity", "category", about="`warning` or `critical`.", source="alerts.yaml"),
        Column("at", "datetime64[us, UTC]", about="First sample at which the condition held.", source="derived"),
        Column("fired_at", "datetime64[us, UTC]", about="When it fired; missing: it did not last.", source="derived"),
        Column("resolved_at", "datetime64[us, UTC]", about="When it ended; missing: it stands.", source="derived"),
        Column("worst", "Float64", about="The value farthest past the limit; its place is the row's.", source="values"),
        Column("limit", "Float64", about="What the value is held against.", source="alerts.yaml"),
        Column("unit", "category", about="Unit of both.", source="alerts.yaml"),
    ),
    reads={"prometheus.alert": _rows},
)
