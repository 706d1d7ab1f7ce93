"""Objects that contradict each other, as istiod tells it."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks.control_plane_objects import (
    clusters_without_endpoints,
    conflicting_objects,
    conflicts_counted,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames
from tests.conftest import Opened

TWICE = "pilot_vservice_dup_domain"


def _problems(*rows: tuple[str, str]) -> pd.DataFrame:
    return frame("push_problems", metric=[metric for metric, _ in rows], resource_name=[name for _, name in rows])


def test_cases_of_one_kind_are_one_finding() -> None:
    problems = _problems((TWICE, "a.shop"), (TWICE, "b.shop"), ("pilot_destrule_subsets", "v1"))

    said = outcome(conflicting_objects, push_problems=problems).findings

    assert [(each.observed and each.observed.value, each.subjects) for each in said] == [
        ("pilot_destrule_subsets", ("v1",)),
        (TWICE, ("a.shop", "b.shop")),
    ]


def test_a_cluster_without_endpoints_is_no_conflict() -> None:
    problems = _problems(("pilot_eds_no_instances", "outbound|80||a.shop"), ("pilot_no_ip", "x"))

    assert outcome(conflicting_objects, push_problems=problems).findings == ()
    assert [
        (each.severity, each.subjects) for each in outcome(clusters_without_endpoints, push_problems=problems).findings
    ] == [(Severity.INFO, ("outbound|80||a.shop",))]


@pytest.mark.parametrize(
    ("value", "item", "named", "found"),
    [
        pytest.param(2.0, "istiod.metrics", (), 1, id="counted-and-not-named"),
        pytest.param(2.0, "istiod.metrics", ((TWICE, "a.shop"),), 0, id="named-by-push-status"),
        pytest.param(0.0, "istiod.metrics", (), 0, id="none"),
        pytest.param(2.0, "envoy.stats", (), 0, id="not-of-istiod"),
    ],
)
def test_conflicts_counted(value: float, item: str, named: tuple[tuple[str, str], ...], found: int) -> None:
    stats = frame("stats", name=[TWICE], real=[value], item=[f"{item}:istio-system/istiod-1@unknown"])
    given = {"push_problems": _problems(*named)} if named else {}

    assert len(said_of_frames(conflicts_counted, {"stats": stats, **given}).findings) == found


def test_a_real_push_status(corpus: Path, opened: Opened) -> None:
    found = [each for each in opened(corpus / "bugreport" / "istio_2023-05").findings if "endpoints" in each.check]

    assert [(each.check, each.subjects) for each in found] == [
        (
            "control-plane.clusters-without-endpoints",
            ("outbound|8443||gmp-operator.gke-gmp-system.svc.cluster.local",),
        )
    ]


def test_without_their_tables_they_are_not_evaluated() -> None:
    assert outcome(conflicting_objects).not_evaluated == "not captured: push_problems"
    assert outcome(clusters_without_endpoints).not_evaluated == "not captured: push_problems"
    assert outcome(conflicts_counted).not_evaluated == "not captured: stats"
