"""A mesh that is replayed, with faults in front of it: what a capture meets in the wild."""

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Middleware

from meshforensics.bundle import Bundle, BundleWriter, open_bundle
from meshforensics.capture import Captured, Options, capture
from meshforensics.model import Item
from meshforensics.replay import Api, application, replay
from tests.replay.evidence import AT, listed, pod

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
ROOT = Path(__file__).resolve().parent.parent.parent
_numbers = count(1)


@dataclass
class Asked:
    """What a server was asked, in order."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, list[str]]] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0

    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note a request."""
        self.requests.append((request.method, request.path))
        self.headers.append({name: request.headers.getall(name) for name in request.headers})
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await handler(request)
        finally:
            self._now -= 1

    def paths(self, end: str) -> list[str]:
        """The paths that end so."""
        return [path for _, path in self.requests if path.endswith(end)]


def behind(*faults: Fault) -> Callable[[Api], web.Application]:
    """The application with faults before it, the first one outermost."""

    def made(api: Api) -> web.Application:
        app = application(api)
        for fault in faults:
            app.middlewares.append(_middleware(fault))
        return app

    return made


def _middleware(fault: Fault) -> Middleware:
    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await fault(request, handler)

    return before


@contextmanager
def mesh(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, *faults: Fault, begin: datetime | None = None
) -> Iterator[Asked]:
    """A replay of a bundle that the kubeconfig leads to; time passes from `begin`."""
    asked = Asked()
    with replay(bundle, begin=begin, change=behind(asked.watch, *faults)) as served:
        monkeypatch.setenv("KUBECONFIG", str(served.kubeconfig))
        yield asked


@contextmanager
def serving(app: web.Application) -> Iterator[str]:
    """An application on loopback, in a thread; gives its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(app)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def take(into: Path | str = "", **options: object) -> Captured:
    """Capture, in memory unless `into` says where."""
    chosen = replace(Options(budget=60), **options)  # type: ignore[arg-type]  # options by name
    return capture(chosen, str(into) or f"memory://tests-capture/{next(_numbers)}")


def shop(pods: int = 2, page: bytes = b'{"configs": []}\n', at: datetime = AT) -> Bundle:
    """A bundle of a small mesh: `pods` proxies and one istiod."""
    with BundleWriter(f"memory://tests-shop/{next(_numbers)}", mesh="lab", layout="test") as writer:
        proxies = [_ready(f"web-{number:03}", number != pods - 1) for number in range(pods)]
        istiod = {
            **pod("istiod-1", "istio-system"),
            "spec": {"containers": [{"name": "discovery"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "discovery", "restartCount": 0}]},
        }
        for kind, payload in (("pods", listed("Pod", *proxies, istiod)), ("services", listed("Service"))):
            writer.add(f"kubernetes.{kind}", "-", payload, captured_at=at, time_source="Date")
        for one in proxies:
            subject = f"shop/{one['metadata']['name']}"
            for kind, content in (
                ("envoy.config_dump", page),
                ("envoy.server_info", b'{"state": "LIVE"}\n'),
                ("log.istio-proxy", b"a line\n"),
            ):
                writer.add(kind, subject, content, captured_at=at, time_source="Date")
        writer.add("istiod.syncz", "istio-system/istiod-1", b"[]\n", captured_at=at, time_source="Date")
        return writer.seal()


def _ready(name: str, ready: bool) -> dict[str, Any]:
    """A pod whose proxy has not restarted; the last one is not ready."""
    body = pod(name)
    body["status"]["containerStatuses"] = [{"name": "istio-proxy", "ready": ready, "restartCount": 0}]
    body["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
    return body


def by_name(bundle: Bundle) -> Mapping[tuple[str, str], Item]:
    """Items by kind and subject."""
    return {(item.kind, item.subject): item for item in bundle.items}


def said(bundle: Bundle, kind: str, subject: str = "-") -> tuple[str, str | None]:
    """Status and cause of an item."""
    item = by_name(bundle)[kind, subject]
    return item.status.value, item.cause.value if item.cause else None


def shipped(name: str) -> Bundle:
    """A shipped capture."""
    return open_bundle(str(ROOT / "captures" / name))


def on(end: str, answer: Callable[[web.Request], Awaitable[web.StreamResponse]], times: int = 1_000_000) -> Fault:
    """A fault for paths that end so, for as many times."""
    left = [times]

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.endswith(end) and left[0] > 0:
            left[0] -= 1
            return await answer(request)
        return await handler(request)

    return fault


def refuse(status: int, **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An answer that is an error."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = json.dumps({"kind": "Status", "message": f"fault {status}", "code": status})
        return web.Response(status=status, text=body, headers=headers, content_type="application/json")

    return answer


async def hang(_: web.Request) -> web.StreamResponse:
    """No answer at all."""
    await asyncio.sleep(3600)
    raise AssertionError


async def cut(request: web.Request) -> web.StreamResponse:
    """Fewer bytes than the header promises."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"kind": "ServiceList", "items": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def short(request: web.Request) -> web.StreamResponse:
    """A header that promises fewer bytes than there are: a client reads no further."""
    body = b'{"kind": "ServiceList", "items": [{"metadata": {"name": "web"}}]}'
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n" + body[:40])
    await asyncio.sleep(0.2)
    request.transport.write(body[40:])
    request.transport.close()
    return await hang(request)


async def not_text(_: web.Request) -> web.StreamResponse:
    """A list with a name that is no UTF-8."""
    body = b'{"kind": "ServiceList", "items": [{"metadata": {"name": "w\xff\xfe"}}]}'
    return web.Response(body=body, content_type="application/json")


async def login_page(_: web.Request) -> web.StreamResponse:
    """What a proxy before an API server says to strangers, with status 200."""
    return web.Response(text="<html>Please log in</html>", content_type="text/html")


def late(seconds: float) -> Fault:
    """The right answer, whose first byte lets wait."""

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.endswith("/services"):
            await asyncio.sleep(seconds)
        return await handler(request)

    return fault


async def half(request: web.Request) -> web.StreamResponse:
    """A list that hangs in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"kind": "ServiceList", "items": [')
    return await hang(request)


async def reset(request: web.Request) -> web.StreamResponse:
    """No answer: the connection is gone."""
    assert request.transport is not None
    request.transport.abort()
    return await hang(request)


async def garble(request: web.Request) -> web.StreamResponse:
    """A log whose bytes are no text."""
    return web.Response(body=b"\xff\xfe broken \x80 bytes\n")


async def stall(request: web.Request) -> web.StreamResponse:
    """The beginning of an answer, and then nothing."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"a first line\na sec")
    return await hang(request)


ENVIRONMENT = dict(os.environ)


def kubeconfig() -> str:
    """The kubeconfig that leads to the mesh that is replayed."""
    return os.environ["KUBECONFIG"]
