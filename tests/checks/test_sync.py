"""What istiod sent against what proxies run."""

import pandas as pd
import pytest

from meshforensics.checks.sync import (
    endpoint_gone,
    never_sent,
    rejected,
    rejected_earlier,
    secret_not_delivered,
    stale,
    stale_since_unknown,
    warming,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _sync(status: str, kind: str = "cds", sent_s_ago: int | None = 600) -> pd.DataFrame:
    sent = None if sent_s_ago is None else NOON - pd.Timedelta(seconds=sent_s_ago)
    return frame(
        "xds_sync",
        namespace=["shop"],
        pod=["web-1"],
        istiod=["istio-system/istiod-1"],
        type=[kind],
        status=[status],
        sent_at=[sent],
    )


@pytest.mark.parametrize(
    ("sync", "severity"),
    [
        pytest.param(_sync("SYNCED"), None, id="in-step"),
        pytest.param(_sync("STALE", sent_s_ago=60), None, id="a-minute-is-the-limit"),
        pytest.param(_sync("STALE", sent_s_ago=61), Severity.WARNING, id="over-a-minute"),
        pytest.param(_sync("NEVER ACKED", sent_s_ago=301), Severity.ERROR, id="never-acknowledged"),
        pytest.param(_sync("STALE", sent_s_ago=None), None, id="since-unknown-is-another-check"),
    ],
)
def test_stale(sync: pd.DataFrame, severity: Severity | None) -> None:
    assert [each.severity for each in outcome(stale, at=NOON, xds_sync=sync).findings] == (
        [severity] if severity else []
    )


def test_a_proxy_that_stands_still_in_several_types_is_one_finding() -> None:
    still = pd.concat([_sync("STALE", kind) for kind in ("lds", "cds")], ignore_index=True)

    (finding,) = outcome(stale, at=NOON, xds_sync=still).findings

    assert (finding.detail, finding.evidence_total) == ("1 proxy runs cds, lds of before 2026-01-01T11:50:00Z", 1)


@pytest.mark.parametrize(("sent", "found"), [(None, 1), (600, 0)])
def test_stale_since_unknown_is_only_a_note(sent: int | None, found: int) -> None:
    said = outcome(stale_since_unknown, xds_sync=_sync("STALE", sent_s_ago=sent))

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("status", "kind", "found"),
    [("NOT SENT", "cds", 1), ("NOT SENT", "lds", 1), ("NOT SENT", "rds", 0), ("SYNCED", "cds", 0)],
)
def test_never_sent(status: str, kind: str, found: int) -> None:
    assert len(outcome(never_sent, xds_sync=_sync(status, kind)).findings) == found


def test_a_proxy_that_waits_for_both_is_one_finding() -> None:
    both = pd.concat([_sync("NOT SENT", kind) for kind in ("lds", "cds")], ignore_index=True)

    (finding,) = outcome(never_sent, xds_sync=both).findings

    assert finding.detail == "cds and lds never sent to 1 proxy"


def _rejections(current: bool | None, ago_s: int | None = None) -> pd.DataFrame:
    return frame(
        "rejections",
        namespace=["shop", "shop"],
        pod=["web-1", "web-2"],
        type=["lds", "lds"],
        resource_name=["virtualInbound"] * 2,
        object=["EnvoyFilter:shop/limit"] * 2,
        message=[
            "bad fill interval: goo.gle/debugstr  \nseconds: -5",
            "bad fill interval: goo.gle/debugproto \nseconds: -5\n",
        ],
        current=[current, current],
        captured_at=[NOON] * 2,
        at=[None if ago_s is None else NOON - pd.Timedelta(seconds=ago_s)] * 2,
    )


@pytest.mark.parametrize(
    ("current", "ago_s", "found", "earlier"),
    [
        pytest.param(True, None, 1, 0, id="stands"),
        pytest.param(True, 9000, 1, 0, id="stands-for-long"),
        pytest.param(None, None, 1, 0, id="unknown-since-when"),
        pytest.param(None, 900, 1, 0, id="in-the-window"),
        pytest.param(None, 901, 0, 1, id="before-the-window-and-nothing-tells"),
        pytest.param(False, None, 0, 0, id="accepted-since"),
    ],
)
def test_rejected(current: bool | None, ago_s: int | None, found: int, earlier: int) -> None:
    rejections = _rejections(current, ago_s)

    said = outcome(rejected, rejections=rejections)

    assert [(each.subjects, each.severity) for each in said.findings] == [
        (("shop/web-1", "shop/web-2"), Severity.ERROR)
    ] * found
    assert [each.severity for each in outcome(rejected_earlier, rejections=rejections).findings] == [
        Severity.WARNING
    ] * earlier


def test_a_rejection_says_why_and_whose_object_it_was() -> None:
    (finding,) = outcome(rejected, rejections=_rejections(True)).findings

    assert finding.detail == (
        "lds of virtualInbound (EnvoyFilter:shop/limit) of 2 proxies rejected: bad fill interval: seconds: -5"
    )


def _instance(table: str, state: str, ago_s: int = 61, name: str = "0.0.0.0_80") -> pd.DataFrame:
    return frame(
        table,
        namespace=["shop"],
        pod=["web-1"],
        name=[name],
        state=[state],
        last_updated=[NOON - pd.Timedelta(seconds=ago_s)],
        resource=["r"],
    )


@pytest.mark.parametrize(
    ("listeners", "clusters", "found"),
    [
        pytest.param(
            _instance("listener_instances", "warming"), _instance("cluster_instances", "active"), 1, id="listener"
        ),
        pytest.param(
            _instance("listener_instances", "active"), _instance("cluster_instances", "warming"), 1, id="cluster"
        ),
        pytest.param(
            _instance("listener_instances", "warming", 59), _instance("cluster_instances", "active"), 0, id="just-now"
        ),
    ],
)
def test_warming(listeners: pd.DataFrame, clusters: pd.DataFrame, found: int) -> None:
    said = outcome(warming, at=NOON, listener_instances=listeners, cluster_instances=clusters)

    assert len(said.findings) == found


@pytest.mark.parametrize(("state", "found"), [("warming", 1), ("active", 0)])
def test_secret_not_delivered(state: str, found: int) -> None:
    said = outcome(secret_not_delivered, secret_instances=_instance("secret_instances", state, name="default"))

    assert len(said.findings) == found


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(stale, at=NOON).not_evaluated == "not captured: xds_sync"
    assert outcome(stale_since_unknown).not_evaluated == "not captured: xds_sync"
    assert outcome(never_sent).not_evaluated == "not captured: xds_sync"
    assert outcome(rejected).not_evaluated == "not captured: rejections"
    assert outcome(secret_not_delivered).not_evaluated == "not captured: secret_instances"
    assert outcome(warming, at=NOON).not_evaluated == (
        "not captured: listener_instances; not captured: cluster_instances"
    )


def _endpoint(address: str, cluster: str = "outbound|80||pay.shop.svc.cluster.local") -> pd.DataFrame:
    return frame("endpoints", namespace=["shop"], pod=["web-1"], cluster=[cluster], address=[address])


def _listed(phase: str = "Running", item: str = "kubernetes.pods:-@unknown") -> pd.DataFrame:
    return frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.5"], phase=[phase], item=[item])


@pytest.mark.parametrize(
    ("endpoints", "pods", "found"),
    [
        pytest.param(_endpoint("10.244.1.9:80"), _listed(), 1, id="no-pod-any-more"),
        pytest.param(_endpoint("10.244.1.5:80"), _listed(), 0, id="a-pod"),
        pytest.param(_endpoint("10.244.1.5:80"), _listed("Failed"), 0, id="no-running-pod-tells-the-network"),
        pytest.param(_endpoint("34.1.2.3:80"), _listed(), 0, id="another-network"),
        pytest.param(_endpoint("10.244.1.9:80", "outbound|443||api.example.com"), _listed(), 0, id="an-outside-host"),
        pytest.param(
            _endpoint("10.244.1.9:80"), _listed(item="foreign.describe-pods:-@unknown"), 0, id="not-all-listed"
        ),
    ],
)
def test_endpoint_gone(endpoints: pd.DataFrame, pods: pd.DataFrame, found: int) -> None:
    said = outcome(endpoint_gone, endpoints=endpoints, pods=pods)

    assert [each.subjects for each in said.findings] == [("shop/web-1",)] * found


def test_an_endpoint_that_is_gone_is_named_after_the_pod_that_it_was() -> None:
    endpoints = frame(
        "endpoints", namespace=["shop"], pod=["web-1"], cluster=["outbound|80||pay.shop.svc.cluster.local"],
        address=["10.244.1.9:80"],
    )  # fmt: skip
    pods = frame("pods", ip=["10.244.1.5"], phase=["Running"], item=["kubernetes.pods:-@unknown"])
    before = frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"])

    (finding,) = outcome(endpoint_gone, endpoints=endpoints, pods=pods, pods_over_time=before).findings

    assert finding.detail.endswith("which is no address of a running pod; it was that of shop/pay-1")


def test_endpoint_gone_needs_both_sides() -> None:
    assert outcome(endpoint_gone).not_evaluated == "not captured: endpoints; not captured: pods"
