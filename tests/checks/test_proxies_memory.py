"""Memory of proxies: against limits, load, siblings, heap and time."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks.proxies_memory import (
    memory_above_siblings,
    memory_grows,
    memory_near_limit,
    memory_outside_heap,
    memory_over_profile,
    memory_retained,
)
from meshforensics.model import Severity
from meshforensics.profile import load_profile
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames
from tests.conftest import Opened

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
MIB = 1024 * 1024


def _usage(*mib: float, container: str = "istio-proxy") -> pd.DataFrame:
    """A sample of as many pods of one workload."""
    count = len(mib)
    return frame(
        "usage",
        namespace=["shop"] * count,
        pod=[f"web-{number}" for number in range(count)],
        container=[container] * count,
        memory_bytes=[int(size * MIB) for size in mib],
    )


def _containers(*limits_mib: int | None, container: str = "istio-proxy") -> pd.DataFrame:
    count = len(limits_mib)
    return frame(
        "containers",
        namespace=["shop"] * count,
        pod=[f"web-{number}" for number in range(count)],
        container=[container] * count,
        memory_limit_bytes=[None if limit is None else limit * MIB for limit in limits_mib],
    )


def _pods(count: int, workload: str | None = "Deployment:shop/web") -> pd.DataFrame:
    names = [f"web-{number}" for number in range(count)]
    return frame("pods", namespace=["shop"] * count, pod=names, workload=[workload] * count)


@pytest.mark.parametrize(
    ("used", "limit", "severity"),
    [
        pytest.param(80, 100, None, id="four-fifths-are-the-limit"),
        pytest.param(81, 100, Severity.WARNING, id="above"),
        pytest.param(96, 100, Severity.ERROR, id="about-to-be-killed"),
        pytest.param(5000, None, None, id="no-limit"),
        pytest.param(400, 1024, None, id="much-and-far-from-the-limit"),
    ],
)
def test_memory_near_limit(used: float, limit: int | None, severity: Severity | None) -> None:
    said = outcome(memory_near_limit, usage=_usage(used), containers=_containers(limit)).findings

    assert [(each.severity, each.subjects) for each in said] == ([(severity, ("shop/web-0",))] if severity else [])


def test_proxies_near_the_same_limit_are_one_finding() -> None:
    said = outcome(memory_near_limit, usage=_usage(90, 91, 20), containers=_containers(100, 100, 100)).findings

    assert [each.subjects for each in said] == [("shop/web-0", "shop/web-1")]


def test_an_application_is_no_proxy() -> None:
    said = outcome(
        memory_near_limit, usage=_usage(99, container="web"), containers=_containers(100, container="web")
    ).findings

    assert said == ()


@pytest.mark.parametrize(
    ("used", "clusters", "profile", "severity"),
    [
        pytest.param(300, 0, "default", None, id="at-the-level"),
        pytest.param(301, 0, "default", Severity.INFO, id="above-what-is-usual"),
        pytest.param(501, 0, "default", Severity.WARNING, id="far-above"),
        pytest.param(600, 6400, "default", None, id="its-configuration-explains-it"),
        pytest.param(600, 6400, "guide", Severity.CRITICAL, id="the-guides-numbers-are-absolute"),
        pytest.param(301, 0, "guide", Severity.WARNING, id="the-guides-warning"),
    ],
)
def test_memory_over_profile(used: float, clusters: int, profile: str, severity: Severity | None) -> None:
    held = frame("cluster_instances", namespace=["shop"] * clusters, pod=["web-0"] * clusters)

    said = outcome(
        memory_over_profile, usage=_usage(used), cluster_instances=held, profile=load_profile(profile)
    ).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def test_memory_over_profile_says_what_is_not_known() -> None:
    said = outcome(memory_over_profile, usage=_usage(400)).findings

    detail = (
        "1 pod: istio-proxy of shop/web-0 uses 400 MiB, 0 MiB of it for its load: "
        "unknown clusters held, unknown connections open, unknown requests served"
    )
    assert [each.detail for each in said] == [detail]


def _connections(*open_now: int) -> pd.DataFrame:
    count = len(open_now)
    return frame(
        "stats",
        namespace=["shop"] * count,
        pod=[f"web-{number}" for number in range(count)],
        name=["envoy_http_downstream_cx_active"] * count,
        labels=['{"envoy_http_conn_manager_prefix":"inbound_0.0.0.0_80"}'] * count,
        value=list(open_now),
        real=[float(each) for each in open_now],
        captured_at=[NOON] * count,
        item=["envoy.stats_prometheus:shop/web@unknown"] * count,
    )


@pytest.mark.parametrize(
    ("used", "connections", "workload", "found"),
    [
        pytest.param((60, 61, 62, 260), None, "Deployment:shop/web", 1, id="four-times-its-siblings"),
        pytest.param((60, 61, 62, 260), (5, 5, 5, 6), "Deployment:shop/web", 1, id="with-the-same-load"),
        pytest.param((60, 61, 62, 260), (5, 5, 5, 50), "Deployment:shop/web", 0, id="its-connections-explain-it"),
        pytest.param((60, 60, 60, 180), None, "Deployment:shop/web", 0, id="three-times-is-the-limit"),
        pytest.param((10, 10, 10, 70), None, "Deployment:shop/web", 0, id="a-small-difference"),
        pytest.param((60, 260), None, "Deployment:shop/web", 0, id="one-sibling-shows-nothing"),
        pytest.param((60, 61, 62, 260), None, None, 0, id="no-workload"),
    ],
)
def test_memory_above_siblings(
    used: tuple[float, ...], connections: tuple[int, ...] | None, workload: str | None, found: int
) -> None:
    given = {"usage": _usage(*used), "pods": _pods(len(used), workload)}
    stats = {} if connections is None else {"stats": _connections(*connections)}

    said = said_of_frames(memory_above_siblings, {**given, **stats}).findings

    assert [each.subjects for each in said] == [(f"shop/web-{len(used) - 1}",)] * found


def _memory(heap: int, live: int | None, physical: int | None = None) -> pd.DataFrame:
    return frame(
        "memory",
        namespace=["shop"],
        pod=["web-0"],
        heap_size=[heap * MIB],
        allocated=[None if live is None else live * MIB],
        total_physical_bytes=[None if physical is None else physical * MIB],
    )


@pytest.mark.parametrize(
    ("memory", "found"),
    [
        pytest.param(_memory(201, 100), 1, id="more-than-half-of-a-large-heap"),
        pytest.param(_memory(400, 200), 0, id="half"),
        pytest.param(_memory(200, 10), 0, id="a-small-heap"),
        pytest.param(_memory(900, 800), 0, id="large-and-live"),
        pytest.param(_memory(900, None), 0, id="live-is-not-told"),
    ],
)
def test_memory_retained(memory: pd.DataFrame, found: int) -> None:
    assert len(outcome(memory_retained, memory=memory).findings) == found


@pytest.mark.parametrize(
    ("used", "memory", "found"),
    [
        pytest.param(400, _memory(100, 90, 110), 1, id="most-of-it-is-not-envoys"),
        pytest.param(366, _memory(100, 90, 110), 0, id="256-MiB-are-the-limit"),
        pytest.param(400, _memory(100, 90), 1, id="resident-not-told-then-the-heap"),
        pytest.param(400, _memory(300, 20, 320), 0, id="a-heap-that-nothing-uses-is-envoys"),
    ],
)
def test_memory_outside_heap(used: float, memory: pd.DataFrame, found: int) -> None:
    assert len(outcome(memory_outside_heap, usage=_usage(used), memory=memory).findings) == found


def _growth(**values: object) -> pd.DataFrame:
    given = {
        "namespace": "shop",
        "pod": "web-1",
        "samples": 12,
        "span_s": 7200.0,
        "first_bytes": 8 * MIB,
        "last_bytes": 80 * MIB,
        "median_bytes": 44 * MIB,
        "slope": 15.0 * MIB,
        "slope_low": 14.0 * MIB,
        "rises": True,
        "evidence": (("memory:shop/web-1@t0", ""), ("memory:shop/web-1@t1", "")),
        **values,
    }
    return frame("growth", **{name: [value] for name, value in given.items()})


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({}, 1, id="grows"),
        pytest.param({"rises": False}, 0, id="not-significant"),
        pytest.param({"slope_low": 1.9 * MIB}, 0, id="too-slow"),
        pytest.param({"samples": 5}, 0, id="too-few-samples"),
        pytest.param({"last_bytes": 9 * MIB}, 0, id="noise"),
    ],
)
def test_memory_grows(values: dict[str, object], found: int) -> None:
    said = outcome(memory_grows, growth_over_time=_growth(**values))

    assert [each.evidence_total for each in said.findings] == [2] * found


@pytest.mark.parametrize(
    ("share", "said"),
    [
        pytest.param(0.98, "98% of the requests begun meanwhile have not ended", id="known"),
        pytest.param(None, "how many of its requests ended is not known", id="unknown"),
    ],
)
def test_memory_grows_is_said_in_units_that_one_reads(share: float | None, said: str) -> None:
    found = outcome(memory_grows, growth_over_time=_growth(unfinished_share=share)).findings

    assert [each.detail for each in found] == [
        f"1 proxy: shop/web-1 grew from 8.0 to 80.0 MiB live in 7200 s (12 samples); {said}"
    ]


def test_proxies_that_grow_alike_are_one_finding() -> None:
    grown = pd.concat([_growth(pod="web-1"), _growth(pod="web-2"), _growth(pod="web-3", unfinished_share=0.9)])

    said = outcome(memory_grows, growth_over_time=grown).findings

    assert [each.subjects for each in said] == [("shop/web-1", "shop/web-2"), ("shop/web-3",)]


def test_a_real_series_uses_far_less_than_its_limits(captures: Path, opened: Opened) -> None:
    leak = opened(captures / "memory-leak")
    found = {each.check for each in leak.findings if each.check.startswith("proxies.memory")}

    assert found == {"proxies.memory-grows"}
    assert "proxies.memory-near-limit" not in {each.check for each in leak.not_evaluated}


def test_without_their_tables_they_are_not_evaluated() -> None:
    checks = (
        memory_near_limit, memory_over_profile, memory_above_siblings, memory_retained, memory_outside_heap,
        memory_grows,
    )  # fmt: skip
    reasons = {check.id: outcome(check, at=NOON).not_evaluated for check in checks}

    assert reasons == {
        "proxies.memory-near-limit": "not captured: usage; not captured: containers",
        "proxies.memory-over-profile": "not captured: usage",
        "proxies.memory-above-siblings": "not captured: usage; not captured: pods",
        "proxies.memory-retained": "not captured: memory",
        "proxies.memory-outside-heap": "not captured: usage; not captured: memory",
        "proxies.memory-grows": "not captured: growth",
    }
