"""The alert rules that ship, held against the real promtool."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from meshforensics.alerts import Alert, alerts
from meshforensics.model import DeclarationError

HERE = Path(__file__).parent
RULES = HERE.parent.parent / "docs" / "prometheus-rules.yaml"
GUIDE = {
    "EnvoyHighMemoryUsage",
    "ServiceMeshHighErrorRate",
    "IstioCertificateExpiringSoon",
    "EnvoyCircuitBreakerOpen",
}


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], check=False, capture_output=True, text=True)


@pytest.mark.prometheus
def test_prometheus_takes_the_rules_file() -> None:
    said = _promtool("check", "rules", str(RULES))

    assert said.returncode == 0, said.stderr
    assert f"{len(alerts())} rules found" in said.stdout


@pytest.mark.prometheus
def test_every_rule_fires_where_it_should_and_not_beside_it(tmp_path: Path) -> None:
    shutil.copy(RULES, tmp_path / "rules.yaml")
    shutil.copy(HERE / "mesh.test.yaml", tmp_path / "mesh.test.yaml")

    said = _promtool("test", "rules", str(tmp_path / "mesh.test.yaml"))

    assert said.returncode == 0, said.stdout + said.stderr


def test_no_rule_is_left_untested() -> None:
    cases = yaml.safe_load((HERE / "mesh.test.yaml").read_text(encoding="utf-8"))["tests"]
    asked = {each["alertname"] for case in cases for each in case["alert_rule_test"] if each["exp_alerts"]}

    assert asked == set(alerts())


def test_each_of_the_guides_alerts_has_its_correction() -> None:
    assert {each.was for each in alerts().values()} - {""} == GUIDE


def test_a_rule_has_one_limit() -> None:
    fields = {
        "about": "", "expression": "m", "unit": "", "for": 0, "severity": "warning", "summary": "", "source": "",
    }  # fmt: skip

    for limits in ({}, {"above": 1, "below": 0}):
        with pytest.raises((DeclarationError, msgspec.ValidationError), match="give `above` or `below`"):
            msgspec.convert(fields | limits, Alert)
