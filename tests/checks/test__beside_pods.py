"""What the kubelet and Envoy itself tell of pods that start, run or end badly."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING
from tests.checks.signature_lines import LATE, NOON, counts, frame, lines_of, own, said_of

THEN = NOON - pd.Timedelta(minutes=5)


def _container(name: str = "istio-proxy", **columns: list[Any]) -> dict[str, pd.DataFrame]:
    return {"containers": own("containers", container=[name], **columns)}


def _of_another(**columns: list[Any]) -> dict[str, pd.DataFrame]:
    return {"containers": frame("containers", namespace=["x"], pod=["y"], container=["istio-proxy"], **columns)}


def _annotated(said: str) -> dict[str, pd.DataFrame]:
    return {"pods": frame("pods", namespace=["shop"], pod=["pay-1"], annotations=[said])}


@pytest.mark.parametrize(
    ("family", "frames", "said"),
    [
        pytest.param(
            "not-live",
            {"proxy_states": own("proxy_states", state=["PRE_INITIALIZING"])},
            "confirmed: shop/web-1 is PRE_INITIALIZING as of the capture",
            id="not-live",
        ),
        pytest.param(
            "not-live",
            {"proxy_states": own("proxy_states", state=["LIVE"])},
            "over as of the capture: the proxy of it is live",
            id="live",
        ),
        pytest.param("not-live", {"proxy_states": own("proxy_states", state=[None])}, NOTHING, id="state-unknown"),
        pytest.param(
            "not-ready",
            _container(state=["running"], ready=[False]),
            "confirmed: 1 of 1 sidecar is not ready",
            id="unready",
        ),
        pytest.param(
            "not-ready",
            _container(state=["running"], ready=[True]),
            "over as of the capture: the only sidecar",
            id="ready",
        ),
        pytest.param("not-ready", _container(state=["terminated"], ready=[False]), NOTHING, id="a-job"),
        pytest.param("not-ready", _of_another(state=["running"], ready=[False]), NOTHING, id="another-is-not-ready"),
        pytest.param(
            "out-of-memory",
            _container(last_reason=["OOMKilled"]),
            "confirmed: 1 container ended last by OOMKill",
            id="killed",
        ),
        pytest.param(
            "out-of-memory", _container(reason=["OOMKilled"]), "confirmed: 1 container ended last", id="just-now"
        ),
        pytest.param(
            "out-of-memory",
            _container(last_reason=["Completed"]),
            "refuted as of the capture: no container",
            id="not-killed",
        ),
        pytest.param("out-of-memory", _of_another(last_reason=["OOMKilled"]), NOTHING, id="another-was-killed"),
        pytest.param(
            "crash-loop",
            _container(reason=["CrashLoopBackOff"], restarts=[9]),
            "confirmed: istio-proxy waits in CrashLoopBackOff after 9 restarts",
            id="held-back",
        ),
        pytest.param(
            "crash-loop",
            _container(restarts=[1]),
            "its containers have restarted 1 time, and none waits",
            id="restarted",
        ),
        pytest.param(
            "crash-loop",
            _container(restarts=[0]),
            "refuted as of the capture: no container of it has restarted",
            id="never-restarted",
        ),
        pytest.param("crash-loop", _container(restarts=[None]), NOTHING, id="restarts-unknown"),
        pytest.param(
            "drain-failed",
            _container(last_finished_at=[THEN], last_exit_code=[137]),
            "confirmed: istio-proxy of shop/web-1 ended with 137 at 2026-01-01T11:55:00Z",
            id="ended",
        ),
        pytest.param("drain-failed", _container(last_finished_at=[LATE]), NOTHING, id="ended-long-ago"),
        pytest.param(
            "ztunnel-lifecycle",
            _container("ztunnel", last_finished_at=[THEN]),
            "confirmed: ztunnel of shop/web-1 ended at 2026-01-01T11:55:00Z",
            id="a-ztunnel-ended",
        ),
        pytest.param(
            "concurrency",
            {"proxies": own("proxies", concurrency=[64]), **_container(cpu_limit_m=[2000])},
            "shop/web-1 runs 64 workers on a CPU limit of 2000m",
            id="workers",
        ),
        pytest.param(
            "concurrency", {"proxies": own("proxies", concurrency=[1])}, "shop/web-1 runs 1 worker", id="no-limit"
        ),
        pytest.param(
            "cni-race",
            _container("istio-validation", exit_code=[126]),
            "confirmed: istio-validation of shop/web-1 ended with 126",
            id="not-redirected",
        ),
        pytest.param("cni-race", _container("istio-validation", exit_code=[0]), NOTHING, id="redirected"),
        pytest.param(
            "cni",
            _container(state=["waiting"], reason=["ContainerCreating"]),
            "confirmed: shop/web-1 still waits in ContainerCreating",
            id="waits",
        ),
        pytest.param("cni", _container(state=["running"]), "over as of the capture: its containers run", id="runs"),
        pytest.param(
            "ambient-enrolment",
            _annotated('{"ambient.istio.io/redirection":"pending"}'),
            "confirmed: 1 pod is pending, shop/pay-1 first",
            id="pending",
        ),
        pytest.param(
            "ambient-enrolment", _annotated('{"ambient.istio.io/redirection":"enabled"}'), NOTHING, id="enabled"
        ),
    ],
)
def test_what_else_tells(family: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of(family, **frames).startswith(said)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("0.0.0.0:80", "over as of the capture: 0.0.0.0:80 is bound"),
        ("0.0.0.0:81", "confirmed: 0.0.0.0:80 is not among the 1 address that its proxy has bound"),
    ],
)
def test_an_address_that_could_not_be_bound(address: str, said: str) -> None:
    lines = lines_of("bind", 1, text=["cannot bind '0.0.0.0:80': Permission denied"])

    told = said_of("bind", lines, bound_listeners=own("bound_listeners", address=[address]))

    assert told == said


def test_listeners_that_could_not_be_made_are_counted() -> None:
    said = said_of("bind", stats=counts("listener_manager.listener_create_failure", 2))

    assert said.startswith("confirmed: `listener_manager.listener_create_failure` is 2")
