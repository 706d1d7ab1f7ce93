"""Ranges of a Prometheus that is asked by its address."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

import meshforensics as mf
from meshforensics.capture._prometheus import ALERTS, QUERIES, checked
from meshforensics.model import UsageError
from tests.capture.world import ROOT, by_name, mesh, said, serving, shop, take
from tests.replay.evidence import AT

AT_SECONDS = int(AT.timestamp())


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
