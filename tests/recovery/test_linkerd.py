"""Linkerd's trust anchor and issuer are renewed, then what holds the old ones is restarted."""

from typing import Any

import pytest

from meshforensics.model import Hypothesis, Standing
from meshforensics.recovery import OF_LINKERD, Mesh, Plan, Situation, plan_for, planned
from meshforensics.testing import frame
from tests.recovery.situations import CART, lines
from tests.report.stand_in import StandIn

ANCHORS, ISSUER = "ConfigMap:mesh/linkerd-identity-trust-roots", "Secret:mesh/linkerd-identity-issuer"


def _verdict(*subjects: str) -> Hypothesis:
    return Hypothesis(incident="root-expired", status=Standing.SUPPORTED, confidence=1.0, subjects=subjects)


def _case(*subjects: str, **frames: Any) -> StandIn:
    return StandIn(hypotheses=(_verdict(*subjects),), frames=frames)


def _ids(plan: Plan) -> list[str]:
    return [each.step.id for each in plan.steps]


@pytest.mark.parametrize(
    ("subjects", "repair"),
    [
        ((ANCHORS,), "replace-linkerd-anchor"),
        ((ANCHORS, ISSUER), "replace-linkerd-anchor"),
        ((ISSUER,), "renew-linkerd-issuer"),
    ],
)
def test_the_anchor_or_the_issuer_alone(subjects: tuple[str, ...], repair: str) -> None:
    plan = plan_for(_case(*subjects))

    assert _ids(plan) == ["keep-evidence", "save-linkerd-identity", repair, "restart-linkerd", "verify"]
    assert not [line for each in plan.steps for line in lines(each.deed.do) if "istio" in line]


def test_a_verdict_about_istio_has_istios_plan() -> None:
    assert "make-new-root" in _ids(plan_for(_case("shop/web-1")))


def test_what_is_replaced_is_saved_and_verified_before() -> None:
    mesh = Mesh(linkerd="mesh", order=(CART,))
    made = planned(OF_LINKERD["root-expired"], Situation(mesh=mesh, verdict=_verdict(ANCHORS), paths=("x.zip",)))
    said = {each.step.id: lines(each.deed.do) for each in made}

    saved, replaced = said["save-linkerd-identity"], said["replace-linkerd-anchor"]
    assert saved[-1].startswith(
        "kubectl -n mesh get configmap/linkerd-identity-trust-roots secret/linkerd-identity-issuer"
    )
    upgrade = next(number for number, line in enumerate(replaced) if line.startswith("linkerd upgrade"))
    assert replaced[upgrade - 2] == "openssl verify -CAfile ca-new.crt issuer-new.crt"
    assert replaced[upgrade].endswith("--identity-trust-anchors-file=ca-new.crt --force | kubectl apply -f -")
    assert said["restart-linkerd"][-2:] == [
        "kubectl -n shop rollout restart deploy/cart",
        "kubectl -n shop rollout status deploy/cart --timeout=10m",
    ]


def test_meshed_workloads_are_restarted_and_the_control_plane_first() -> None:
    pods = frame(
        "pods", namespace=["shop", "mesh"], pod=["a", "b"], workload=["Deployment:shop/web", "Deployment:mesh/x"]
    )
    containers = frame("containers", namespace=["shop", "mesh"], pod=["a", "b"], container=["linkerd-proxy"] * 2)

    plan = plan_for(_case(ISSUER, pods=pods, containers=containers))

    restart = next(lines(each.deed.do) for each in plan.steps if each.step.id == "restart-linkerd")
    assert [line for line in restart if " restart" in line] == [
        "kubectl -n mesh rollout restart deploy",
        "kubectl -n shop rollout restart deploy/web",
    ]
