"""What istiod means against what proxies hold."""

import pandas as pd
import pytest

from meshforensics.checks.sync_intent import endpoints_differ
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

HOST = "pay.shop.svc.cluster.local"


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
