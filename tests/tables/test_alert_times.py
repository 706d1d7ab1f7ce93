"""When alerts would have fired: by hand, and held against `promtool test rules` on series made at random."""

import json
import random
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
import yaml

from meshforensics.alerts import Alert, alerts, rules_file
from meshforensics.tables import alert_times as module
from meshforensics.tables.alert_times import alert_times
from meshforensics.testing import rows_of

STEP = 15
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
Values = Sequence[float | None]


def _answer(series: dict[str, Values]) -> bytes:
    start = BEGAN.timestamp()
    result = [
        {
            "metric": {"pod": pod},
            "values": [[start + number * STEP, str(one)] for number, one in enumerate(values) if one is not None],
        }
        for pod, values in series.items()
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def _times(rule: str, **series: Values) -> list[tuple[Any, ...]]:
    """Per time that the rule was active: pod, begin, fired and resolved as numbers of samples, worst value."""

    rows = rows_of(alert_times, _answer(series), kind="prometheus.alert", subject=rule)
    return [(json.loads(str(row[2]))["pod"], *map(_number, row[4:7]), row[7]) for row in rows]


def _number(at: Any) -> int | None:
    return None if pd.isna(at) else round((at - BEGAN).total_seconds() / STEP)


def test_it_fires_when_it_has_lasted() -> None:
    lasting = alerts()["SidecarMemoryNearLimit"].lasting // STEP

    assert _times("SidecarMemoryNearLimit", web=[0.5, *[0.95] * (lasting + 1), 0.5]) == [
        ("web", 1, 1 + lasting, lasting + 2, 0.95)
    ]
    assert _times("SidecarMemoryNearLimit", web=[0.5, *[0.95] * lasting, 0.5]) == [("web", 1, None, lasting + 1, 0.95)]


@pytest.mark.parametrize("value", [0.9, "NaN"], ids=["the-limit-itself", "nan"])
def test_what_is_not_past_the_limit_is_not_active(value: float) -> None:
    assert _times("SidecarMemoryNearLimit", web=[value] * 50) == []


def test_it_still_stands_at_the_end() -> None:
    assert _times("ProxyRejectsConfig", web=[0.0, 0.1, 0.2]) == [("web", 1, None, None, 0.2)]


def test_a_series_that_ends_resolves_it_and_a_new_one_begins_anew() -> None:
    rows = _times("ProxyRejectsConfig", web=[1.0, None, 2.0, None, None], api=[0.0] * 5)

    assert rows == [("web", 0, None, 1, 1.0), ("web", 2, None, 3, 2.0)]


def test_a_limit_below_keeps_the_least_value() -> None:
    assert _times("WorkloadCertificateNotRenewed", web=[17280.0, 17000.0, 16000.0])[0][4] == 16000.0


def test_a_rule_without_samples_or_unknown_is_not_captured() -> None:
    assert list(rows_of(alert_times, _answer({}), kind="prometheus.alert", subject="ProxyRejectsConfig")) == []
    assert list(rows_of(alert_times, _answer({"a": [9.0]}), kind="prometheus.alert", subject="Unheard")) == []


@pytest.mark.prometheus
@pytest.mark.parametrize("seed", range(3))
def test_promtool_says_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    rules = {rule.name: rule for rule in (_rule("Above", draw, above=0.5), _rule("Below", draw, below=0.5))}
    monkeypatch.setattr(module, "alerts", lambda: rules)
    series: dict[str, Values] = {f"pod-{number}": _values(draw) for number in range(6)}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules_file(rules)), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(_expected(rules, series)), encoding="utf-8")

    said = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "test.yaml")], check=False, capture_output=True, text=True
    )

    assert said.returncode == 0, said.stdout + said.stderr


def _rule(name: str, draw: random.Random, **limit: float) -> Alert:
    fields = {
        "name": name, "about": "", "expression": "m", "unit": "", "for": draw.choice([0, 20, 30, 60]),
        "severity": "warning", "summary": "", "source": "", **limit,
    }  # fmt: skip
    return msgspec.convert(fields, Alert)


def _values(draw: random.Random) -> Values:
    values: list[float | None] = []
    while len(values) < 60:
        values += [draw.choice([0.2, 0.8, 0.8, None])] * draw.randint(1, 8)
    return values[:60]


def _expected(rules: dict[str, Alert], series: dict[str, Values]) -> dict[str, Any]:
    """A test for promtool that expects at each evaluation what our table says of it."""
    firing = {
        name: [(pod, fired, ended) for pod, _, fired, ended, _ in _times(name, **series) if fired is not None]
        for name in rules
    }
    asked = [
        {
            "alertname": name,
            "eval_time": f"{number * STEP}s",
            "exp_alerts": [
                {
                    "exp_labels": {"severity": "warning", "pod": pod},
                    "exp_annotations": {"summary": "", "description": ""},
                }
                for pod, fired, ended in firing[name]
                if fired <= number and (ended is None or number < ended)
            ],
        }
        for name in rules
        for number in range(60)
    ]
    inputs = [
        {"series": f'm{{pod="{pod}"}}', "values": " ".join("stale" if v is None else str(v) for v in values)}
        for pod, values in series.items()
    ]
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [{"interval": f"{STEP}s", "input_series": inputs, "alert_rule_test": asked}],
    }
