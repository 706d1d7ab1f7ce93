"""Each trouble is an item with its status and cause, and the rest goes on."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from meshforensics.bundle import Bundle, open_bundle, verify
from meshforensics.capture import Options
from meshforensics.cli import main
from meshforensics.model import now
from meshforensics.replay import Answer, Api, application, replay
from tests.capture.world import (
    ENVIRONMENT,
    Handler,
    by_name,
    cut,
    garble,
    half,
    hang,
    kubeconfig,
    late,
    login_page,
    mesh,
    not_text,
    on,
    refuse,
    reset,
    said,
    shop,
    short,
    stall,
    take,
)

WEB = "shop/web-000"
GOOD = ("captured", None)
AT_ONCE = {"Retry-After": "0"}


def rest_is_there(bundle: Bundle) -> None:
    """What no fault was put before."""
    assert said(bundle, "envoy.config_dump", WEB) == GOOD
    assert said(bundle, "kubernetes.pods") == GOOD
    assert said(bundle, "istiod.syncz", "istio-system/istiod-1") == GOOD


@pytest.mark.parametrize(
    ("fault", "status", "cause", "detail"),
    [
        pytest.param(refuse(401), "failed", "forbidden", "HTTP 401: fault 401", id="401"),
        pytest.param(refuse(403), "failed", "forbidden", "HTTP 403: fault 403", id="403"),
        pytest.param(refuse(404), "failed", "not-in-source", "HTTP 404: fault 404", id="404-of-what-discovery-names"),
        pytest.param(refuse(409), "failed", "not-the-form", "HTTP 409: fault 409", id="409"),
        pytest.param(refuse(410), "failed", "gone", "HTTP 410: fault 410", id="410-at-once"),
        pytest.param(refuse(500, **AT_ONCE), "failed", "not-the-form", "HTTP 500: fault 500", id="500-each-time"),
        pytest.param(refuse(503, **AT_ONCE), "failed", "not-the-form", "HTTP 503: fault 503", id="503-each-time"),
        pytest.param(cut, "partial", "truncated", "the body broke off", id="content-length-too-large"),
        pytest.param(short, "partial", "truncated", "the JSON document ends", id="content-length-too-low"),
        pytest.param(half, "partial", "truncated", "nothing came for 3 s", id="hang-in-mid-body"),
        pytest.param(hang, "failed", "timeout", "GET /api/v1/services: no answer in time", id="no-first-byte"),
        pytest.param(reset, "failed", "reset", "GET /api/v1/services: ", id="reset"),
        pytest.param(not_text, "failed", "not-the-form", "no list was sent: ", id="invalid-utf-8"),
        pytest.param(login_page, "failed", "not-the-form", "no list was sent: ", id="login-page"),
    ],
)
def test_a_list_in_trouble(
    fault: Callable[[web.Request], Awaitable[web.StreamResponse]],
    status: str,
    cause: str,
    detail: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mesh(shop(), monkeypatch, on("/services", fault)):
        bundle = take(budget=72).bundle

    assert said(bundle, "kubernetes.services") == (status, cause)
    assert by_name(bundle)["kubernetes.services", "-"].detail.startswith(detail)
    assert verify(bundle.url) == []
    rest_is_there(bundle)


@pytest.mark.parametrize("wait", [0, 3600])
def test_a_server_that_stays_busy_is_named(wait: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = on("/services", refuse(429, **{"Retry-After": str(wait)}))
    with mesh(shop(), monkeypatch, fault) as asked:
        bundle = take().bundle

    assert said(bundle, "kubernetes.services") == ("failed", "not-the-form")
    assert by_name(bundle)["kubernetes.services", "-"].detail == "HTTP 429: fault 429"
    assert len(asked.paths("/services")) == (1 if wait else 4)
    rest_is_there(bundle)


def test_a_first_byte_that_is_slow_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(), monkeypatch, late(1.0)):
        bundle = take(budget=48).bundle

    assert said(bundle, "kubernetes.services") == GOOD


def test_a_clock_that_is_ten_minutes_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    early = now() - timedelta(minutes=10)
    with mesh(shop(at=early), monkeypatch):
        bundle = take().bundle

    item = by_name(bundle)["kubernetes.version", "-"]
    assert re.fullmatch(r"the clock of the API server is -60[0-9] s from ours; times are by it", item.detail)
    assert bundle.at is not None
    assert abs(bundle.at - early) < timedelta(seconds=60)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = on("/services", refuse(status, **{"Retry-After": "0"}), times=2)
    with mesh(shop(), monkeypatch, fault) as asked:
        bundle = take().bundle

    assert said(bundle, "kubernetes.services") == GOOD
    assert len(asked.paths("/services")) == 3


def test_an_expired_list_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    expired: list[str] = []

    async def expire(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.query.get("continue") and not expired:
            expired.append(request.path)
            return await refuse(410)(request)
        return await handler(request)

    monkeypatch.setattr("meshforensics.capture._lists.PAGE", 2)
    with mesh(shop(5), monkeypatch, expire):
        bundle = take().bundle

    item = by_name(bundle)["kubernetes.pods", "-"]
    assert (item.status, item.detail) == (
        "captured",
        "the list was begun again: its first pages had expired (410)",
    )
    assert bundle.read(item).count(b'"PodList"') == 3
    assert len({subject for kind, subject in by_name(bundle) if kind == "envoy.config_dump"}) == 5


def test_a_body_without_end_is_read_to_the_limit_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"a line of ten\n" * 100_000)

    monkeypatch.setattr("meshforensics.capture._read.LARGEST", 10_000)
    with mesh(shop(), monkeypatch, on("/web-000/log", endless)):
        bundle = take().bundle

    item = by_name(bundle)["log.istio-proxy", WEB]
    assert (item.status, item.cause) == ("partial", "truncated")
    assert item.detail.startswith("larger than 10000 bytes: not read further, after ")
    assert 10_000 < (item.bytes or 0) < 1_400_000


def test_a_log_that_stalls_is_kept_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(), monkeypatch, on("/web-000/log", stall)):
        bundle = take(budget=72).bundle

    item = by_name(bundle)["log.istio-proxy", WEB]
    assert (item.status, item.cause) == ("partial", "truncated")
    assert bundle.read(item) == b"a first line\na sec"
    rest_is_there(bundle)


def test_bytes_that_are_no_text_are_kept_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(), monkeypatch, on("/web-000/log", garble)):
        bundle = take().bundle

    item = by_name(bundle)["log.istio-proxy", WEB]
    assert bundle.read(item) == b"\xff\xfe broken \x80 bytes\n"
    rest_is_there(bundle)


def test_a_container_that_has_not_run_has_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waiting(_: web.Request) -> web.StreamResponse:
        text = '{"kind": "Status", "message": "container \\"istio-proxy\\" in pod \\"web\\" is waiting to start"}'
        return web.Response(status=400, text=text, content_type="application/json")

    with mesh(shop(), monkeypatch, on("/web-000/log", waiting)):
        bundle = take().bundle

    assert said(bundle, "log.istio-proxy", WEB) == ("absent", None)


def _hang(subject: str, _port: int, _method: str, _target: str) -> Answer:
    """Only those that are asked for are slow: others answer at once."""
    return Answer(status=504 if subject == WEB else 200, body=b"{}\n")


def test_a_page_that_is_an_error_text_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(api: Api) -> web.Application:
        return application(replace(api, ask=_hang))

    with replay(shop(), change=change) as served:
        monkeypatch.setenv("KUBECONFIG", str(served.kubeconfig))
        bundle = take().bundle

    assert said(bundle, "envoy.config_dump", WEB) == ("failed", "timeout")
    assert said(bundle, "envoy.certs", "shop/web-001") == GOOD


def test_a_pod_that_hangs_costs_one_wait_and_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(4), monkeypatch, on("/web-001/portforward", hang)) as asked:
        bundle = take(budget=72).bundle

    assert said(bundle, "envoy.server_info", "shop/web-001") == ("failed", "timeout")
    assert said(bundle, "envoy.config_dump", "shop/web-001") == ("failed", "timeout")
    assert by_name(bundle)["envoy.certs", "shop/web-001"].detail == "not asked: it did not answer 15000/server_info"
    assert len(asked.paths("/web-001/portforward")) == 1
    rest_is_there(bundle)


def test_a_port_that_nobody_listens_on_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshforensics.replay._stream.PORTS", frozenset((15000, 15014)))
    with mesh(shop(1), monkeypatch) as asked:
        bundle = take().bundle

    assert said(bundle, "agent.metrics", WEB) == ("failed", "reset")
    assert len(asked.paths("/web-000/portforward")) <= 5


def test_what_does_not_fit_is_named_and_the_sick_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.endswith("/portforward"):
            await asyncio.sleep(1.5)
        return await handler(request)

    monkeypatch.setattr("meshforensics.capture._run.AT_ONCE", 1)
    with mesh(shop(50), monkeypatch, slow):
        captured = take(budget=8)

    items = captured.bundle.items
    dumps = {item.subject: item for item in items if item.kind == "envoy.server_info"}
    assert len(dumps) == 50
    assert dumps["shop/web-049"].status == "captured"
    assert {(item.status.value, item.cause) for item in dumps.values() if item.subject >= "shop/web-01"} - {
        ("captured", None)
    } == {("skipped", "over-budget")}
    assert captured.counts["skipped: over-budget"] > 100


def test_a_dead_api_server_is_an_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mesh(shop(), monkeypatch):
        pass
    config = Path(str(ENVIRONMENT.get("HOME", "/"))) / "no-such-kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(config))

    assert main(["capture", "-o", str(tmp_path / "bundle")]) == 2

    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "point", "kind"),
    [
        pytest.param(signal.SIGINT, "/web-001/portforward", "envoy.server_info", id="stopped"),
        pytest.param(signal.SIGKILL, "/web-001/portforward", "envoy.server_info", id="killed-at-a-page"),
        pytest.param(signal.SIGKILL, "/web-001/log", "log.istio-proxy", id="killed-at-a-log"),
        pytest.param(signal.SIGKILL, "/networkpolicies", "kubernetes.networkpolicies.networking.k8s.io", id="late"),
    ],
)
def test_a_capture_that_is_stopped_leaves_a_bundle_that_opens(
    number: int, point: str, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    into = tmp_path / "bundle"
    with mesh(shop(3), monkeypatch, on(point, hang)) as asked:
        command = [sys.executable, "-m", "meshforensics", "capture", "-o", str(into), "--budget", "4m"]
        environment = {**ENVIRONMENT, "KUBECONFIG": kubeconfig()}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            _until(partial(asked.paths, point))
            running.send_signal(number)
            running.communicate(timeout=30)

    bundle = open_bundle(str(into))
    subject = "-" if kind.startswith("kubernetes.") else "shop/web-001"
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert verify(str(into)) == []
        assert said(bundle, kind, subject) == ("skipped", "over-budget")
    else:
        assert said(bundle, kind, subject) == ("failed", "reset")
        assert [damage.member for damage in verify(str(into))] == ["tagmanifest-sha256.txt"]
        assert {(item.kind, item.subject) for item in bundle.items} >= planned(into)
    assert said(bundle, "kubernetes.pods") == GOOD


def planned(folder: Path) -> set[tuple[str, str]]:
    """What the journal of a capture that was killed says would be asked for."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    return {(each["planned"]["kind"], each["planned"]["subject"]) for each in lines if "planned" in each}


def _until(seen: Callable[[], list[str]]) -> None:
    """Wait until something was asked."""
    import time

    for _ in range(600):
        if seen():
            return
        time.sleep(0.05)
    raise AssertionError


def test_patience_follows_the_budget() -> None:
    assert [Options(budget=budget).patience for budget in (20, 120, 240, 3600)] == [2, 5, 10, 10]
