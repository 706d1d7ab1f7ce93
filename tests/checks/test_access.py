"""Who was denied, by which policy."""

import pandas as pd
import pytest

from meshforensics.checks.access import denied, denied_since_start
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
POLICY = "rbac_access_denied_matched_policy[ns[shop]-policy[deny-all]-rule[0]]"


def _log(count: int, *, details: str = POLICY, ago_s: int = 60, termination: str | None = None) -> pd.DataFrame:
    return frame(
        "access_log",
        namespace=["shop"] * count,
        pod=["pay-1"] * count,
        at=[NOON - pd.Timedelta(seconds=ago_s)] * count,
        method=["GET"] * count,
        path=["/pay"] * count,
        status=[403] * count,
        details=[details] * count,
        termination_details=[termination] * count,
    )


@pytest.mark.parametrize(
    ("log", "severity"),
    [
        pytest.param(_log(1), Severity.INFO, id="one"),
        pytest.param(_log(6), Severity.WARNING, id="six"),
        pytest.param(_log(21), Severity.ERROR, id="many"),
        pytest.param(_log(21, ago_s=901), None, id="before-the-window"),
        pytest.param(_log(21, details="via_upstream"), None, id="the-applications-own-403"),
        pytest.param(_log(6, details="-", termination=POLICY), Severity.WARNING, id="a-tcp-connection"),
    ],
)
def test_denied(log: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(denied, at=NOON, access_log=log)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/pay-1",))] if severity else []
    )


def test_each_policy_is_a_finding_of_its_own() -> None:
    log = pd.concat([_log(2), _log(3, details="rbac_access_denied_matched_policy[none]")], ignore_index=True)

    said = outcome(denied, at=NOON, access_log=log)

    assert [each.evidence_total for each in said.findings] == [3, 2]


@pytest.mark.parametrize(
    ("name", "labels", "value", "found"),
    [
        ("envoy_http_rbac_denied", "{}", 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.denied", "{}", 4, 1),
        ("envoy_http_rbac", '{"authz_enforce_result":"denied"}', 4, 1),
        ("envoy_http_rbac", '{"authz_enforce_result":"allowed"}', 4, 0),
        ("envoy_http_rbac_shadow_denied", "{}", 4, 0),
        ("envoy_http_rbac_denied", "{}", 0, 0),
    ],
)
def test_denied_since_start(name: str, labels: str, value: int, found: int) -> None:
    stats = frame("stats", namespace=["shop"], pod=["pay-1"], name=[name], labels=[labels], value=[value])

    said = outcome(denied_since_start, stats=stats)

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(denied, at=NOON).not_evaluated == "not captured: access_log"
    assert outcome(denied_since_start).not_evaluated == "not captured: stats"
