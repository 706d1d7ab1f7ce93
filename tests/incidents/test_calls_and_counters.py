"""Failing calls told by counters where nothing was logged; consequences told from causes; what is named beside."""

from datetime import timedelta

import pandas as pd
import pytest

from meshforensics.checks.sync import never_sent, rejected
from meshforensics.model import Impact, Quantity, Severity, Standing
from meshforensics.testing import frame, outcome
from tests.incidents.cases import NOON, calls, counted, judged, whole_mesh
from tests.report.stand_in import finding

SUPPORTED, POSSIBLE, REFUTED, UNDETERMINED = (
    Standing.SUPPORTED,
    Standing.POSSIBLE,
    Standing.REFUTED,
    Standing.UNDETERMINED,
)
PAY = "outbound|80||pay.shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("failed", "family", "status"),
    [
        pytest.param(12, "overflow", SUPPORTED, id="many"),
        pytest.param(3, "overflow", POSSIBLE, id="few"),
        pytest.param(0, "", REFUTED, id="none-failed"),
        pytest.param(12, "", UNDETERMINED, id="failed-and-no-counter-tells-why"),
    ],
)
def test_counters_of_the_window_tell_of_calls_that_nobody_logged(failed: int, family: str, status: Standing) -> None:
    said = judged("circuit-breaker-overflow", counted_calls=counted(failed, family))

    assert said.status is status
    if status is SUPPORTED:
        assert said.impact is not None
        assert (said.impact.failed, said.impact.total, said.explained) == (12, 62, 12)


def test_counters_since_an_earlier_start_tell_nothing_of_the_window() -> None:
    old = counted(12, "overflow").assign(since=NOON - timedelta(days=3))

    assert judged("circuit-breaker-overflow", counted_calls=old).status is UNDETERMINED


def test_what_is_logged_is_not_counted_twice() -> None:
    log = frame("access_log", namespace=["shop"], pod=["web-1"], at=[NOON], status=[503], flags=[("UO",)])

    said = judged(
        "circuit-breaker-overflow",
        calls=calls(12, "overflow", flags=("UO",)),
        access_log=log,
        counted_calls=counted(12, "overflow"),
    )

    assert said.explained == 12


@pytest.mark.parametrize(
    ("counters", "status"),
    [
        pytest.param(None, UNDETERMINED, id="neither-log-nor-counters"),
        pytest.param(timedelta(days=3), SUPPORTED, id="since-an-earlier-start-and-nothing-failed"),
        pytest.param(timedelta(minutes=5), SUPPORTED, id="of-the-window"),
    ],
)
def test_no_logged_call_is_not_no_failed_call(counters: timedelta | None, status: Standing) -> None:
    mesh = whole_mesh()
    mesh["counted_calls"] = (
        mesh["counted_calls"].assign(since=NOON - counters) if counters else mesh["counted_calls"].iloc[:0]
    )

    assert judged("healthy", **mesh).status is status


def test_failures_since_an_earlier_start_leave_health_open() -> None:
    mesh = whole_mesh()
    old = counted(1, "overflow", of={"namespace": ["shop", "shop"], "pod": ["web-1", "pay-1"]})
    mesh["counted_calls"] = old.assign(since=NOON - timedelta(days=3))

    assert judged("healthy", **mesh).status is UNDETERMINED


def _sync(status: str, *, pod: str = "pay-1") -> pd.DataFrame:
    return frame("xds_sync", namespace=["shop"], pod=[pod], type=["lds"], status=[status], istiod=["istio-system/d"])


PODS = frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"], item=["kubernetes.pods:-@unknown"])


def test_a_server_that_was_never_sent_listeners_makes_it_stale_and_not_a_connect_failure() -> None:
    sync = _sync("NOT SENT")
    found = outcome(never_sent, at=NOON, xds_sync=sync).findings
    frames = {
        "calls": calls(12, "connect-failure"),
        "xds_sync": sync,
        "pods": PODS,
        "rejections": frame("rejections"),
    }

    assert judged("upstream-connect-failure", *found, **frames).status is REFUTED
    stale = judged("config-stale", *found, **frames)
    assert (stale.status, stale.explained) == (SUPPORTED, 12)


def _rejected(*, pod: str = "pay-1") -> pd.DataFrame:
    return frame(
        "rejections",
        namespace=["shop"],
        pod=[pod],
        type=["lds"],
        message=["bad filter"],
        at=[NOON - timedelta(minutes=2)],
        current=[True],
    )


def test_a_server_that_refuses_its_listeners_explains_who_cannot_connect() -> None:
    frames = {
        "calls": calls(12, "connect-failure"),
        "xds_sync": _sync("NACKED"),
        "pods": PODS,
        "rejections": _rejected(),
    }

    assert judged("upstream-connect-failure", **frames).status is REFUTED
    assert judged("config-rejected", **frames).explained == 12


@pytest.mark.parametrize(("pod", "status"), [("web-1", POSSIBLE), ("pay-1", REFUTED)], ids=["another", "the-same"])
def test_a_rejection_elsewhere_does_not_refute_staleness(pod: str, status: Standing) -> None:
    sync, rejections = _sync("NOT SENT"), _rejected(pod=pod)
    found = (
        *outcome(never_sent, at=NOON, xds_sync=sync).findings,
        *outcome(rejected, rejections=rejections).findings,
    )

    assert judged("config-stale", *found, xds_sync=sync, rejections=rejections).status is status


def test_limit_and_object_of_an_overflow_are_named() -> None:
    failing = calls(12, "overflow", flags=("UO",)).assign(cluster=PAY)
    clusters = frame(
        "clusters", name=[PAY], max_pending_requests=[1], max_requests=[2**32 - 1], object=["DestinationRule:shop/pay"]
    )

    said = judged("circuit-breaker-overflow", calls=failing, clusters=clusters)

    assert said.subjects[-1] == "DestinationRule:shop/pay"
    assert f"Limits of DestinationRule:shop/pay: max_pending_requests 1 of {PAY}" in said.summary


@pytest.mark.parametrize(
    ("endpoints", "why"),
    [
        pytest.param({"cluster": ["other"], "flags": [()]}, f"{PAY} has no endpoint", id="empty"),
        pytest.param(
            {"cluster": [PAY], "flags": [("failed_outlier_check",)]}, "1 ejected by outlier detection", id="ejected"
        ),
    ],
)
def test_why_hosts_are_out_is_said(endpoints: dict[str, list[object]], why: str) -> None:
    failing = calls(12, "no-healthy-upstream", flags=("UH",)).assign(cluster=PAY)
    known = frame("endpoints", namespace=["shop"], pod=["web-1"], address=["10.244.1.9:80"], **endpoints)

    assert why in judged("no-healthy-upstream", calls=failing, endpoints=known).summary


def test_the_slow_workload_behind_a_timeout_is_named() -> None:
    failing = calls(12, "upstream-timeout", total=12, flags=("UT",))
    failing = failing.assign(request_id=[str(number) for number in range(12)], duration_ms=300)
    passed = failing.assign(failed=False, family="", duration_ms=290)
    hops = [
        failing,
        passed.assign(pod="edge-1", host="front.shop.svc.cluster.local", upstream_host="10.244.1.7:80"),
        passed.assign(pod="front-1", host="web.shop.svc.cluster.local", upstream_host="10.244.1.8:80"),
        passed.assign(pod="pay-1", host="audit.shop.svc.cluster.local", upstream_host="10.244.1.10:80"),
        passed.assign(pod="audit-1", host="disk.shop.svc.cluster.local", upstream_host="10.244.1.11:80"),
        passed.assign(pod="audit-1", host="fast.shop.svc.cluster.local", upstream_host="", duration_ms=10),
    ]
    names = ["front-1", "web-1", "pay-1", "audit-1", "disk-1"]
    pods = frame("pods", namespace=["shop"] * 5, pod=names, ip=[f"10.244.1.{last}" for last in range(7, 12)])

    said = judged("upstream-timeout", calls=pd.concat(hops, ignore_index=True), pods=pods)

    below = ("audit.shop.svc.cluster.local", "disk.shop.svc.cluster.local")
    assert said.subjects == ("shop/web-1", "pay.shop.svc.cluster.local", *below)


def test_the_rule_of_a_rate_limit_is_named() -> None:
    config = frame(
        "config",
        namespace=["shop", "other"],
        kind=["EnvoyFilter"] * 2,
        object=["EnvoyFilter:shop/limit", "EnvoyFilter:other/limit"],
        spec=['{"name":"envoy.filters.http.local_ratelimit"}'] * 2,
    )

    said = judged("rate-limited", calls=calls(12, "rate-limited", flags=("RL",)), config=config)

    assert said.subjects[-1] == "EnvoyFilter:shop/limit"


@pytest.mark.parametrize(
    ("frames", "status"),
    [
        pytest.param({}, POSSIBLE, id="neither-pods-nor-proxies"),
        pytest.param({"pods": PODS}, POSSIBLE, id="without-what-was-sent-to-it"),
        pytest.param({"pods": PODS, "xds_sync": frame("xds_sync")}, SUPPORTED, id="pods-and-what-was-sent"),
        pytest.param(
            {
                "proxies": frame("proxies", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"], captured_at=[NOON]),
                "listener_instances": frame("listener_instances", namespace=["shop"], pod=["pay-1"]),
            },
            SUPPORTED,
            id="the-server-itself",
        ),
        pytest.param(
            {
                "proxies": frame(
                    "proxies",
                    namespace=["shop"],
                    pod=["pay-1"],
                    ip=["10.244.1.9"],
                    captured_at=[NOON - timedelta(minutes=30)],
                ),
                "listener_instances": frame("listener_instances", namespace=["shop"], pod=["pay-1"]),
            },
            POSSIBLE,
            id="the-server-as-it-was-before",
        ),
    ],
)
def test_a_refused_connection_needs_to_know_that_the_endpoint_is_there(
    frames: dict[str, pd.DataFrame], status: Standing
) -> None:
    assert judged("upstream-connect-failure", calls=calls(12, "connect-failure"), **frames).status is status


@pytest.mark.parametrize(("current", "status"), [(True, SUPPORTED), (None, POSSIBLE)], ids=["stands", "not-known"])
def test_a_rejection_of_which_nothing_tells_whether_it_stands_is_possible(
    current: bool | None, status: Standing
) -> None:
    assert judged("config-rejected", rejections=_rejected().assign(current=current)).status is status


RULES = frame(
    "config",
    namespace=["shop"] * 2,
    kind=["DestinationRule"] * 2,
    object=["DestinationRule:shop/pay", "DestinationRule:shop/other"],
    spec=[
        '{"host":"pay","trafficPolicy":{"outlierDetection":{},"tls":{"subjectAltNames":["x"]}}}',
        '{"host":"other","trafficPolicy":{"outlierDetection":{}}}',
    ],
)


def test_the_rule_that_ejects_is_named() -> None:
    failing = calls(12, "no-healthy-upstream", flags=("UH",)).assign(cluster=PAY)
    ejected = frame("endpoints", namespace=["shop"], pod=["web-1"], address=["10.244.1.9:80"], cluster=[PAY],
                    flags=[("failed_outlier_check",)])  # fmt: skip

    said = judged("no-healthy-upstream", calls=failing, endpoints=ejected, config=RULES)

    assert said.subjects[-1] == "DestinationRule:shop/pay"
    assert said.summary.endswith("of 1 host. What ejects is set by DestinationRule:shop/pay.")


def test_the_timeout_and_who_sets_it_are_named() -> None:
    failing = calls(12, "upstream-timeout", flags=("UT",)).assign(cluster=PAY)
    routes = frame(
        "routes",
        cluster=[PAY, "other"],
        timeout_s=[0.5, 3.0],
        object=["VirtualService:shop/pay", "VirtualService:shop/other"],
    )

    said = judged("upstream-timeout", calls=failing, routes=routes)

    assert said.subjects[-1] == "VirtualService:shop/pay"
    assert said.summary.endswith("Timeouts there: 0.5 s to pay.shop.svc.cluster.local (VirtualService:shop/pay).")


def test_what_leads_to_a_missing_cluster_is_named() -> None:
    gone = "outbound|80|v2|pay.shop.svc.cluster.local"
    routes = frame("routes", namespace=["shop"], pod=["web-1"], cluster=[gone], object=["VirtualService:shop/pay"])
    found = [
        finding(
            check="routing.missing-cluster", observed=Quantity(name="cluster", value=gone), subjects=("shop/web-1",)
        )
    ]

    said = judged("route-to-missing-cluster", *found, calls=calls(12, "no-cluster", flags=("NC",)), routes=routes,
                  config=RULES)  # fmt: skip

    assert said.subjects == ("shop/web-1", "VirtualService:shop/pay", "DestinationRule:shop/pay")
    assert said.summary.startswith(f"Routes (VirtualService:shop/pay, DestinationRule:shop/pay) lead to {gone}")


def test_calls_of_others_to_the_same_service_are_calls_to_it() -> None:
    well = calls(0, "", total=60).assign(caller="shop/cart", pod="cart-1")
    elsewhere = calls(0, "", total=7).assign(host="other.shop.svc.cluster.local")

    said = judged(
        "upstream-timeout", calls=pd.concat([calls(12, "upstream-timeout"), well, elsewhere], ignore_index=True)
    )

    assert said.impact == Impact(failed=12, total=160, services=("pay.shop.svc.cluster.local",))


def test_what_a_server_refuses_is_out_of_what_it_served_and_its_host_has_no_port() -> None:
    log = frame(
        "access_log",
        namespace=["shop"] * 30,
        pod=["pay-1"] * 30,
        at=[NOON - timedelta(seconds=60)] * 30,
        direction=["inbound"] * 30,
        authority=["pay.shop.svc.cluster.local:80"] * 30,
        status=[429] * 12 + [200] * 18,
        flags=[("RL",)] * 12 + [()] * 18,
        details=["local_rate_limited"] * 12 + ["via_upstream"] * 18,
    )

    said = judged("rate-limited", calls=calls(0, ""), access_log=log)

    assert said.impact == Impact(failed=12, total=30, services=("pay.shop.svc.cluster.local",))


def test_who_owes_istiod_an_answer_is_said_however_short_that_is() -> None:
    sync = frame("xds_sync", namespace=["shop"], pod=["web-1"], istiod=["i"], type=["eds"], status=["STALE"],
                 sent_at=[NOON - timedelta(seconds=50)])  # fmt: skip
    gone = finding(
        check="sync.endpoint-gone", subjects=("shop/web-1",), detail="it sends to nobody", severity=Severity.WARNING
    )

    said = judged("config-stale", gone, xds_sync=sync, rejections=frame("rejections"))

    assert said.summary == "it sends to nobody. shop/web-1 has not acknowledged eds, sent at 2026-01-01T11:59:10Z"
