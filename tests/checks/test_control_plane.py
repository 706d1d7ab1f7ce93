"""Is the control plane up, did it stay up, has it what it needs."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.control_plane import (
    cpu_near_limit,
    cpu_over_profile,
    crash_loop,
    down,
    memory_near_limit,
    memory_over_profile,
    oom_killed,
    replica_not_ready,
    restarted,
    throttled,
)
from meshforensics.model import Severity
from meshforensics.profile import load_profile
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
MIB = 1024 * 1024
ISTIOD = '{"app":"istiod","istio":"pilot"}'
LINKERD = '{"linkerd.io/control-plane-component":"identity"}'
WHOLE = "kubernetes.pods:-@unknown"


def _pods(*, count: int = 1, labels: str = ISTIOD, item: str = WHOLE, **values: Any) -> pd.DataFrame:
    given = {"namespace": "istio-system", "phase": "Running", "labels": labels, "workload": "Deployment:x/istiod"}
    columns = {name: [value] * count for name, value in {**given, "item": item, **values}.items()}
    return frame("pods", pod=[f"istiod-{number}" for number in range(count)], **columns)


def _containers(*ready: bool | None, **values: Any) -> pd.DataFrame:
    count = len(ready)
    given = {"namespace": "istio-system", "container": "discovery", "role": "app", "state": "running", **values}
    columns = {name: [value] * count for name, value in given.items()}
    return frame("containers", pod=[f"istiod-{number}" for number in range(count)], ready=list(ready), **columns)


def _started(seconds_ago: int) -> pd.DataFrame:
    return _containers(False, captured_at=NOON, started_at=NOON - pd.Timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    ("containers", "pods", "is_down", "is_not_ready"),
    [
        pytest.param(_containers(False), _pods(), 1, 0, id="the-only-one"),
        pytest.param(_containers(False, False), _pods(count=2), 1, 0, id="both"),
        pytest.param(_containers(False, True), _pods(count=2), 0, 1, id="one-of-two"),
        pytest.param(_containers(True), _pods(), 0, 0, id="ready"),
        pytest.param(_containers(False), _pods(item="foreign.describe-pods:-@x"), 0, 1, id="others-may-be-unseen"),
        pytest.param(_containers(None, state=None), _pods(phase="Pending"), 1, 0, id="without-a-node"),
        pytest.param(_containers(None), _pods(), 0, 0, id="not-told"),
        pytest.param(_containers(False), _pods(deleting=True), 0, 0, id="going"),
        pytest.param(_containers(False), _pods(labels='{"app":"discovery"}'), 0, 0, id="an-application-of-that-name"),
        pytest.param(_containers(False, container="identity"), _pods(labels=LINKERD), 1, 0, id="linkerd"),
        pytest.param(_started(59), _pods(), 0, 0, id="starting"),
        pytest.param(_started(60), _pods(), 1, 0, id="stuck"),
    ],
)
def test_readiness(containers: pd.DataFrame, pods: pd.DataFrame, is_down: int, is_not_ready: int) -> None:
    assert len(outcome(down, containers=containers, pods=pods).findings) == is_down
    assert len(outcome(replica_not_ready, containers=containers, pods=pods).findings) == is_not_ready


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({"reason": "CrashLoopBackOff"}, 1, id="kubelet-says-so"),
        pytest.param({"restarts": 3, "last_exit_code": 2, "last_finished_at": NOON}, 1, id="three-failures"),
        pytest.param({"restarts": 2, "last_exit_code": 2, "last_finished_at": NOON}, 0, id="two"),
    ],
)
def test_crash_loop(values: dict[str, object], found: int) -> None:
    said = outcome(crash_loop, at=NOON, containers=_containers(True, **values), pods=_pods()).findings

    assert [each.severity for each in said] == [Severity.CRITICAL] * found


@pytest.mark.parametrize(("hours", "found"), [(1, 1), (25, 0)], ids=["an-hour-ago", "yesterday"])
def test_oom_killed(hours: int, found: int) -> None:
    ended: dict[str, Any] = {"last_reason": "OOMKilled", "last_finished_at": NOON - pd.Timedelta(hours=hours)}
    killed = _containers(True, memory_limit_bytes=2048 * MIB, **ended)

    said = outcome(oom_killed, at=NOON, containers=killed, pods=_pods()).findings

    assert [each.detail.split("limit ")[1] for each in said] == [
        "2048 MiB; what it used before was not captured"
    ] * found


@pytest.mark.parametrize(("minutes", "found"), [(15, 1), (16, 0)], ids=["inside-the-window", "before-it"])
def test_restarted(minutes: int, found: int) -> None:
    ended = _containers(True, last_finished_at=NOON - pd.Timedelta(minutes=minutes), last_reason="Error")

    assert len(outcome(restarted, at=NOON, containers=ended, pods=_pods()).findings) == found


@pytest.mark.parametrize(
    ("container", "share", "found"), [("discovery", 0.3, 1), ("discovery", 0.1, 0), ("istio-proxy", 0.9, 0)]
)
def test_throttled(container: str, share: float, found: int) -> None:
    one: dict[str, list[Any]] = {
        "namespace": ["istio-system"],
        "pod": ["istiod-0"],
        "container": [container],
    }

    assert (
        len(outcome(throttled, at=NOON, throttling=frame("throttling", **one, at=[NOON], share=[share])).findings)
        == found
    )


def _usage(**values: object) -> pd.DataFrame:
    given = {"namespace": "istio-system", "pod": "istiod-0", "container": "discovery", **values}
    return frame("usage", **{name: [value] for name, value in given.items()})


@pytest.mark.parametrize(
    ("share", "severity"), [(80, None), (81, Severity.WARNING), (96, Severity.ERROR)], ids=["at", "above", "all"]
)
def test_near_its_limits(share: int, severity: Severity | None) -> None:
    used = _usage(cpu_m=share, memory_bytes=share * MIB)
    limited = _containers(True, cpu_limit_m=100, memory_limit_bytes=100 * MIB)
    found = [severity] if severity else []

    for check in (cpu_near_limit, memory_near_limit):
        said = outcome(check, usage=used, containers=limited, pods=_pods()).findings
        assert [each.severity for each in said] == found
        assert outcome(check, usage=used, containers=limited, pods=_pods(labels="{}")).findings == ()


@pytest.mark.parametrize(
    ("used", "profile", "severity"),
    [
        pytest.param(500, "default", None, id="what-its-chart-requests"),
        pytest.param(501, "default", Severity.INFO, id="more"),
        pytest.param(501, "guide", Severity.WARNING, id="the-guides-citadel"),
    ],
)
def test_cpu_over_profile(used: int, profile: str, severity: Severity | None) -> None:
    said = outcome(cpu_over_profile, usage=_usage(cpu_m=used), profile=load_profile(profile)).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def _stats(resident: float, proxies: int | None) -> pd.DataFrame:
    names = ["process_resident_memory_bytes", *(["pilot_xds"] if proxies is not None else [])]
    return frame(
        "stats",
        namespace=["istio-system"] * len(names),
        pod=["istiod-0"] * len(names),
        name=names,
        real=[resident, *([float(proxies)] if proxies is not None else [])],
        item=["istiod.metrics:istio-system/istiod-0@unknown"] * len(names),
    )


@pytest.mark.parametrize(
    ("resident", "proxies", "profile", "severity"),
    [
        pytest.param(2.0e9, None, "default", None, id="at-the-level"),
        pytest.param(2.1e9, None, "default", Severity.INFO, id="above"),
        pytest.param(2.1e9, 2000, "default", None, id="two-thousand-proxies-explain-it"),
        pytest.param(2.1e9, 2000, "guide", Severity.WARNING, id="the-guides-number-is-absolute"),
        pytest.param(5.0e9, 10, "default", Severity.WARNING, id="far-above"),
    ],
)
def test_memory_over_profile(resident: float, proxies: int | None, profile: str, severity: Severity | None) -> None:
    said = outcome(memory_over_profile, stats=_stats(resident, proxies), profile=load_profile(profile)).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def test_the_working_set_is_preferred_to_what_istiod_says_of_itself() -> None:
    said = outcome(memory_over_profile, stats=_stats(5.0e9, 1), usage=_usage(memory_bytes=1000 * MIB)).findings

    assert said == ()


def test_without_their_tables_they_are_not_evaluated() -> None:
    pods = "not captured: containers; not captured: pods"
    checks = (
        down, replica_not_ready, crash_loop, oom_killed, restarted, throttled, cpu_near_limit, memory_near_limit,
        cpu_over_profile, memory_over_profile,
    )  # fmt: skip

    assert {check.id.split(".")[1]: outcome(check, at=NOON).not_evaluated for check in checks} == {
        "down": pods,
        "replica-not-ready": pods,
        "crash-loop": pods,
        "oom-killed": pods,
        "restarted": pods,
        "throttled": "not captured: throttling",
        "cpu-near-limit": f"not captured: usage; {pods}",
        "memory-near-limit": f"not captured: usage; {pods}",
        "cpu-over-profile": "not captured: usage",
        "memory-over-profile": "not captured: stats",
    }
