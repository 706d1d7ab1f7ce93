"""What replicas have and one of them lacks."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.sync_lacking import clusters_lacking
from meshforensics.model import Severity
from meshforensics.testing import Said, frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
PAY = "pay.shop.svc.cluster.local"
PLAIN, SUBSET = f"outbound|80||{PAY}", f"outbound|80|v2|{PAY}"


def _clusters(updated: pd.Timestamp, **held: tuple[str, ...]) -> pd.DataFrame:
    rows = [(pod, name) for pod, names in held.items() for name in names]
    return frame(
        "cluster_instances",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, _ in rows],
        captured_at=[NOON] * len(rows),
        name=[name for _, name in rows],
        state=["active"] * len(rows),
        last_updated=[updated] * len(rows),
    )


def _judged(lacked: str, *, ago_s: int = 3600, of: str = "web", **more: Any) -> Said:
    """Three replicas, the last without a cluster; a fourth proxy is of workload `of`."""
    other = f"outbound|80||other.{PAY}"
    held = _clusters(
        NOON - pd.Timedelta(seconds=ago_s), a=(other, lacked), b=(other, lacked), c=(other,), d=(other, lacked)
    )
    proxies = frame("proxies", namespace=["shop"] * 4, pod=["a", "b", "c", "d"], workload=["web", "web", "web", of])
    return outcome(clusters_lacking, proxies=proxies, cluster_instances=held, **more)


def _rule(subset: str = "v2") -> pd.DataFrame:
    return frame(
        "destination_rules", namespace=["shop"], object=["DestinationRule:shop/pay"], host=[PAY], subset=[subset]
    )


def _registry(*ports: str) -> pd.DataFrame:
    return frame("registry", host=[PAY], ports=[ports])


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param(_judged(SUBSET, destination_rules=_rule()), 1, id="a-subset"),
        pytest.param(_judged(SUBSET, destination_rules=_rule("v3")), 0, id="of-no-rule"),
        pytest.param(_judged(SUBSET, registry=_registry("80/HTTP")), 0, id="no-rule-was-captured"),
        pytest.param(_judged(PLAIN, registry=_registry("80/HTTP")), 1, id="a-service"),
        pytest.param(_judged(PLAIN, registry=_registry("81/HTTP")), 0, id="of-another-port"),
        pytest.param(_judged(SUBSET, destination_rules=_rule(), ago_s=60), 1, id="just-settled"),
        pytest.param(_judged(SUBSET, destination_rules=_rule(), ago_s=59), 0, id="a-push-may-be-under-way"),
        pytest.param(_judged(SUBSET, destination_rules=_rule(), of="job"), 1, id="two-of-three-are-most"),
        pytest.param(_judged("inbound|80||", destination_rules=_rule()), 0, id="inbound"),
    ],
)
def test_clusters_lacking(said: Said, found: int) -> None:
    assert [(each.severity, each.subjects) for each in said.findings] == [(Severity.WARNING, ("shop/c",))] * found


def test_it_says_who_has_it_and_what_means_it() -> None:
    (finding,) = _judged(SUBSET, destination_rules=_rule()).findings

    assert finding.detail == (
        f"1 proxy lacks {SUBSET}, which 3 other replicas of shop/web have; DestinationRule:shop/pay defines it"
    )
    assert len(finding.evidence) == 3


def test_two_replicas_tell_of_none_which_is_right() -> None:
    held = _clusters(NOON - pd.Timedelta(hours=1), a=(SUBSET, PLAIN), b=(PLAIN,))
    proxies = frame("proxies", namespace=["shop"] * 2, pod=["a", "b"], workload=["web"] * 2)

    given: dict[str, Any] = {"proxies": proxies, "cluster_instances": held, "destination_rules": _rule()}

    assert outcome(clusters_lacking, **given).findings == ()
    assert outcome(clusters_lacking, proxies=proxies).not_evaluated == "not captured: cluster_instances"
