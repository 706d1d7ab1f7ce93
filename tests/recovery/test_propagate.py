"""Restarts: refused ones first, then callees before callers, gateways last."""

import pytest

from meshforensics.recovery import Situation, declared_steps
from meshforensics.recovery.propagate import restarts
from tests.recovery.situations import CART, DB, WEB, deed, lines, mesh, situation


def test_what_was_paused_is_resumed_before_since_kubectl_refuses_it_otherwise() -> None:
    assert lines(restarts([CART, DB], [CART])) == [
        "kubectl -n shop rollout resume deploy/cart",
        "kubectl -n shop rollout restart deploy/cart",
        "kubectl -n shop rollout status deploy/cart --timeout=10m",
        "kubectl -n data rollout restart sts/db",
        "kubectl -n data rollout status sts/db --timeout=10m",
    ]


def test_the_others_are_those_that_the_verdict_does_not_name_callees_first() -> None:
    restarted = [line.rpartition(" ")[2] for line in lines(deed("renew-others").do) if " restart " in line]

    assert restarted == ["sts/db", "deploy/web"]
    assert {DB, WEB, CART} == set(mesh().order)


@pytest.mark.parametrize(
    ("step", "names"),
    [
        pytest.param("renew-others", {"order": (CART,)}, id="no-others"),
        pytest.param("restart-gateways", {"gateways": ()}, id="no-gateway"),
        pytest.param("restart-ztunnel", {}, id="no-ztunnel"),
    ],
)
def test_a_mesh_without_them_has_no_such_step(step: str, names: dict[str, tuple[object, ...]]) -> None:
    assert declared_steps()[step].make(situation(mesh(**names))) is None


@pytest.mark.parametrize(
    ("version", "config"), [((1, 31), "istioctl ztunnel-config"), ((1, 22), "istioctl x ztunnel-config")]
)
def test_ztunnel_is_asked_as_that_istioctl_calls_it(version: tuple[int, int], config: str) -> None:
    made = deed("restart-ztunnel", mesh(ztunnel=True, version=version))

    assert lines(made.verify) == [f"{config} certificates"]
    assert lines(made.do)[0] == "kubectl -n istio-system rollout restart ds/ztunnel"


def test_a_restart_of_named_workloads_can_be_undone() -> None:
    made = declared_steps()["restart-workloads"].make(
        Situation(mesh=mesh(), verdict=situation().verdict, paths=("x",), paused=())
    )

    assert made is not None
    assert lines(made.undo) == ["kubectl -n shop rollout undo deploy/cart"]
    assert lines(deed("renew-refused").do)[0] == "kubectl -n shop rollout restart deploy/cart"


def test_who_shows_the_wrong_name_is_restarted_and_not_who_refuses_it() -> None:
    about = mesh(objects=(), identities=(DB,), workloads=(CART, DB))

    assert lines(deed("restart-shown", about).do)[0] == "kubectl -n data rollout restart sts/db"
    assert declared_steps()["restart-shown"].make(situation()) is None
    assert declared_steps()["restore-objects"].make(situation(about)) is None


def test_of_a_connection_that_fails_the_server_is_restarted_its_log_read_before() -> None:
    assert lines(deed("restart-servers", mesh(servers=(DB,))).do) == [
        "kubectl -n data logs sts/db --all-containers --tail=200",
        "kubectl -n data rollout restart sts/db",
        "kubectl -n data rollout status sts/db --timeout=10m",
    ]
