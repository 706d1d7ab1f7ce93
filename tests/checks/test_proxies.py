"""Phase 1: proxies that are not up, or did not stay up."""

import pandas as pd
import pytest

from meshforensics.checks.proxies import (
    crash_loop,
    injection_fails,
    memory_grows,
    not_live,
    not_ready,
    oom_killed,
    pods_refused,
    restarted,
)
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
MIB = 1024 * 1024
STARTING = {"ready": False, "state": "running", "captured_at": NOON}


def _container(**values: object) -> pd.DataFrame:
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


@pytest.mark.parametrize(("state", "found"), [("INITIALIZING", 1), ("LIVE", 0), ("DRAINING", 0), (None, 0)])
def test_not_live(state: str | None, found: int) -> None:
    proxies = frame("proxies", namespace=["shop"], pod=["web-1"], state=[state])

    assert len(outcome(not_live, proxies=proxies).findings) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({}, 1, id="grows"),
        pytest.param({"rises": False}, 0, id="not-significant"),
        pytest.param({"slope_low": 1.9 * MIB}, 0, id="too-slow"),
        pytest.param({"samples": 5}, 0, id="too-few-samples"),
    ],
)
def test_memory_grows(values: dict[str, object], found: int) -> None:
    given = {
        "namespace": "shop",
        "pod": "web-1",
        "samples": 6,
        "span_s": 7200.0,
        "first_bytes": 10 * MIB,
        "last_bytes": 40 * MIB,
        "median_bytes": 25 * MIB,
        "slope_low": 14.0 * MIB,
        "rises": True,
        "evidence": (("memory:shop/web-1@t0", ""), ("memory:shop/web-1@t1", "")),
        **values,
    }

    said = outcome(memory_grows, growth_over_time=frame("growth", **{name: [value] for name, value in given.items()}))

    assert [each.evidence_total for each in said.findings] == [2] * found


def test_without_their_tables_they_are_not_evaluated() -> None:
    reasons = {
        check.id: outcome(check, at=NOON).not_evaluated
        for check in (not_ready, crash_loop, oom_killed, restarted, not_live, memory_grows)
    }

    assert reasons == {
        "proxies.not-ready": "not captured: containers; not captured: pods",
        "proxies.crash-loop": "not captured: containers",
        "proxies.oom-killed": "not captured: containers",
        "proxies.restarted": "not captured: containers",
        "proxies.not-live": "not captured: proxies",
        "proxies.memory-grows": "not captured: growth",
    }


DENIED = 'Error creating: admission webhook "policy.example.com" denied the request: NET_ADMIN'
NO_INJECTOR = (
    'Error creating: Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": '
    'Post "https://istiod.istio-system.svc:443/inject": no endpoints available for service "istiod"'
)


def _events(*messages: str, at: pd.Timestamp = NOON, reason: str = "FailedCreate") -> pd.DataFrame:
    return frame(
        "events",
        event=[f"shop/web-{number}.1" for number in range(len(messages))],
        at=[at] * len(messages),
        reason=[reason] * len(messages),
        object=[f"ReplicaSet:shop/web-{number}" for number in range(len(messages))],
        message=list(messages),
    )


def test_pods_that_one_policy_refuses_are_one_finding() -> None:
    said = outcome(pods_refused, at=NOON, events=_events(DENIED, DENIED, "Error creating: exceeded quota: small"))

    assert sorted(each.subjects for each in said.findings) == [
        ("ReplicaSet:shop/web-0", "ReplicaSet:shop/web-1"),
        ("ReplicaSet:shop/web-2",),
    ]


def test_an_injector_that_does_not_answer_is_told_apart() -> None:
    events = _events(DENIED, NO_INJECTOR)

    refused = outcome(pods_refused, at=NOON, events=events)
    silent = outcome(injection_fails, at=NOON, events=events)

    assert [each.subjects for each in refused.findings] == [("ReplicaSet:shop/web-0",)]
    assert [(each.subjects, each.severity) for each in silent.findings] == [(("ReplicaSet:shop/web-1",), "error")]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param(_events(DENIED, at=NOON - pd.Timedelta(seconds=1200)), 1, id="tries-again-after-1000-s"),
        pytest.param(_events(DENIED, at=NOON - pd.Timedelta(seconds=1201)), 0, id="long-ago"),
        pytest.param(_events(DENIED, reason="SuccessfulCreate"), 0, id="created"),
        pytest.param(_events(), 0, id="no-events"),
    ],
)
def test_pods_refused(events: pd.DataFrame, found: int) -> None:
    assert len(outcome(pods_refused, at=NOON, events=events).findings) == found


def test_without_events_nothing_is_said_of_refused_pods() -> None:
    assert outcome(pods_refused, at=NOON).not_evaluated == "not captured: events"
    assert outcome(injection_fails, at=NOON).not_evaluated == "not captured: events"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        pytest.param(0.98, "98% of the requests begun meanwhile have not ended", id="known"),
        pytest.param(None, "how many of its requests ended is not known", id="unknown"),
    ],
)
def test_memory_grows_is_said_in_units_that_one_reads(share: float | None, said: str) -> None:
    rows = frame("growth", namespace=["shop"], pod=["web-1"], samples=[12], span_s=[79.4], first_bytes=[8 * 2**20],
                 last_bytes=[80 * 2**20], median_bytes=[44 * 2**20], slope_low=[3.0e9], rises=[True],
                 unfinished_share=[share])  # fmt: skip

    found = outcome(memory_grows, growth_over_time=rows).findings

    assert [each.detail for each in found] == [
        f"shop/web-1 grew from 8.0 to 80.0 MiB live in 79 s (12 samples); {said}"
    ]
