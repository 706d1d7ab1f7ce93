"""Calls as counters tell them: between two samples, since a start, and capped by what failed at all."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from meshforensics.investigation import Investigation
from meshforensics.tables import ABSENT, declared_tables, typed
from meshforensics.testing import frame, tables_of
from tests.tables.reading import cells

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAY = "outbound|80||pay.shop.svc.cluster.local"


def _stats(*samples: tuple[int, dict[str, int]], kind: str = "envoy.stats_prometheus") -> pd.DataFrame:
    """Samples of one proxy: minutes before noon, and values by name or by ``name cluster`` or ``name 5xx``."""
    rows = [
        (NOON - timedelta(minutes=ago), f"{kind}:shop/web-1@{ago}", *_parts(name), value)
        for ago, values in samples
        for name, value in values.items()
    ]
    return frame(
        "stats",
        namespace=["shop"] * len(rows),
        pod=["web-1"] * len(rows),
        captured_at=[row[0] for row in rows],
        item=[row[1] for row in rows],
        name=[row[2] for row in rows],
        cluster=[row[3] for row in rows],
        response_code=[row[4] for row in rows],
        labels=[row[5] for row in rows],
        value=[row[6] for row in rows],
    )


def _parts(name: str) -> tuple[str, str | None, str | None, str]:
    if name.startswith("{"):
        return "istio_requests_total", None, None, name
    if name in {"5xx", "2xx"}:
        return "envoy_cluster_upstream_rq", PAY, name, "{}"
    return (
        (f"envoy_cluster_{name}", PAY, None, "{}")
        if name.startswith("upstream")
        else (f"envoy_{name}", None, None, "{}")
    )


def _said(stats: pd.DataFrame, *, aside: bool = False, pages: pd.DataFrame = ABSENT) -> list[tuple[object, ...]]:
    derives = declared_tables()["counted_calls"].derives
    assert derives is not None
    made = derives(stats, stat_pages=pages)
    shown = made[(made["calls"] > 0) & (made["aside"] == aside)]
    return cells(typed(declared_tables()["counted_calls"], shown), "since", "host", "family", "failed", "calls")


def test_two_samples_tell_what_ended_between_them() -> None:
    stats = _stats(
        (9, {"2xx": 100, "5xx": 5, "server_uptime": 86400}),
        (0, {"2xx": 150, "5xx": 25, "upstream_rq_timeout": 12, "server_uptime": 86940}),
    )

    assert _said(stats)[-3:] == [
        ("2026-01-01T11:51:00+00:00", "pay.shop.svc.cluster.local", "upstream-timeout", True, 12),
        ("2026-01-01T11:51:00+00:00", "pay.shop.svc.cluster.local", "", True, 8),
        ("2026-01-01T11:51:00+00:00", "pay.shop.svc.cluster.local", "", False, 50),
    ]


def test_what_a_cut_page_does_not_have_did_not_rise_since() -> None:
    stats = _stats((10, {"2xx": 100}), (0, {"2xx": 150, "5xx": 4000}))
    pages = stats[["namespace", "pod", "captured_at", "item"]].drop_duplicates().assign(whole=[False, True])

    whole, cut = (_said(stats, pages=pages.assign(whole=told)) for told in (True, pages["whole"]))

    assert [row[3:] for row in whole if row[0] is not None] == [(True, 4000), (False, 50)]
    assert [row[3:] for row in cut if row[0] is not None] == [(False, 50)]


def test_one_sample_counts_since_the_start() -> None:
    stats = _stats((0, {"5xx": 7, "upstream_rq_pending_overflow": 7, "server_uptime": 60}))

    assert _said(stats) == [("2026-01-01T11:59:00+00:00", "pay.shop.svc.cluster.local", "overflow", True, 7)]


def test_a_restart_between_two_samples_counts_from_zero() -> None:
    stats = _stats((9, {"5xx": 90, "server_uptime": 86400}), (0, {"5xx": 4, "server_uptime": 60}))

    assert _said(stats)[-1][0] == "2026-01-01T11:59:00+00:00"
    assert _said(stats)[-1][-1] == 4


def test_attempts_that_a_retry_mended_are_no_failed_calls() -> None:
    stats = _stats((0, {"2xx": 50, "upstream_cx_connect_fail": 30, "server_uptime": 60}))

    assert [row[2:] for row in _said(stats)] == [("", False, 50)]


def test_what_tls_refused_is_no_failed_connection_of_tcp() -> None:
    stats = _stats((0, {"5xx": 9, "upstream_cx_connect_fail": 9, "server_uptime": 60}))
    tls = pd.concat([stats, _stats((0, {"upstream_x": 1})).assign(name="envoy_cluster_ssl_connection_error", value=9)])

    assert [row[2:] for row in _said(stats)] == [("connect-failure", True, 9)]
    assert [row[2:] for row in _said(tls)] == [("", True, 9)]


def test_istios_own_metric_is_preferred() -> None:
    said = {"destination_service": "user.shop.svc.cluster.local", "response_code": "503", "response_flags": "UH"}
    labels, server = (json.dumps({**said, "reporter": side}) for side in ("source", "destination"))
    stats = _stats((0, {labels: 11, server: 5, "5xx": 11, "server_uptime": 60}))

    assert [row[1:] for row in _said(stats)] == [("user.shop.svc.cluster.local", "no-healthy-upstream", True, 11)]


@pytest.mark.parametrize(("code", "family"), [("500", "application"), ("504", "")])
def test_a_504_without_a_flag_may_be_the_proxys_own(code: str, family: str) -> None:
    labels = json.dumps({"reporter": "source", "response_code": code, "response_flags": "-"})

    assert [row[2:] for row in _said(_stats((0, {labels: 3, "server_uptime": 60})))] == [(family, True, 3)]


@pytest.mark.parametrize(
    ("name", "labels", "calls"),
    [
        pytest.param("envoy_http_rbac_denied", "{}", 6, id="by-name"),
        pytest.param("envoy_http_inbound_0_0_0_0_80__rbac", '{"authz_enforce_result":"denied"}', 6, id="by-istios-tag"),
        pytest.param("envoy_http_inbound_0_0_0_0_80__rbac", '{"authz_enforce_result":"allowed"}', 0, id="allowed"),
        pytest.param("envoy_http_inbound_0_0_0_0_80__rbac", '{"authz_dry_run_result":"denied"}', 0, id="a-dry-run"),
        pytest.param("envoy_http_rbac_policy_p_denied", "{}", 0, id="of-one-rule-which-the-sum-has-too"),
    ],
)
def test_what_a_policy_denied(name: str, labels: str, calls: int) -> None:
    stats = _stats((0, {"upstream_x": 6})).assign(name=name, cluster=None, labels=labels)

    assert [row[2:] for row in _said(stats)] == ([("rbac-denied", True, calls)] if calls else [])


def _linkerd(ago: int, *, started: int, **values: int) -> str:
    """A page of a Linkerd proxy: minutes before noon, seconds before noon at which it started, and what it counts."""
    of = {
        "good": 'direction="outbound",dst_service="pay",dst_namespace="shop",classification="success"',
        "bad": 'direction="outbound",dst_service="pay",dst_namespace="shop",status_code="503",classification="failure"',
        "other": 'direction="outbound",authority="api.example:443",status_code="200",classification="success"',
        "taken": 'direction="inbound",target_port="8080",status_code="200",classification="success"',
        "admin": 'direction="inbound",target_port="4191",classification="success"',
    }
    lines = [f"response_total{{{of[name]}}} {value}" for name, value in values.items()]
    return "\n".join([*lines, f"process_start_time_seconds {int(NOON.timestamp()) - started}", ""])


def _of_linkerd(*pages: tuple[int, str]) -> pd.DataFrame:
    taken = [
        tables_of(("linkerd.metrics", "shop/web-1", page.encode()), captured_at=NOON - timedelta(minutes=ago))
        for ago, page in pages
    ]
    return pd.concat([each.frame("stats") for each in taken], ignore_index=True)


def test_what_linkerd_counts_between_two_samples() -> None:
    before = _linkerd(9, started=86400, good=100, bad=5, other=1, taken=50, admin=9)
    after = _linkerd(0, started=86400, good=150, bad=12, other=2, taken=70, admin=99)
    stats = _of_linkerd((9, before), (0, after))
    since = "2026-01-01T11:51:00+00:00"

    assert [row for row in _said(stats) if row[0] == since] == [
        (since, "pay.shop.svc.cluster.local", "", False, 50),
        (since, "pay.shop.svc.cluster.local", "", True, 7),
        (since, "api.example", "", False, 1),
    ]
    assert [row for row in _said(stats, aside=True) if row[0] == since] == [(since, "", "", False, 20)]


def test_what_linkerd_counts_since_its_start() -> None:
    assert _said(_of_linkerd((0, _linkerd(0, started=60, bad=3)))) == [
        ("2026-01-01T11:59:00+00:00", "pay.shop.svc.cluster.local", "", True, 3)
    ]


LISTENER = '{"http_conn_manager_prefix":"%s","response_code_class":"x"}'


def _listened(name: str, value: int, code: str | None = None, labels: str = "{}") -> pd.DataFrame:
    made = _stats((0, {"upstream_x": value}))
    return made.assign(name=name, cluster=None, response_code=code, labels=labels)


def test_what_a_proxy_took_and_refused_stands_aside() -> None:
    """Its callers count the same calls; its own ports are for others."""
    scraped, printed = "envoy_http_downstream_rq", "http.inbound_0.0.0.0_8080;.downstream_rq_5xx"
    stats = [
        _listened(scraped, 90, "2xx", LISTENER % "inbound_0.0.0.0_8080"),
        _listened(scraped, 7, "5xx", LISTENER % "inbound_0.0.0.0_8080"),
        _listened(scraped, 99, "2xx", LISTENER % "admin"),
        _listened(printed, 3, "5xx"),
        _listened("envoy_listener_no_filter_chain_match", 4),
        _listened("envoy_listener_ssl_fail_verify_error", 2),
    ]

    found = _said(pd.concat(stats, ignore_index=True), aside=True)

    assert [row[2:] for row in found] == [("", True, 10), ("", False, 90), ("refused", True, 6)]


def test_where_the_start_is_unknown_so_is_the_span() -> None:
    assert [row[0] for row in _said(_stats((0, {"5xx": 7})))] == [None]


def test_counters_agree_with_the_log(upgrade: Investigation) -> None:
    counted = upgrade.over_time("counted_calls")
    calls = upgrade.frame("calls")
    missing = counted[(counted["family"] == "no-cluster") & counted["failed"].astype(bool)]

    assert cells(missing, "caller", "calls") == [("travel/web-v1", 47)]
    assert int((calls["family"] == "no-cluster").sum()) == 45  # the log was written up to a second earlier
