"""What a postmortem asks: the span of failure, contributing factors, first signs."""

from datetime import timedelta

import pandas as pd
import pytest

from meshforensics.incidents.causes.postmortem import factors, first_signs, not_looked_at, span_of_failure
from meshforensics.model import Evidence, Finding, Phase, Plane, Severity
from meshforensics.testing import frame
from tests.incidents.cases import NOON, calls, case
from tests.incidents.causes.memory import memory, piled_up, rising, series
from tests.incidents.causes.trust import BOTH, MOVED, mesh


def test_the_span_of_failure_is_from_the_first_to_the_last_failed_call() -> None:
    found = span_of_failure(case(calls=calls(10, "no-cluster", total=40)))

    assert (found["first"], found["last"]) == (NOON - timedelta(seconds=69), NOON - timedelta(seconds=60))
    assert (found["failed"], found["total"], found["goes_on"]) == (10, 40, True)
    assert len(found["places"]) == 2


def test_failures_that_ended_before_the_capture_did_are_over() -> None:
    early = calls(10, "no-cluster", total=40)
    early["at"] = early["at"].iloc[::-1].to_numpy()

    assert span_of_failure(case(calls=early))["goes_on"] is False


def test_without_a_failed_call_there_is_no_span() -> None:
    assert span_of_failure(case()) == {}
    assert span_of_failure(case(calls=calls(0, ""))) == {}


@pytest.mark.parametrize(
    ("by", "minutes", "found"),
    [
        pytest.param("kubectl-edit", 1, ["A change by kubectl just before"], id="by-hand"),
        pytest.param("argocd-controller", 1, [], id="by-a-machine"),
        pytest.param("kubectl-edit", -1, [], id="afterwards"),
        pytest.param("kubectl-edit", 60 * 25, [], id="long-before"),
    ],
)
def test_a_change_by_hand_before_the_failure(by: str, minutes: int, found: list[str]) -> None:
    config = frame(
        "config", object=["Sidecar:shop/a"], kind=["Sidecar"], changed_by=[by],
        changed_at=[NOON - timedelta(minutes=minutes)],
    )  # fmt: skip

    assert factors(case(config=config), NOON)["factor"].to_list() == found


def test_versions_apart() -> None:
    versions = frame("versions", component=["pilot"], version=["1.31.0"], captured_at=[NOON])

    apart, patch = (
        factors(case(versions=versions, proxies=frame("proxies", pod=["a"], version=[version])), None)[
            "factor"
        ].to_list()
        for version in ("1.29.2", "1.31.1")
    )

    assert (apart, patch) == (["Versions apart"], [])


def test_a_missing_overlap_and_a_pool_without_limits_contribute() -> None:
    own = {"namespace": ["shop"], "pod": ["web-1"]}
    name = "outbound|80||pay.shop.svc.cluster.local"
    pools = {
        "clusters": frame(
            "clusters", resource=["a"], name=[name], max_connections=[2**32 - 1], max_requests=[2**32 - 1]
        ),
        "cluster_instances": frame("cluster_instances", **own, resource=["a"], name=[name]),
    }

    assert factors(mesh(*MOVED), None)["factor"].to_list() == ["A root changed without an overlap"]
    assert factors(mesh(*BOTH), None).empty
    assert factors(series(memory(web_1=rising), piled_up(), **pools), None)["factor"].to_list() == [
        "A pool without limits"
    ]


def test_one_istiod_and_filters_contribute() -> None:
    pods = frame("pods", namespace=["istio-system"], pod=["istiod-1"], phase=["Running"], labels=['{"app": "istiod"}'])
    config = frame("config", object=["EnvoyFilter:shop/a"], kind=["EnvoyFilter"])

    assert factors(case(pods=pods, config=config), None)["factor"].to_list() == [
        "One replica of the control plane",
        "EnvoyFilters tie the mesh to a version",
    ]


def _finding(seconds: float, severity: Severity) -> Finding:
    return Finding(
        check="sync.rejected", severity=severity, phase=Phase.CONFIGURATION, plane=Plane.CONTROL, title="Refused",
        detail="lds", subjects=("shop/web-1",), evidence=(Evidence(item="x", sha256="", pointer="L1"),),
        evidence_total=1, at=NOON + timedelta(seconds=seconds), remediation="Mend.", source="test",
    )  # fmt: skip


def test_first_signs_are_findings_with_a_time_against_the_onset() -> None:
    told = (_finding(5, Severity.ERROR), _finding(-5, Severity.WARNING), _finding(-9, Severity.INFO))

    found = first_signs(case(*told), NOON)

    assert found["seconds"].to_list() == [-5, 5]
    assert first_signs(case(_finding(5, Severity.ERROR)), None)["seconds"].isna().all()


def test_what_would_tell_of_detection_and_was_not_captured() -> None:
    assert not_looked_at(case()) == ("Prometheus", "Kubernetes events", "alert rules")
    assert not_looked_at(case(events=pd.DataFrame())) == ("Prometheus", "alert rules")
