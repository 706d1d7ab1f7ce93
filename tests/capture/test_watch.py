"""A series: a whole capture, samples, a whole capture, in one bundle."""

from collections import Counter

import pytest

import meshforensics as mf
from meshforensics.capture import Options
from tests.capture.world import mesh, shipped, take


def test_a_watch_is_two_whole_captures_and_samples_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("watch") / "series"
    with mesh(shipped("healthy"), monkeypatch):
        bundle = take(path, watch=2.0, every=1.0, namespaces=("ops",)).bundle

    found = Counter(item.kind for item in bundle.items if item.subject.startswith("ops/"))
    assert (found["envoy.config_dump"], found["log.istio-proxy"]) == (2, 2)
    assert (found["envoy.memory"], found["envoy.stats_prometheus"]) == (4, 4)
    times = [item.captured_at for item in bundle.items if item.kind == "envoy.memory"]
    assert len(set(times)) == len(times)
    assert len(mf.open(path).over_time("pods").groupby("captured_at", observed=True)) >= 4


def test_a_watch_of_less_than_one_beat_has_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shipped("healthy"), monkeypatch):
        bundle = take(watch=0.1, every=1.0, pods=("ops/nobody",), budget=30).bundle

    assert Counter(item.kind for item in bundle.items)["istiod.metrics"] == 2


def test_one_capture_is_what_there_is_without_a_watch() -> None:
    assert (Options().watch, Options().every) == (0.0, 30.0)
