"""The alerts of a real Prometheus, whose past is loaded with promtool: what capture asks, what the table says of it."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import meshforensics as mf
from meshforensics.alerts import alerts
from tests.capture.world import mesh, shop, take
from tests.replay.evidence import AT

pytestmark = pytest.mark.prometheus

MINUTES = 40
FULL_FROM = 15
"""Minute of the past from which one sidecar is at its limit."""


def _past() -> str:
    """Forty minutes before the capture: a sidecar that fills up, a sound one, a pilot that rejects at the end."""
    start = AT - timedelta(minutes=MINUTES)
    working, limits, rejects = [], [], []
    for minute in range(MINUTES + 1):
        at = f"{(start + timedelta(minutes=minute)).timestamp():.0f}"
        for pod in ("full", "sound"):
            used = 95 if pod == "full" and minute >= FULL_FROM else 50
            where = f'container="istio-proxy",namespace="shop",pod="{pod}"'
            working.append(f"container_memory_working_set_bytes{{{where}}} {used} {at}")
            limits.append(f'kube_pod_container_resource_limits{{{where},resource="memory"}} 100 {at}')
        rejects.append(f'pilot_total_xds_rejects{{type="lds"}} {max(0, minute - 38)} {at}')
    head = "# TYPE {} gauge\n"
    return (
        "\n".join(
            head.format(each[0].split("{")[0]) + "\n".join(_by_series(each)) for each in (working, limits, rejects)
        )
        + "\n# EOF\n"
    )


def _by_series(lines: list[str]) -> list[str]:
    return sorted(lines, key=lambda line: line.rsplit(" ", 2)[0])


@contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    (folder / "past.txt").write_text(_past(), encoding="utf-8")
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    data = str(folder / "data")
    load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "past.txt"), data]
    subprocess.run(load, check=True, capture_output=True)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _ready(url := f"http://127.0.0.1:{port}")
            yield url
        finally:
            running.terminate()


def _ready(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError


def test_what_would_have_fired_is_told_from_what_was_captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("prometheus"), "Debian's package prometheus has both"
    with _prometheus(tmp_path) as url, mesh(shop(), monkeypatch):
        bundle = take(tmp_path / "bundle", prometheus=url, window=3600.0).bundle

    answered = {
        item.subject for item in bundle.items if item.kind == "prometheus.alert" and str(item.status) == "captured"
    }
    assert answered == set(alerts())  # Prometheus takes every expression
    case = mf.open(tmp_path / "bundle")
    times = case.alert_times.set_index("alert")
    full = times.loc["SidecarMemoryNearLimit"]
    assert full["labels"] == '{"namespace":"shop","pod":"full"}'
    assert abs(full["at"] - (AT - timedelta(minutes=MINUTES - FULL_FROM))) <= timedelta(seconds=15)
    assert full["fired_at"] - full["at"] == timedelta(minutes=10)
    assert pd.isna(times.loc["ProxyRejectsConfig"]["fired_at"])
    found = {finding.check: finding.subjects for finding in case.findings if finding.check.startswith("metrics.")}
    assert found == {"metrics.alert-fired": ("namespace=shop, pod=full",)}
