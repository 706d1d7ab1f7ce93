"""Denials that counters tell, each once."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks.access_counters import denials_rising, denied_since_start
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome, tables_of

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
SAMPLES = Path(__file__).parents[1] / "data/rbac-1.40"
WRITTEN = ("ns[my-shop]-policy[deny-admin]-rule[0]", "ns[my-shop]-policy[deny-admin]-rule[1]")
SCRAPED = ("ns_my_shop__policy_deny_admin__rule_0_", "ns_my_shop__policy_deny_admin__rule_1_")


@pytest.mark.parametrize(
    ("name", "labels", "value", "found"),
    [
        ("envoy_http_rbac_denied", "{}", 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.denied", "{}", 4, 1),
        ("envoy_http_rbac", '{"authz_enforce_result":"denied"}', 4, 1),
        ("envoy_http_inbound_0_0_0_0_80__rbac", '{"authz_enforce_result":"denied"}', 4, 1),
        ("envoy_tcp_rbac", '{"authz_enforce_result":"denied"}', 4, 1),
        ("envoy_http_rbac", '{"authz_dry_run_action":"deny","authz_dry_run_result":"denied"}', 4, 0),
        ("envoy_http_rbac_policy_denied", '{"envoy_rbac_policy_name":"admins"}', 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.policy.ns[shop]-policy[a.shadow]-rule[0].denied", "{}", 4, 1),
        ("http.inbound_0.0.0.0_80;.rbac.policy.ns[shop]-policy[p]-rule[0].shadow_denied", "{}", 4, 0),
        ("http.inbound_0.0.0.0_80;.rbac.policy.ns[shop]-policy[p]-rule[0].allowed", "{}", 4, 0),
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


def _stats(*pages: tuple[str, str], captured_at: pd.Timestamp = NOON) -> pd.DataFrame:
    """The counters of sampled pages, each of a kind."""
    given = [(kind, "shop/pay-1", (SAMPLES / name).read_bytes()) for kind, name in pages]
    return tables_of(*given, captured_at=captured_at.to_pydatetime()).frame("stats")


TEXT = ("envoy.stats", "stats")
BY_ISTIO = ("envoy.stats_prometheus", "stats_prometheus.istio-tags")
BY_ENVOY = ("envoy.stats_prometheus", "stats_prometheus.envoy-tags")


@pytest.mark.parametrize(
    ("pages", "rules"),
    [
        pytest.param([TEXT], WRITTEN, id="text"),
        pytest.param([BY_ISTIO], SCRAPED, id="tags-of-istio"),
        pytest.param([BY_ENVOY], SCRAPED, id="tags-of-envoy"),
        pytest.param([BY_ISTIO, TEXT], WRITTEN, id="both-forms"),
    ],
)
def test_each_denial_is_counted_once_and_by_its_rule(pages: list[tuple[str, str]], rules: tuple[str, ...]) -> None:
    """6 were denied: 3 and 1 by a rule, 2 because no rule let them in; what a dry run would deny was served."""
    said = outcome(denied_since_start, stats=_stats(*pages))

    assert sorted(each.detail.partition(" since ")[0] for each in said.findings) == [
        "rbac.denied of no rule that is counted is 2",
        f"rbac.denied of rule {rules[0]} is 3",
        f"rbac.denied of rule {rules[1]} is 1",
    ]


def test_one_rule_that_denies_is_one_finding_over_proxies_and_forms() -> None:
    rule = "http.inbound_0.0.0.0_80;.rbac.policy.ns[shop]-policy[p]-rule[0].denied"
    printed = pd.concat([_counter((0, 4), name=rule), _counter((0, 4), name="http.a.rbac.denied")])
    scraped = _counter((0, 2), name="envoy_http_rbac_policy_ns_shop__policy_p__rule_0__denied").assign(pod="pay-2")

    (finding,) = outcome(denied_since_start, stats=pd.concat([printed, scraped], ignore_index=True)).findings

    assert finding.subjects == ("shop/pay-1", "shop/pay-2")
    assert finding.detail.startswith("rbac.denied of rule ns[shop]-policy[p]-rule[0] is 4 since start on shop/pay-1")


def test_what_rises_is_counted_once_and_by_its_rule() -> None:
    before = _stats(TEXT, captured_at=NOON - timedelta(seconds=60))
    after = _stats(TEXT)
    both = pd.concat([before, after.assign(value=after["value"] * 2)], ignore_index=True)

    said = outcome(denials_rising, at=NOON, stats_over_time=both)

    assert sorted(each.detail.partition(" on ")[0] for each in said.findings) == [
        "rbac.denied of no rule that is counted rose by 2",
        f"rbac.denied of rule {WRITTEN[0]} rose by 3",
        f"rbac.denied of rule {WRITTEN[1]} rose by 1",
    ]


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


def test_without_counters_they_are_not_evaluated() -> None:
    assert outcome(denied_since_start).not_evaluated == "not captured: stats"
    assert outcome(denials_rising, at=NOON).not_evaluated == "not captured: stats"
