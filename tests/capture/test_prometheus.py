"""Ranges of a Prometheus that is asked by its address."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from aiohttp import web

import meshforensics as mf
from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.capture._prometheus import ALERTS, QUERIES, checked
from meshforensics.model import UsageError
from tests.capture.world import ROOT, by_name, mesh, on, said, serving, shop, take
from tests.replay.evidence import AT, listed, pod

AT_SECONDS = int(AT.timestamp())
_numbers = count(1)


@contextmanager
def prometheus() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers each query but one, and what it was asked."""
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        if "pilot_xds)" in request.query["query"]:
            return web.json_response({"status": "error", "errorType": "bad_data", "error": "no"}, status=422)
        series = {"metric": {"pod": "web-0"}, "values": [[AT_SECONDS, "1.5"]]}
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": [series]}})

    app = web.Application()
    app.router.add_get("/prom/api/v1/query_range", answer)
    with serving(app) as address:
        yield f"{address}/prom/", asked


def test_each_query_is_an_item_and_its_samples_a_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("prometheus") / "bundle"
    with prometheus() as (url, asked), mesh(shop(), monkeypatch):
        bundle = take(path, prometheus=url, window=7200.0).bundle

    answered = {query.id for query in (*QUERIES, *ALERTS)} - {"connected"}
    assert set(mf.open(path).samples["query"]) == answered
    assert said(bundle, "prometheus.range", "connected") == ("failed", "not-the-form")
    assert by_name(bundle)["prometheus.range", "connected"].detail.startswith("HTTP 422: ")
    assert {each["step"] for each in asked} == {"30"}
    assert all(abs(float(each["end"]) - float(each["start"]) - 7200) < 0.01 for each in asked)
    assert abs(float(asked[0]["end"]) - AT_SECONDS) < 60  # by the clock of the cluster
    assert any("[60s]" in each["query"] for each in asked)


def service(name: str, namespace: str, label: str, *ports: tuple[str, int]) -> dict[str, Any]:
    key, _, value = label.partition("=")
    spec = {"ports": [{"name": name, "port": port} for name, port in ports]}
    return {"metadata": {"name": name, "namespace": namespace, "labels": {key: value}}, "spec": spec}


def monitored(*services: dict[str, Any]) -> Bundle:
    """A mesh with Services."""
    with BundleWriter(f"memory://tests-monitored/{next(_numbers)}", mesh="lab", layout="test") as writer:
        for kind, plural, objects in (("Pod", "pods", (pod("web-0"),)), ("Service", "services", services)):
            writer.add(f"kubernetes.{plural}", "-", listed(kind, *objects), captured_at=AT, time_source="Date")
        return writer.seal()


@pytest.mark.parametrize(
    ("prometheus", "services", "path"),
    [
        pytest.param("monitoring/prometheus:9090", (), "monitoring/services/prometheus:9090", id="as-said"),
        pytest.param(
            "auto",
            (
                service("a", "monitoring", "app=prometheus", ("http", 80)),
                service("own", "istio-system", "app=prometheus", ("grpc", 10901), ("http", 9090)),
            ),
            "istio-system/services/own:9090",
            id="found",
        ),
        pytest.param(
            "auto",
            (service("k8s", "monitoring", "operated-prometheus=true", ("web", 9090)),),
            "monitoring/services/k8s:9090",
            id="found-as-the-operator-labels-it",
        ),
    ],
)
def test_a_service_is_asked_through_the_api_server(
    prometheus: str, services: tuple[dict[str, Any], ...], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = {"metric": {"pod": "web-0"}, "values": [[AT_SECONDS, "1.5"]]}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": [series]}})

    with mesh(monitored(*services), monkeypatch, on("/proxy/api/v1/query_range", answer)) as asked:
        bundle = take(prometheus=prometheus).bundle

    assert said(bundle, "prometheus.range", "requests") == ("captured", None)
    assert set(asked.paths("/query_range")) == {f"/api/v1/namespaces/{path}/proxy/api/v1/query_range"}


def test_where_no_service_is_found_the_items_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(monitored(), monkeypatch):
        bundle = take(prometheus="auto").bundle

    assert said(bundle, "prometheus.range", "requests") == ("failed", "not-in-source")
    assert by_name(bundle)["prometheus.range", "requests"].detail.startswith("no Service is labelled ")


def test_every_query_is_documented() -> None:
    page = (ROOT / "docs" / "capture.md").read_text(encoding="utf-8")

    assert [query.id for query in QUERIES if f"| `{query.id}` | {query.about} |" not in page] == []
    assert [query.id for query in QUERIES if query.expression.replace("|", "\\|") not in page] == []


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "ftp://x", "http://", "http://x/?query=up"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked(url)


def test_queries_have_ids_of_their_own() -> None:
    assert len({query.id for query in QUERIES}) == len(QUERIES)
