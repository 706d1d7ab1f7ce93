"""What istiod means against what proxies hold."""

import pandas as pd
import pytest

from meshforensics.checks.sync_intent import clusters_differ, endpoints_differ
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

HOST = "pay.shop.svc.cluster.local"
GONE = "outbound|80||gone.shop.svc.cluster.local"


def _held(*addresses: str, cluster: str = f"outbound|80||{HOST}") -> pd.DataFrame:
    count = len(addresses)
    return frame(
        "endpoints",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        cluster=[cluster] * count,
        address=list(addresses),
    )


def _meant(*addresses: str, shards: tuple[str, ...] = ()) -> pd.DataFrame:
    count = len(addresses)
    return frame(
        "registry_endpoints",
        host=[HOST] * count,
        address=list(addresses),
        shard=list(shards or ("Kubernetes/one",) * count),
    )


@pytest.mark.parametrize(
    ("held", "meant", "severities"),
    [
        pytest.param(_held("10.0.0.1:80"), _meant("10.0.0.1:8080"), [], id="the-same-by-another-port"),
        pytest.param(_held("10.0.0.9:80"), _meant("10.0.0.1:8080"), [Severity.WARNING], id="only-unknown-ones"),
        pytest.param(_held("10.0.0.1:80", "10.0.0.9:80"), _meant("10.0.0.1:80"), [Severity.INFO], id="half-of-them"),
        pytest.param(_held("10.0.0.1:80"), _meant("10.0.0.1:80", "10.0.0.2:80"), [], id="fewer-than-istiod"),
        pytest.param(
            _held("10.0.0.9:80"), _meant("10.0.0.1:80", "10.0.0.2:80", shards=("a", "b")), [], id="of-two-clusters"
        ),
        pytest.param(_held("10.0.0.9:80", cluster="outbound|80||other"), _meant("10.0.0.1:80"), [], id="another-host"),
        pytest.param(_held("envoy://connect_originate/x"), _meant("10.0.0.1:80"), [], id="a-tunnel"),
        pytest.param(_held("[fd00::9]:80"), _meant("[fd00::1]:80"), [Severity.WARNING], id="ipv6"),
    ],
)
def test_endpoints_differ(held: pd.DataFrame, meant: pd.DataFrame, severities: list[Severity]) -> None:
    said = outcome(endpoints_differ, endpoints=held, registry_endpoints=meant)

    assert [each.severity for each in said.findings] == severities


def test_without_istiod_it_is_not_evaluated() -> None:
    assert outcome(endpoints_differ, endpoints=_held()).not_evaluated == "not captured: registry_endpoints"
    assert outcome(endpoints_differ, endpoints=_held(), registry_endpoints=_meant()).findings == ()


NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _cluster(name: str, *, updated: pd.Timestamp = NOON, pods: tuple[str, ...] = ("web-1",)) -> pd.DataFrame:
    count = len(pods)
    return frame(
        "cluster_instances",
        namespace=["shop"] * count,
        pod=list(pods),
        captured_at=[NOON] * count,
        name=[name] * count,
        last_updated=[updated] * count,
    )


def _registry(*ports: str, istiod: str = "istio-system/istiod-1") -> pd.DataFrame:
    return frame("registry", istiod=[istiod], captured_at=[NOON], host=[HOST], ports=[ports])


@pytest.mark.parametrize(
    ("held", "found"),
    [
        pytest.param(_cluster(f"outbound|80||{HOST}"), [], id="known"),
        pytest.param(_cluster(f"outbound|80|v2|{HOST}"), [], id="a-subset-is-of-its-service"),
        pytest.param(_cluster(f"outbound|81||{HOST}"), ["istiod has not that port"], id="another-port"),
        pytest.param(_cluster(GONE), ["istiod has none"], id="gone"),
        pytest.param(
            _cluster(GONE, updated=NOON + pd.Timedelta(seconds=1)),
            [],
            id="newer-than-what-istiod-told",
        ),
        pytest.param(_cluster("inbound|80||"), [], id="inbound"),
        pytest.param(_cluster("PassthroughCluster"), [], id="no-service"),
    ],
)
def test_clusters_differ(held: pd.DataFrame, found: list[str]) -> None:
    said = outcome(clusters_differ, cluster_instances=held, registry=_registry("80/HTTP"))

    assert [each.observed.value for each in said.findings if each.observed] == [1] * len(found)
    assert all(why in each.detail for why, each in zip(found, said.findings, strict=True))
    assert [each.severity for each in said.findings] == [Severity.WARNING] * len(found)


def test_however_many_services_are_gone_they_are_one_finding() -> None:
    held = pd.concat([_cluster(f"outbound|80||app-{each}.shop.svc.cluster.local") for each in range(40)])

    (finding,) = outcome(clusters_differ, cluster_instances=held, registry=_registry("80/HTTP")).findings

    assert finding.observed is not None
    assert (finding.observed.value, finding.subjects) == (40, ("shop/web-1",))
    assert finding.detail.startswith(
        "1 proxy has clusters of 40 services of which istiod has none, such as outbound|80||app-0"
    )


def test_a_service_that_is_gone_is_one_finding_in_however_many_proxies() -> None:
    held = _cluster(GONE, pods=tuple(f"web-{each}" for each in range(30)))

    (finding,) = outcome(clusters_differ, cluster_instances=held, registry=_registry("80/HTTP")).findings

    assert finding.evidence_total == 30


def test_a_proxy_of_an_istiod_that_told_nothing_is_left_out() -> None:
    held = _cluster(GONE, pods=("web-1", "web-2", "web-3"))
    served = frame(
        "xds_sync",
        namespace=["shop"] * 2,
        pod=["web-1", "web-2"],
        istiod=["istio-system/istiod-1", "istio-system/istiod-canary"],
    )

    (finding,) = outcome(
        clusters_differ, cluster_instances=held, registry=_registry("80/HTTP"), xds_sync=served
    ).findings

    assert finding.subjects == ("shop/web-1", "shop/web-3")


def test_without_a_registry_clusters_are_not_judged() -> None:
    held = _cluster(GONE)

    assert outcome(clusters_differ, cluster_instances=held).not_evaluated == "not captured: registry"
