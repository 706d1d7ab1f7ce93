"""A series: a whole capture, samples, a whole capture, in one bundle."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from aiohttp import web

import meshforensics as mf
from meshforensics.capture import Options
from meshforensics.replay import Answer, Api, Ask, application, replay
from tests.capture.world import mesh, shipped, shop, take


def test_a_watch_is_two_whole_captures_and_samples_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("watch") / "series"
    with mesh(shipped("healthy"), monkeypatch):
        bundle = take(path, watch=2.0, every=1.0, namespaces=("risk",)).bundle

    found = Counter(item.kind for item in bundle.items if item.subject.startswith("risk/"))
    proxies = 2
    assert (found["envoy.config_dump"], found["log.istio-proxy"]) == (2 * proxies, 2 * proxies)
    assert (found["envoy.memory"], found["envoy.stats_prometheus"]) == (4 * proxies, 4 * proxies)
    times = [(item.subject, item.captured_at) for item in bundle.items if item.kind == "envoy.memory"]
    assert len(set(times)) == len(times)
    assert len(mf.open(path).over_time("pods").groupby("captured_at", observed=True)) >= 4


def test_a_watch_of_less_than_one_beat_has_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shipped("healthy"), monkeypatch):
        bundle = take(watch=0.1, every=1.0, pods=("risk/nobody",), budget=30).bundle

    assert Counter(item.kind for item in bundle.items)["istiod.metrics"] == 2


def test_all_of_a_sidecar_is_taken_when_its_memory_passes_its_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()

    def ask(otherwise: Ask, subject: str, port: int, method: str, target: str) -> Answer:
        """Memory that is too much from the second look on, for one of two proxies."""
        if target != "/memory":
            return otherwise(subject, port, method, target)
        asked[subject] += 1
        much = subject == "shop/web-000" and asked[subject] > 1
        return Answer(status=200, body=b'{"allocated": "%d"}' % (500 * 1024**2 if much else 1024))

    def change(api: Api) -> web.Application:
        return application(replace(api, ask=partial(ask, api.ask)))

    with replay(shop(2), change=change) as served:
        monkeypatch.setenv("KUBECONFIG", str(served.kubeconfig))
        bundle = take(watch=2.0, every=0.6).bundle

    dumps = [item for item in bundle.items if item.kind == "envoy.config_dump"]
    assert Counter(item.subject for item in dumps) == {"shop/web-000": 3, "shop/web-001": 2}
    assert [item.detail for item in dumps if item.detail] == [
        "taken because its memory passed 419430400 bytes: 524288000"
    ]


def test_one_capture_is_what_there_is_without_a_watch() -> None:
    assert (Options().watch, Options().every) == (0.0, 30.0)
