"""The applications behind the proxies: small real servers, HTTP/1.1 or gRPC over HTTP/2.

They call each other through their own sidecars' outbound listeners: without root nothing redirects them there.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from meshforensics.lab._messages import generated
from meshforensics.lab._plan import APPLICATION, Service
from meshforensics.lab._world import Behaviour, Pod, World

POLL = "/poll"
"""A path whose answer never comes: a long poll."""
BULK = "/bulk"
"""A path whose answer goes on for as long as it is read."""
_PATIENCE = 20.0
_CHUNK = bytes(65536)
_CHUNKS = 1024
_METHOD = "/lab.Rpc/Look"
_SERVER_ERROR = 500


class Applications:
    """Every application of the mesh, and the connections that they have to their sidecars."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runners: dict[str, web.AppRunner] = {}
        self._servers: dict[str, Any] = {}
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._channels: dict[tuple[str, str], Any] = {}
        self._polls: list[asyncio.Task[None]] = []
        self._counts: Counter[str] = Counter()

    async def start(self, pod: Pod) -> None:
        """Start the application of a pod."""
        service = self._world.service_of(pod)
        if service is None:
            return
        port = service.target if pod.plain else service.target + APPLICATION
        if service.protocol == "grpc":
            self._servers[pod.name] = await _grpc_server(self._world, pod, f"{pod.address}:{port}")
            return
        app = web.Application()

        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(pod, service, request)

        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, pod.address, port).start()
        self._runners[pod.name] = runner

    async def stop(self, pod: Pod) -> None:
        """Stop the application of a pod: from now on connections to it are refused."""
        if runner := self._runners.pop(pod.name, None):
            await runner.cleanup()
        if server := self._servers.pop(pod.name, None):
            await server.stop(grace=0)

    async def end(self) -> None:
        """Stop every application, and hang up."""
        for task in self._polls:
            task.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()
        for channel in self._channels.values():
            await channel.close()
        for pod in list(self._world.pods.values()):
            await self.stop(pod)

    def poll(self, caller: Pod, service: Service, count: int) -> None:
        """Let an application open long polls to a service; none of them ends."""
        self._polls += [asyncio.create_task(self._poll(caller, service)) for _ in range(count)]

    async def _poll(self, caller: Pod, service: Service) -> None:
        try:
            async with self._session(caller).get(_url(caller, service, POLL), headers=_headers(service, {})) as said:
                await said.read()
        except aiohttp.ClientError:
            return

    async def _answer(self, pod: Pod, service: Service, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(POLL) and service.role != "front":
            await asyncio.sleep(3600)
        if request.path.startswith(BULK):
            return await _bulk(request)
        behaviour = self._behaviour(pod, request.path)
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.status:
            return web.Response(status=behaviour.status, text=f"{service.name} says {behaviour.status}\n")
        failed = await self._calls(pod, service, request)
        if failed:
            return web.Response(status=503 if failed >= _SERVER_ERROR else failed, text="a call of mine failed\n")
        if request.path.startswith("/missing"):
            return web.Response(status=404)
        return web.Response(text=f"hello from {pod.name}\n")

    def _behaviour(self, pod: Pod, path: str) -> Behaviour:
        behaviours = self._world.behaviours
        found = behaviours.get(pod.name) or behaviours.get(pod.place.service)
        if found is None or not path.startswith(found.path):
            return Behaviour()
        self._counts[pod.place.service] += 1
        return found if self._counts[pod.place.service] % found.every == 0 else Behaviour()

    async def _calls(self, pod: Pod, service: Service, request: web.Request) -> int:
        """Make the calls that an answer needs, one after the other; the status of the first that failed, else 0."""
        for role in service.calls:
            called = self._world.service(role)
            status = await self._call(pod, called, request)
            if status >= 400 and status != 404:
                return status
        return 0

    async def _call(self, pod: Pod, called: Service, request: web.Request) -> int:
        if called.protocol == "grpc":
            return await self.look(pod, called)
        headers = _headers(called, request.headers)
        try:
            async with self._session(pod).get(_url(pod, called, request.path_qs), headers=headers) as said:
                await said.read()
                return said.status
        except (aiohttp.ClientError, TimeoutError):
            return 503

    async def look(self, pod: Pod, called: Service, method: str = _METHOD) -> int:
        """One gRPC call through the sidecar; its outcome as a status of HTTP."""
        grpc = generated("grpc")
        key = (pod.name, called.name)
        if key not in self._channels:
            options = [("grpc.default_authority", f"{called.host}:{called.port}"), ("grpc.enable_retries", 0)]
            target = f"{pod.inside}:{called.port}"
            self._channels[key] = grpc.aio.insecure_channel(target, options=options)
        try:
            await self._channels[key].unary_unary(method)(b"look", timeout=_PATIENCE)
        except grpc.aio.AioRpcError:
            return 503
        return 200

    def _session(self, pod: Pod) -> aiohttp.ClientSession:
        if pod.name not in self._sessions:
            connector = aiohttp.TCPConnector(limit=0, local_addr=(pod.address, 0))
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE)
            self._sessions[pod.name] = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._sessions[pod.name]


async def _bulk(request: web.Request) -> web.StreamResponse:
    """An answer of 64 MiB, no faster than it is read."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        for _ in range(_CHUNKS):
            await response.write(_CHUNK)
    return response


def _url(caller: Pod, service: Service, path: str) -> str:
    return f"http://{caller.inside}:{service.port}{path}"


def _headers(service: Service, received: Any) -> dict[str, str]:
    """The headers of a call: whom it is for, and what is handed on."""
    passed = {name: received[name] for name in ("x-request-id", "user-agent") if name in received}
    return {"host": f"{service.host}:{service.port}", **passed}


async def _grpc_server(world: World, pod: Pod, address: str) -> Any:
    """A server that answers every unary call with a few bytes."""
    grpc = generated("grpc")

    async def look(_request: bytes, context: Any) -> bytes:
        behaviour = world.behaviours.get(pod.name) or world.behaviours.get(pod.place.service) or Behaviour()
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.status:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"{pod.place.service} says no")
        return b"looked"

    class Handler(grpc.GenericRpcHandler):  # type: ignore[name-defined,misc]  # found when it is used
        def service(self, _details: object) -> Any:
            return grpc.unary_unary_rpc_method_handler(look)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(address)
    await server.start()
    return server
