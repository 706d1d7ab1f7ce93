"""The Kubernetes API of a mesh that runs: the replay server over the objects of this moment.

Behind its port-forward and exec are the proxies and the control plane themselves, so that our own capture takes a lab
as it takes a cluster.
"""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.formats.pages import ADMIN_PORT, ISTIOD_PORT
from meshforensics.formats.resources import RESOURCES, resource_of
from meshforensics.lab._kubernetes import objects, usage
from meshforensics.lab._lab import Lab
from meshforensics.lab._world import Body
from meshforensics.model import MESH, now
from meshforensics.replay import Answer, Api, Moments, replay

_FRESH = 1.0
"""Seconds for which a picture of the objects is used."""
_PATIENCE = 10.0
_METRICS = "metrics.k8s.io"


class Live:
    """Answers requests about a lab that runs; it works in the thread of the replay server."""

    def __init__(self, lab: Lab, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._lab = lab
        self._folder = folder
        self._loop = loop
        self._lock = asyncio.Lock()
        self._numbers = count(1)
        self._moments: Moments | None = None
        self._made = 0.0

    def application(self, api: Api) -> web.Application:
        """The API, its state made anew where it is not fresh."""

        async def handle(request: web.Request) -> web.StreamResponse:
            parts = [part for part in request.path.split("/") if part]
            if parts[-1:] == ["log"]:
                return self._log(parts[-2], request)
            live = replace(api, moments=await self._fresh(), ask=self._ask)
            return await live.handle(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        return app

    async def _fresh(self) -> Moments:
        async with self._lock:
            if self._moments is None or time.monotonic() - self._made > _FRESH:
                lists = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._lists(), self._loop))
                self._moments = Moments(self.bundle(lists), now())
                self._made = time.monotonic()
        return self._moments

    async def _lists(self) -> dict[str, bytes]:
        """The lists of this moment; made where the state of the mesh is changed, so that it stands still."""
        return lists_of(self._lab)

    def bundle(self, lists: dict[str, bytes]) -> Bundle:
        """Lists as a bundle, in the lab's own folder."""
        url = str(self._folder / f"objects-{next(self._numbers)}")
        with BundleWriter(url, mesh="lab", layout="lab") as writer:
            for kind, payload in lists.items():
                writer.add(kind, MESH, payload, captured_at=now(), time_source="clock")
            return writer.seal()

    def _address(self, subject: str, port: int) -> str:
        """Where a port of a pod really is; empty where it is nowhere."""
        name = subject.partition("/")[2]
        pod = self._lab.world.pods.get(name)
        if pod is not None and port == ADMIN_PORT and not pod.plain and not pod.gone:
            return pod.address
        return self._lab.world.istiod if name == self._lab.plane.name and port == ISTIOD_PORT else ""

    def _ask(self, subject: str, port: int, method: str, target: str) -> Answer:
        """The answer of the process that runs, in place of a captured page."""
        address = self._address(subject, port)
        if not address:
            return Answer(status=404, body=f"404 page not found: nobody listens on port {port} here\n".encode())
        if method not in {"GET", "HEAD"}:
            return Answer(status=405, body=b"a lab is changed by its scenario alone\n")
        url = f"http://{address}:{port}/{target.removeprefix('/')}"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as said:
                return Answer(status=said.status, body=said.read(), content_type=said.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            return Answer(status=error.code, body=error.read())
        except OSError as error:
            return Answer(status=503, body=f"{error}\n".encode())

    def _log(self, name: str, request: web.Request) -> web.Response:
        """The log of a container, its end where the caller limits it."""
        payload = self._logged(name, previous=request.query.get("previous") == "true")
        if payload is None:
            said = {"kind": "Status", "code": 400, "message": "previous terminated container not found"}
            return web.json_response(said, status=400)
        limit = int(request.query.get("limitBytes", len(payload)))
        return web.Response(body=payload[-limit:] if limit else b"", content_type="text/plain")

    def _logged(self, name: str, *, previous: bool) -> bytes | None:
        for plane in self._lab.planes:
            if plane.name == name:
                return None if previous else "".join(f"{line}\n" for line in plane.log).encode()
        proxy = self._lab.proxies.get(name)
        file = None if proxy is None else proxy.previous if previous else proxy.log
        return file.read_bytes() if file is not None and file.is_file() else None


@contextmanager
def live(lab: Lab, folder: Path) -> Iterator[Path]:
    """Serve a lab as a Kubernetes API until the ``with`` ends; gives the kubeconfig that leads to it."""
    shown = Live(lab, folder, asyncio.get_running_loop())
    with replay(shown.bundle(lists_of(lab)), change=shown.application) as served:
        yield served.kubeconfig


def lists_of(lab: Lab) -> dict[str, bytes]:
    """Every list of the cluster at this moment, by kind of item; an empty one where there are no such objects."""
    found: dict[str, list[Body]] = {each.item_kind: [] for each in RESOURCES if each.group != _METRICS}
    istiods = [(lab.plane.name, lab.plane.version, lab.plane.started)] if lab.planes else []
    for body in objects(lab.world, istiods):
        found[resource_of(body["kind"], body["apiVersion"]).item_kind].append(body)
    found["kubernetes.usage"] = [
        usage(proxy.pod, proxy.seconds(), proxy.resident()) for proxy in lab.proxies.values() if proxy.running
    ]
    return {kind: msgspec.json.encode(_list(kind, items)) for kind, items in found.items()}


def _list(kind: str, items: list[Body]) -> dict[str, Any]:
    if kind == "kubernetes.usage":
        return {"apiVersion": f"{_METRICS}/v1beta1", "kind": "PodMetricsList", "items": items}
    return {"apiVersion": "v1", "kind": "List", "items": items}
