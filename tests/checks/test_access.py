"""Who was denied, by which policy."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access import denied, denied_as_meant
from meshforensics.model import Severity
from meshforensics.tables.denials import denials
from meshforensics.testing import Said, frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
POLICY = "rbac_access_denied_matched_policy[ns[shop]-policy[deny-all]-rule[0]]"


def judged(check: Check, access_log: pd.DataFrame, **frames: pd.DataFrame) -> Said:
    """What a check says of the denials that a log tells."""
    assert denials.derives is not None
    return outcome(check, at=NOON, denials=denials.derives(access_log, **frames))


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
    said = judged(denied, log)

    assert [(each.severity, each.subjects) for each in said.findings] == (
        [(severity, ("shop/pay-1",))] if severity else []
    )


def test_each_policy_is_a_finding_of_its_own() -> None:
    log = pd.concat([_log(2), _log(3, details="rbac_access_denied_matched_policy[none]")], ignore_index=True)

    said = judged(denied, log)

    assert [each.evidence_total for each in said.findings] == [3, 2]


def test_without_a_log_nothing_is_denied() -> None:
    assert outcome(denied, at=NOON).not_evaluated == "not captured: denials"


def _served_and_denied(*, served: str, denied_path: str, policy: str = POLICY, count: int = 12) -> pd.DataFrame:
    """A caller that is served on one path first, and denied on another then."""
    return frame(
        "access_log",
        namespace=["shop"] * 2 * count,
        pod=["pay-1"] * 2 * count,
        at=[NOON - pd.Timedelta(seconds=200 - number) for number in range(2 * count)],
        method=["GET"] * 2 * count,
        path=[served] * count + [denied_path] * count,
        status=[200] * count + [403] * count,
        details=["via_upstream"] * count + [policy] * count,
        downstream_remote=["10.0.0.9:4000"] * 2 * count,
    )


@pytest.mark.parametrize(
    ("log", "wrong", "meant"),
    [
        pytest.param(_served_and_denied(served="/pay/1", denied_path="/pay/2"), 1, 0, id="the-like-was-served-before"),
        pytest.param(_served_and_denied(served="/pay/1", denied_path="/admin"), 0, 1, id="never-served"),
        pytest.param(
            _served_and_denied(served="/pay/1", denied_path="/admin", policy="rbac_access_denied_matched_policy[none]"),
            1,
            0,
            id="no-rule-lets-it-in-and-half-of-all-are-denied",
        ),
        pytest.param(_log(6), 1, 0, id="a-caller-that-is-never-served-by-an-unknown-policy"),
    ],
)
def test_what_a_policy_means_to_deny_is_told_apart(log: pd.DataFrame, wrong: int, meant: int) -> None:
    assert len(judged(denied, log).findings) == wrong
    said = judged(denied_as_meant, log).findings
    assert [each.severity for each in said] == [Severity.INFO] * meant


@pytest.mark.parametrize(("ago_s", "meant"), [(86400, 1), (30, 0)], ids=["older-than-the-log", "as-new-as-the-denials"])
def test_the_age_of_the_policy_tells_whether_it_is_meant(ago_s: int, meant: int) -> None:
    config = frame(
        "config",
        namespace=["shop"],
        kind=["AuthorizationPolicy"],
        object=["AuthorizationPolicy:shop/deny-all"],
        spec=["{}"],
        changed_at=[NOON - pd.Timedelta(seconds=ago_s)],
    )

    assert len(judged(denied_as_meant, _log(6), config=config).findings) == meant


def test_the_caller_is_who_sent_the_request_and_not_the_address_that_the_gateway_tells() -> None:
    log = frame(
        "access_log",
        namespace=["shop", "shop"],
        pod=["web-1", "pay-1"],
        at=[NOON - pd.Timedelta(seconds=9)] * 2,
        direction=["outbound", "inbound"],
        status=[403, 403],
        details=["via_upstream", POLICY],
        request_id=["a", "a"],
        upstream_host=["10.0.0.7:80", None],
        downstream_local=["10.96.0.1:80", "10.0.0.7:80"],
        downstream_remote=["10.0.0.8:1", "203.0.113.9:0"],
    )
    pods = frame("pods", namespace=["shop"], pod=["web-1"], workload=["Deployment:shop/web"], ip=["10.0.0.8"])

    (finding,) = judged(denied, log, pods=pods).findings

    assert "1 call of shop/web " in finding.detail


def test_one_policy_that_denies_at_many_servers_is_one_finding() -> None:
    log = pd.concat(
        [_log(6).assign(pod=f"pay-{number}", item=f"log:{number}") for number in range(30)], ignore_index=True
    )

    (finding,) = judged(denied, log).findings

    assert (finding.severity, len(finding.subjects), finding.evidence_total) == (Severity.ERROR, 30, 180)
    assert "shop/pay-0 and 29 more denied 180 calls" in finding.detail


def test_it_says_what_would_allow_it() -> None:
    config = frame(
        "config",
        namespace=["shop"],
        kind=["AuthorizationPolicy"],
        object=["AuthorizationPolicy:shop/viewers"],
        spec=['{"rules":[{"to":[{"operation":{"methods":["POST"]}}]}]}'],
    )

    (finding,) = judged(denied, _log(6, details="rbac_access_denied_matched_policy[none]"), config=config).findings

    assert finding.detail.endswith("what would allow it: AuthorizationPolicy:shop/viewers rule 0, with methods GET")


def test_it_says_for_each_caller_what_would_allow_it() -> None:
    found = frame(
        "denials",
        namespace=["shop"] * 3,
        pod=["pay-1"] * 3,
        at=[NOON - pd.Timedelta(seconds=ago) for ago in (30, 20, 40)],
        policy=["none"] * 3,
        objects=[("AuthorizationPolicy:shop/p",)] * 3,
        would_allow=["rule 0, with a", "rule 0, with b", "rule 0, with a"],
        meant=[False] * 3,
    )

    (finding,) = outcome(denied, at=NOON, denials=found).findings

    assert finding.detail.endswith("; what would allow it: rule 0, with a; rule 0, with b")
