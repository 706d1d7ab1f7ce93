"""Telemetry: series per proxy and family."""

import pandas as pd
import pytest

from meshforensics.checks.control_plane_telemetry import many_series
from meshforensics.model import Severity
from meshforensics.profile import Profile, load_profile
from meshforensics.testing import frame, outcome


@pytest.fixture(scope="module")
def small() -> Profile:
    """A profile with small levels, so that a test need not make ten thousand rows."""
    profile = load_profile()
    threshold = profile.threshold("telemetry.series")
    levels = type(threshold)(unit="series", direction="above", levels={"info": 10, "warning": 50}, source="test")
    return Profile(
        name="small",
        sha256="0" * 64,
        thresholds={**profile.thresholds, "telemetry.series": levels},
        numbers=profile.numbers,
        muted=(),
    )


def _stats(pod: str, *families: tuple[str, int], kind: str = "envoy.stats_prometheus") -> pd.DataFrame:
    names = [name for name, count in families for _ in range(count)]
    return frame(
        "stats",
        namespace=["shop"] * len(names),
        pod=[pod] * len(names),
        name=names,
        item=[f"{kind}:shop/{pod}@unknown"] * len(names),
    )


REQUESTS, OTHER = "istio_requests_total", "envoy_server_uptime"


@pytest.mark.parametrize(
    ("count", "severity"), [(9, None), (10, Severity.INFO), (50, Severity.WARNING)], ids=["at", "above", "far-above"]
)
def test_many_series(small: Profile, count: int, severity: Severity | None) -> None:
    said = outcome(many_series, stats=_stats("web-1", (REQUESTS, count), (OTHER, 1)), profile=small).findings

    assert [(each.severity, each.detail.split(", ")[2]) for each in said] == (
        [(severity, f"{count} of them of {REQUESTS}")] if severity else []
    )


def test_proxies_of_the_same_family_are_one_finding(small: Profile) -> None:
    stats = pd.concat([_stats("web-1", (REQUESTS, 20)), _stats("web-2", (REQUESTS, 30)), _stats("web-3", (OTHER, 5))])

    said = outcome(many_series, stats=stats, profile=small).findings

    assert [each.subjects for each in said] == [("shop/web-1", "shop/web-2")]


def test_buckets_are_series_too_and_istiods_are_not_a_proxys(small: Profile) -> None:
    buckets = frame(
        "histograms",
        namespace=["shop"] * 8,
        pod=["web-1"] * 8,
        name=["istio_request_duration_milliseconds"] * 8,
        item=["envoy.stats_prometheus:shop/web-1@unknown"] * 8,
    )
    stats = pd.concat([_stats("web-1", (REQUESTS, 3)), _stats("istiod-1", (OTHER, 90), kind="istiod.metrics")])

    said = outcome(many_series, stats=stats, histograms=buckets, profile=small).findings

    assert [(each.subjects, each.observed and each.observed.value) for each in said] == [(("shop/web-1",), 11)]


def test_names_of_the_text_form_belong_to_one_family(small: Profile) -> None:
    names = tuple((f"cluster.outbound|{port}||a.shop.upstream_rq_total", 1) for port in range(12))

    said = outcome(many_series, stats=_stats("web-1", *names, kind="envoy.stats"), profile=small).findings

    assert [each.detail.split(", ")[2] for each in said] == ["12 of them of cluster.….upstream_rq_total"]


def test_without_stats_it_is_not_evaluated() -> None:
    assert outcome(many_series).not_evaluated == "not captured: stats"
