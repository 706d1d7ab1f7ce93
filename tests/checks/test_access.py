"""Who was denied, by which policy."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access import denials_rising, denied, denied_as_meant, denied_since_start
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


@pytest.mark.parametrize(
    ("name", "labels", "value", "found"),
    [
        ("envoy_http_rbac_denied", "{}", 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.denied", "{}", 4, 1),
        ("envoy_http_rbac", '{"authz_enforce_result":"denied"}', 4, 1),
        ("envoy_http_rbac", '{"authz_enforce_result":"allowed"}', 4, 0),
        ("envoy_http_rbac_shadow_denied", "{}", 4, 0),
        ("envoy_http_rbac_denied", "{}", 0, 0),
        ("http.inbound_0.0.0.0_80;.rbac.policy.ns[shop]-policy[p]-rule[0].denied", "{}", 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.shadow_denied", "{}", 4, 0),
        ("inbound_http_authz_deny_total", '{"authz_name":"x"}', 4, 1),
        ("inbound_http_authz_allow_total", '{"authz_name":"x"}', 4, 0),
    ],
)
def test_denied_since_start(name: str, labels: str, value: int, found: int) -> None:
    stats = frame("stats", namespace=["shop"], pod=["pay-1"], name=[name], labels=[labels], value=[value])

    said = outcome(denied_since_start, stats=stats)

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(denied, at=NOON).not_evaluated == "not captured: denials"
    assert outcome(denied_since_start).not_evaluated == "not captured: stats"


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

    assert "calls of shop/web " in finding.detail


def _counter(*samples: tuple[int, int], name: str = "envoy_http_rbac_denied") -> pd.DataFrame:
    """Samples of a counter: seconds before noon, and value."""
    return frame(
        "stats",
        namespace=["shop"] * len(samples),
        pod=["pay-1"] * len(samples),
        captured_at=[NOON - pd.Timedelta(seconds=ago) for ago, _ in samples],
        name=[name] * len(samples),
        labels=["{}"] * len(samples),
        value=[value for _, value in samples],
    )


@pytest.mark.parametrize(
    ("stats", "found"),
    [
        pytest.param(_counter((60, 4), (0, 9)), 1, id="rises"),
        pytest.param(_counter((60, 4), (0, 4)), 0, id="stands"),
        pytest.param(_counter((60, 9), (0, 4)), 0, id="began-anew"),
        pytest.param(_counter((0, 9)), 0, id="one-sample"),
        pytest.param(_counter((2000, 4), (1000, 9)), 0, id="before-the-window"),
        pytest.param(_counter((60, 4), (0, 9), name="envoy_http_rbac_allowed"), 0, id="allowed"),
    ],
)
def test_denials_that_rise(stats: pd.DataFrame, found: int) -> None:
    said = outcome(denials_rising, at=NOON, stats_over_time=stats)

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found
    assert ["by 5 " in each.detail for each in said.findings] == [True] * found


@pytest.mark.parametrize(
    ("form", "whole", "rose"),
    [
        pytest.param("envoy.stats_prometheus", True, ["by 9 "], id="the-page-before-has-it-not"),
        pytest.param("envoy.stats_prometheus", False, [], id="that-page-was-cut"),
        pytest.param("envoy.stats", True, [], id="a-page-of-another-form"),
    ],
)
def test_a_policy_is_counted_from_its_first_denial(form: str, whole: bool, rose: list[str]) -> None:
    stats = _counter((0, 9)).assign(item="envoy.stats_prometheus:shop/pay-1@x")
    ago = [NOON - pd.Timedelta(seconds=60)]
    pages = frame("stat_pages", namespace=["shop"], pod=["pay-1"], captured_at=ago, form=[form], whole=[whole])

    said = outcome(denials_rising, at=NOON, stats_over_time=stats, stat_pages_over_time=pages)

    assert [each in finding.detail for each, finding in zip(rose, said.findings, strict=True)] == [True] * len(rose)


def test_one_counter_in_two_forms_is_one_finding_of_all_that_it_rose_by() -> None:
    scraped = _counter((90, 1), (60, 4), (0, 9)).assign(item="envoy.stats_prometheus:shop/pay-1@x")
    printed = _counter((60, 4), (0, 9), name="http.inbound_0.0.0.0_80;.rbac.denied").assign(
        item="envoy.stats:shop/pay-1@x"
    )
    both = pd.concat([scraped, printed], ignore_index=True)

    (finding,) = outcome(denials_rising, at=NOON, stats_over_time=both).findings
    (since,) = outcome(denied_since_start, stats=both.tail(3).drop_duplicates("name")).findings

    assert finding.detail.startswith(
        "rbac.denied rose by 8 on shop/pay-1 from 2026-01-01T11:58:30Z to 2026-01-01T12:00:00"
    )
    assert (since.subjects, since.evidence_total) == (("shop/pay-1",), 1)


def test_without_counters_nothing_rises() -> None:
    assert outcome(denials_rising, at=NOON).not_evaluated == "not captured: stats"


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
