"""A real Prometheus over a lab, where the program is installed: it scrapes proxies, the control plane and containers.

Simulated: the page of containers, which in a cluster is the kubelet's; its numbers are those of the real processes.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from meshforensics.lab._bootstrap import ADMIN
from meshforensics.lab._debug import PORT
from meshforensics.lab._envoy import Envoy, guarded
from meshforensics.lab._plan import CONTROL
from meshforensics.lab._world import Body, World

_PORT = 9090
_CONTAINERS = 9091
_EVERY = "3s"
_PATIENCE = 5.0


class Prometheus:
    """One Prometheus, and the page of containers that it scrapes beside the mesh."""

    def __init__(self, world: World, proxies: dict[str, Envoy], folder: Path, plane: Callable[[], str]) -> None:
        self._world = world
        self._proxies = proxies
        self._folder = folder
        self._plane = plane
        self._process: subprocess.Popen[bytes] | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens; empty where there is none."""
        return f"http://{self._address}:{_PORT}" if self._process is not None else ""

    @property
    def _address(self) -> str:
        return f"{self._world.network}.3"

    async def start(self) -> None:
        """Start it, where it is installed."""
        program = shutil.which("prometheus")
        if program is None:
            return
        app = web.Application()
        app.router.add_get("/metrics", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, _CONTAINERS).start()
        self._folder.mkdir()
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration(self._world, self._address, self._plane())), encoding="utf-8")
        with (self._folder / "log").open("wb") as log:
            command = [
                program, f"--config.file={file}", f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address={self._address}:{_PORT}", "--log.level=warn",
            ]  # fmt: skip
            self._process = subprocess.Popen(  # noqa: S603 - the program that is installed, and our own file
                guarded(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    async def end(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        registry = CollectorRegistry()
        registry.register(_Containers(self._proxies))
        return web.Response(body=generate_latest(registry), content_type="text/plain")


class _Containers:
    """What a kubelet tells of the containers of proxies, by the names of cAdvisor and kube-state-metrics."""

    def __init__(self, proxies: dict[str, Envoy]) -> None:
        self._proxies = proxies

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        names = ["namespace", "pod", "container"]
        memory = GaugeMetricFamily("container_memory_working_set_bytes", "Working set.", labels=names)
        processor = CounterMetricFamily("container_cpu_usage_seconds_total", "Seconds of processor.", labels=names)
        restarts = GaugeMetricFamily("kube_pod_container_status_restarts_total", "Restarts.", labels=names)
        for proxy in list(self._proxies.values()):
            if proxy.running:
                labels = [proxy.pod.place.namespace, proxy.pod.name, "istio-proxy"]
                memory.add_metric(labels, proxy.resident())
                processor.add_metric(labels, proxy.seconds())
                restarts.add_metric(labels, proxy.pod.restarts)
        yield from (memory, processor, restarts)


def configuration(world: World, address: str, istiod: str) -> Body:
    """What is scraped."""
    proxies = [
        _target(f"{pod.address}:{ADMIN}", pod.place.namespace, pod.name) for pod in world.pods.values() if not pod.plain
    ]
    return {
        "global": {"scrape_interval": _EVERY, "scrape_timeout": "2s"},
        "scrape_configs": [
            {"job_name": "envoy-stats", "metrics_path": "/stats/prometheus", "static_configs": proxies},
            {"job_name": "istiod", "static_configs": [_target(f"{world.istiod}:{PORT}", CONTROL, istiod)]},
            {
                "job_name": "containers",
                "honor_labels": True,
                "static_configs": [{"targets": [f"{address}:{_CONTAINERS}"]}],
            },
        ],
    }


def _target(address: str, namespace: str, pod: str) -> Body:
    return {"targets": [address], "labels": {"namespace": namespace, "pod": pod}}
