"""Phase 1: proxies that are not up, or did not stay up."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.proxies import crash_loop, draining, not_live, not_ready, oom_killed, restarted
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
MIB = 1024 * 1024
PROBE = "http-get http://:15021/healthz/ready"
STARTING = {"ready": False, "state": "running", "captured_at": NOON}


def _container(**values: Any) -> pd.DataFrame:
    given = {"namespace": "shop", "pod": "web-1", "container": "istio-proxy", "ready": True, "restarts": 0, **values}
    return frame("containers", **{name: [value] for name, value in given.items()})


def _pods(phase: str = "Running", deleting: object = False) -> pd.DataFrame:
    return frame("pods", namespace=["shop"], pod=["web-1"], phase=[phase], deleting=[deleting])


@pytest.mark.parametrize(
    ("container", "pods", "found"),
    [
        pytest.param({"ready": False, "state": "running"}, _pods(), 1, id="not-ready"),
        pytest.param({**STARTING, "started_at": NOON - pd.Timedelta(seconds=60)}, _pods(), 1, id="a-minute-old"),
        pytest.param({**STARTING, "started_at": NOON - pd.Timedelta(seconds=59)}, _pods(), 0, id="just-starting"),
        pytest.param(
            {**STARTING, "started_at": NOON - pd.Timedelta(seconds=5), "last_exit_code": 1},
            _pods(),
            1,
            id="after-a-crash",
        ),
        pytest.param({"ready": True}, _pods(), 0, id="ready"),
        pytest.param({"ready": None}, _pods(), 0, id="not-told"),
        pytest.param({"ready": False}, _pods("Succeeded"), 0, id="a-finished-job"),
        pytest.param({"ready": False}, _pods(deleting=True), 0, id="being-deleted"),
        pytest.param({"ready": False, "container": "app"}, _pods(), 0, id="not-the-proxy"),
    ],
)
def test_not_ready(container: dict[str, object], pods: pd.DataFrame, found: int) -> None:
    said = outcome(not_ready, containers=_container(**container), pods=pods)

    assert [each.subjects for each in said.findings] == [("shop/web-1",)] * found


@pytest.mark.parametrize(
    ("container", "found"),
    [
        pytest.param({"reason": "CrashLoopBackOff", "restarts": 1}, 1, id="kubelet-says-so"),
        pytest.param(
            {"restarts": 3, "last_exit_code": 1, "last_reason": "Error", "last_finished_at": NOON},
            1,
            id="three-failures",
        ),
        pytest.param(
            {"restarts": 2, "last_exit_code": 1, "last_reason": "Error", "last_finished_at": NOON}, 0, id="two"
        ),
        pytest.param(
            {"restarts": 9, "last_exit_code": 255, "last_reason": "Unknown", "last_finished_at": NOON},
            0,
            id="node-gone",
        ),
        pytest.param(
            {"restarts": 5, "last_exit_code": 0, "last_reason": "Completed", "last_finished_at": NOON}, 0, id="orderly"
        ),
        pytest.param(
            {
                "restarts": 5,
                "last_exit_code": 1,
                "last_reason": "Error",
                "last_finished_at": NOON - pd.Timedelta(days=3),
            },
            0,
            id="days-ago",
        ),
    ],
)
def test_crash_loop(container: dict[str, object], found: int) -> None:
    assert len(outcome(crash_loop, at=NOON, containers=_container(**container)).findings) == found


@pytest.mark.parametrize(
    ("container", "found"),
    [
        pytest.param({"last_reason": "OOMKilled", "last_finished_at": NOON}, 1, id="just-now"),
        pytest.param({"reason": "OOMKilled"}, 1, id="still-down"),
        pytest.param(
            {"last_reason": "OOMKilled", "last_finished_at": NOON - pd.Timedelta(hours=25)}, 0, id="yesterday"
        ),
        pytest.param(
            {"last_reason": "Error", "last_exit_code": 137, "last_finished_at": NOON}, 0, id="killed-otherwise"
        ),
    ],
)
def test_oom_killed(container: dict[str, object], found: int) -> None:
    assert len(outcome(oom_killed, at=NOON, containers=_container(**container)).findings) == found


@pytest.mark.parametrize(("ago", "found"), [(15, 1), (16, 0)], ids=["inside-the-window", "before-it"])
def test_restarted(ago: int, found: int) -> None:
    container = _container(last_finished_at=NOON - pd.Timedelta(minutes=ago), last_reason="Completed", restarts=1)

    assert len(outcome(restarted, at=NOON, containers=container).findings) == found


@pytest.mark.parametrize(
    ("container", "message", "said"),
    [
        pytest.param(
            {"state": "running", "readiness_probe": PROBE},
            'Readiness probe failed: Get "http://10.1.2.3:15021/healthz/ready": connect: connection refused',
            f'readiness probe {PROBE} failed: Get "http://…:15021/healthz/ready": connect: connection refused',
            id="what-the-probe-got-without-the-address",
        ),
        pytest.param(
            {"state": "running", "readiness_probe": PROBE},
            None,
            f"readiness probe {PROBE} has not passed",
            id="no-event",
        ),
        pytest.param(
            {"state": "running", "started": False, "startup_probe": PROBE, "readiness_probe": "other"},
            "Startup probe failed: HTTP probe failed with statuscode: 503",
            f"startup probe {PROBE} failed: HTTP probe failed with statuscode: 503",
            id="a-native-sidecar-that-has-not-started",
        ),
        pytest.param(
            {"state": "waiting", "reason": "ImagePullBackOff"}, None, "it is waiting: ImagePullBackOff", id="no-image"
        ),
    ],
)
def test_not_ready_says_which_probe(container: dict[str, object], message: str | None, said: str) -> None:
    told: dict[str, list[Any]] = {"namespace": ["shop"], "name": ["web-1"], "reason": ["Unhealthy"], "at": [NOON]}
    events = {"events": frame("events", **told, message=[message])} if message else {}
    given = {"containers": _container(ready=False, **container), "pods": _pods()}

    found = said_of_frames(not_ready, {**given, **events}).findings

    assert [each.observed and each.observed.value for each in found] == [said]


def test_sidecars_that_wait_for_the_same_are_one_finding() -> None:
    count = 1000
    names = [f"web-{number}" for number in range(count)]
    one = {"namespace": ["shop"] * count, "pod": names}
    containers = frame(
        "containers", **one, container=["istio-proxy"] * count, ready=[False] * count, state=["running"] * count
    )
    pods = frame("pods", **one, phase=["Running"] * count)

    assert [len(each.subjects) for each in outcome(not_ready, containers=containers, pods=pods).findings] == [count]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        pytest.param({}, "what it used before was not captured", id="no-usage"),
        pytest.param(
            {"usage_over_time": [(NOON - pd.Timedelta(minutes=9), 900), (NOON + pd.Timedelta(minutes=1), 50)]},
            "last seen with a working set of 900 MiB at 2026-01-01T11:51:00Z",
            id="the-last-before-it-ended",
        ),
        pytest.param(
            {"memory_over_time": [(NOON - pd.Timedelta(minutes=3), 700)]},
            "last seen with a heap of 700 MiB at 2026-01-01T11:57:00Z",
            id="envoys-own-page",
        ),
    ],
)
def test_oom_killed_says_limit_and_last_usage(tables: dict[str, list[tuple[pd.Timestamp, int]]], said: str) -> None:
    container = _container(last_reason="OOMKilled", last_finished_at=NOON, memory_limit_bytes=1024 * MIB)
    frames = {}
    for name, samples in tables.items():
        table, column = ("usage", "memory_bytes") if name.startswith("usage") else ("memory", "heap_size")
        held: dict[str, list[Any]] = {column: [size * MIB for _, size in samples]}
        held["captured_at"] = [at for at, _ in samples]
        own = {"container": ["istio-proxy"] * len(samples)} if table == "usage" else {}
        pods = {"namespace": ["shop"] * len(samples), "pod": ["web-1"] * len(samples)}
        frames[name] = frame(table, **pods, **held, **own)

    found = said_of_frames(oom_killed, {"containers": container, **frames}).findings

    assert [each.detail for each in found] == [
        f"1 pod: istio-proxy of shop/web-1 was OOM-killed at 2026-01-01T12:00:00Z, limit 1024 MiB; {said}"
    ]


@pytest.mark.parametrize(
    ("before", "ago", "times"),
    [
        pytest.param(3, 60, None, id="no-restart-between-the-samples"),
        pytest.param(1, 60, 2, id="two-restarts-between-the-samples"),
        pytest.param(1, 5, 2, id="and-the-newest-end-is-inside"),
        pytest.param(None, 5, 1, id="one-sample-and-the-end-is-inside"),
    ],
)
def test_restarts_inside_the_window_are_counted(before: int | None, ago: int, times: int | None) -> None:
    ended = NOON - pd.Timedelta(minutes=ago)
    now = _container(last_finished_at=ended, restarts=3, last_reason="Error", last_exit_code=1, captured_at=NOON)
    frames = {}
    if before is not None:
        earlier = _container(restarts=before, captured_at=NOON - pd.Timedelta(minutes=10))
        frames["containers_over_time"] = pd.concat([earlier, now], ignore_index=True)

    found = said_of_frames(restarted, {"containers": now, **frames}).findings

    assert [each.observed and each.observed.value for each in found] == ([] if times is None else [times])


def _states(state: str | None, uptime: float | None = 300.0) -> pd.DataFrame:
    return frame("proxy_states", namespace=["shop"], pod=["web-1"], state=[state], uptime_s=[uptime])


@pytest.mark.parametrize(
    ("states", "found"),
    [
        pytest.param(_states("INITIALIZING"), 1, id="initializing"),
        pytest.param(_states("PRE_INITIALIZING"), 1, id="pre-initializing"),
        pytest.param(_states("PRE_INITIALIZING", None), 1, id="for-an-unknown-time"),
        pytest.param(_states("PRE_INITIALIZING", 60.0), 1, id="for-a-minute"),
        pytest.param(_states("PRE_INITIALIZING", 59.0), 0, id="just-starting"),
        pytest.param(_states("LIVE"), 0, id="live"),
        pytest.param(_states("DRAINING"), 0, id="draining"),
    ],
)
def test_not_live(states: pd.DataFrame, found: int) -> None:
    assert len(outcome(not_live, proxy_states=states, at=NOON).findings) == found


def test_not_live_says_what_is_awaited() -> None:
    targets = frame("init_targets", namespace=["shop"], pod=["web-1"], manager=["Server"], target=["LDS"])

    said = outcome(not_live, proxy_states=_states("PRE_INITIALIZING"), init_targets=targets).findings

    assert [each.detail for each in said] == ["1 proxy says PRE_INITIALIZING; waits for LDS"]


@pytest.mark.parametrize(
    ("states", "pods", "found"),
    [
        pytest.param(_states("DRAINING"), _pods(), 1, id="in-a-pod-that-stays"),
        pytest.param(_states("DRAINING"), _pods(deleting=True), 0, id="being-deleted"),
        pytest.param(_states("DRAINING"), _pods("Succeeded"), 0, id="finished"),
        pytest.param(_states("DRAINING"), _pods(deleting=None), 0, id="not-told-whether-it-stays"),
        pytest.param(_states("LIVE"), _pods(), 0, id="live"),
    ],
)
def test_draining(states: pd.DataFrame, pods: pd.DataFrame, found: int) -> None:
    assert len(outcome(draining, proxy_states=states, pods=pods).findings) == found


def test_without_their_tables_they_are_not_evaluated() -> None:
    reasons = {
        check.id: outcome(check, at=NOON).not_evaluated
        for check in (not_ready, crash_loop, oom_killed, restarted, not_live, draining)
    }

    assert reasons == {
        "proxies.not-ready": "not captured: containers; not captured: pods",
        "proxies.crash-loop": "not captured: containers",
        "proxies.oom-killed": "not captured: containers",
        "proxies.restarted": "not captured: containers",
        "proxies.not-live": "not captured: proxy_states",
        "proxies.draining": "not captured: proxy_states; not captured: pods",
    }
