"""A real Envoy outside Kubernetes: captured by URL, and triaged."""

import re
import urllib.request
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

import meshforensics as mf
from meshforensics.capture._envoys import admin_of
from meshforensics.cli import main
from meshforensics.formats.pages import ENVOY_PAGES
from meshforensics.model import UsageError
from meshforensics.replay import Answer, Api, Ask, application, replay
from tests.capture.world import shop, take


def test_a_real_envoy_is_captured_without_a_cluster_and_triaged(
    envoy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    path = tmp_path / "proxy.zip"

    assert main(["capture", "--envoy", envoy, "-o", str(path)]) == 0

    assert capsys.readouterr().out.startswith(f"{path}: 10 items, 10 with evidence, id ")
    case = mf.open(path)
    subject = admin_of(envoy).subject
    assert {item.subject for item in case.bundle.items} == {subject}
    assert list(case.clusters["name"]) == ["nowhere"]
    assert len(case.proxies) == 1
    assert case.verdict.status == "undetermined"


def test_a_real_envoy_behind_a_port_forward_gives_what_it_gives_by_url(
    envoy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(api: Api) -> web.Application:
        return application(replace(api, ask=partial(_live, envoy, api.ask)))

    with replay(shop(1), change=change) as served:
        monkeypatch.setenv("KUBECONFIG", str(served.kubeconfig))
        bundle = take().bundle

    live = {item.kind: item for item in bundle.items if item.subject == "shop/web-000" and item.stored}
    assert sorted(live) == sorted([*(page.kind for page in ENVOY_PAGES), "log.istio-proxy"])
    assert bundle.read(live["envoy.listeners"]) == _live(envoy, page_of_nobody, "", 15000, "GET", "/listeners").body
    assert b"nowhere::default_priority::" in bundle.read(live["envoy.clusters"])


def _live(envoy: str, otherwise: Ask, subject: str, port: int, method: str, target: str) -> Answer:
    """The answer of the Envoy that runs, in place of its captured pages."""
    if port != 15000:
        return otherwise(subject, port, method, target)
    with urllib.request.urlopen(f"{envoy}{target}", timeout=20) as said:
        return Answer(status=said.status, body=said.read())


def page_of_nobody(_subject: str, _port: int, _method: str, _target: str) -> Answer:
    """No page at all."""
    return Answer(status=404, body=b"")


def test_an_envoy_that_is_not_there_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))

    assert main(["capture", "--envoy", "http://127.0.0.1:1", "-o", str(tmp_path / "bundle")]) == 2

    assert re.search(r"nothing could be captured", capsys.readouterr().err)


@pytest.mark.parametrize("url", ["127.0.0.1:15000", "ftp://x:1", "http://", "http://x:99999", "http://x:1/?a"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        admin_of(url)
