"""Hosts that a proxy does not use."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_hosts import ejections, health_check_failing, host_ejected, no_host_usable, panic
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import CLUSTER, NOON, risen


def _hosts(*flags: tuple[str, ...], source: str = "clusters", cluster: str = CLUSTER) -> pd.DataFrame:
    count = len(flags)
    return frame(
        "endpoints",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        cluster=[cluster] * count,
        address=[f"10.0.0.{number}:80" for number in range(count)],
        health=["UNHEALTHY" if each else "HEALTHY" for each in flags],
        flags=list(flags),
        source=[source] * count,
    )


EJECTED, FAILING, TOLD = ("failed_outlier_check",), ("failed_active_hc",), ("failed_eds_health",)


@pytest.mark.parametrize(
    ("check", "flags", "found"),
    [
        (host_ejected, EJECTED, 1),
        (host_ejected, FAILING, 0),
        (host_ejected, (), 0),
        (health_check_failing, FAILING, 1),
        (health_check_failing, ("active_hc_timeout",), 1),
        (health_check_failing, EJECTED, 0),
    ],
)
def test_a_host_that_is_out(check: Check, flags: tuple[str, ...], found: int) -> None:
    said = outcome(check, endpoints=_hosts(flags, ()))

    assert [(each.severity, each.subjects) for each in said.findings] == [(Severity.WARNING, ("shop/web-1",))] * found


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        pytest.param(_hosts(EJECTED, FAILING), 1, id="all-are-out"),
        pytest.param(_hosts(EJECTED, ()), 0, id="one-is-left"),
        pytest.param(_hosts(TOLD), 1, id="by-the-control-plane"),
        pytest.param(_hosts(TOLD, source="config_dump"), 0, id="coarse-health-of-a-dump"),
        pytest.param(_hosts(TOLD, cluster="inbound|80||"), 0, id="its-own-application"),
    ],
)
def test_no_host_usable(hosts: pd.DataFrame, found: int) -> None:
    assert len(outcome(no_host_usable, endpoints=hosts).findings) == found


@pytest.mark.parametrize(
    ("check", "name", "rise", "found"),
    [
        (panic, "lb_healthy_panic", 1, 1),
        (panic, "lb_healthy_panic", 0, 0),
        (ejections, "outlier_detection_ejections_enforced_total", 1, 1),
        (ejections, "health_check_failure", 1, 1),
        (ejections, "lb_healthy_panic", 1, 0),
    ],
)
def test_counters_of_hosts(check: Check, name: str, rise: int, found: int) -> None:
    assert len(outcome(check, at=NOON, rises_over_time=risen((name, rise))).findings) == found
    assert outcome(check, at=NOON, rises_over_time=risen((name, rise), since_s=901)).findings == ()


@pytest.mark.parametrize("check", [host_ejected, health_check_failing, no_host_usable, panic, ejections])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check, at=NOON).not_evaluated or "").startswith("not captured: ")
