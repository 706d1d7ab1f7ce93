"""Capture of a mesh of many replayed pods, of which some hang, within a budget.

    python benchmarks/capture.py --pods 1000 --hang 50 --kilobytes 200 --budget 20

The replay runs in a process of its own. Printed are what became of the config dumps, pods a second, peak memory of
the capture, the most requests that the server had at once, and the server's own ceiling: the same dumps fetched by a
bare client over as many connections, so that it is seen how much of the time is the server's.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from meshforensics.bundle import BundleWriter, open_bundle, verify
from meshforensics.capture import Options, capture
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._connect import connect
from meshforensics.capture._run import AT_ONCE
from meshforensics.capture._talk import Talk
from meshforensics.model import parse_time
from meshforensics.replay import Api, application, replay

AT = parse_time("2026-11-23T18:48:12Z")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def pod(number: int, ready: bool) -> dict[str, object]:
    """A pod with a sidecar."""
    return {
        "metadata": {"name": f"web-{number:05}", "namespace": "shop"},
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "istio-proxy", "ready": ready, "restartCount": 0}],
        },
    }


def write(path: str, pods: int, sick: int, kilobytes: int) -> None:
    """A bundle of that many pods; the last `sick` of them are not ready."""
    dump = json.dumps({"configs": [{"value": os.urandom(kilobytes * 512).hex()}]}).encode()
    with BundleWriter(path, mesh="bench", layout="benchmark") as writer:
        bodies = [pod(number, number < pods - sick) for number in range(pods)]
        listed = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": bodies}).encode()
        writer.add("kubernetes.pods", "-", listed, captured_at=AT, time_source="Date")
        for number in range(pods):
            subject = f"shop/web-{number:05}"
            for kind, payload in (("envoy.config_dump", dump), ("envoy.server_info", b'{"state": "LIVE"}')):
                writer.add(kind, subject, payload, captured_at=AT, time_source="Date")
            writer.add("log.istio-proxy", subject, b"a line\n" * 1000, captured_at=AT, time_source="Date")
        writer.seal()


def serve(path: str, hang: int, wire: Connection) -> None:
    """Serve the bundle; the first `hang` pods never answer a port-forward."""
    now, most = 0, 0

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            parts = request.path.split("/")
            if parts[-1] == "portforward" and int(parts[-2].rpartition("-")[2]) < hang:
                await asyncio.sleep(3600)
            return await handler(request)
        finally:
            now -= 1

    def change(api: Api) -> web.Application:
        app = application(api)
        app.middlewares.append(watch)
        return app

    with replay(open_bundle(path), change=change) as served:
        wire.send(str(served.kubeconfig))
        wire.recv()
        wire.send(most)


async def ceiling(pods: range) -> float:
    """Dumps a second that a bare client gets, over as many connections as a capture has."""
    cluster = await connect("", 30)
    left = list(pods)

    async def work() -> None:
        while left:
            await _dump(cluster, left.pop())

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    await cluster.close()
    return len(pods) / (time.perf_counter() - started)


async def _dump(cluster: Cluster, number: int) -> None:
    async with cluster.forward(("shop", f"web-{number:05}"), 15000) as stream:
        await Talk(stream).get("/config_dump?include_eds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--hang", type=int, default=50)
    parser.add_argument("--kilobytes", type=int, default=200)
    parser.add_argument("--budget", type=float, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, into = f"{folder}/source", f"{folder}/again"
        write(source, given.pods, given.pods // 20, given.kilobytes)
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(source, given.hang, theirs))
        server.start()
        os.environ["KUBECONFIG"] = ours.recv()
        rate = asyncio.run(ceiling(range(given.hang, min(given.pods, given.hang + 200))))
        started = time.perf_counter()
        captured = capture(Options(budget=given.budget), into)
        took = time.perf_counter() - started
        ours.send("end")
        report(captured.bundle.items, took, rate, ours.recv(), verify(into) == [], Path(into))
        server.join()


def report(items: tuple[object, ...], took: float, rate: float, most: int, sound: bool, into: Path) -> None:
    """Print the figures."""
    dumps = [item for item in items if item.kind == "envoy.config_dump"]  # type: ignore[attr-defined]
    became = Counter(f"{item.status}{f': {item.cause}' if item.cause else ''}" for item in dumps)
    done = became["captured"]
    size = sum(file.stat().st_size for file in into.rglob("*") if file.is_file())
    print(f"took {took:.1f} s; bundle of {len(items)} items, {size / 1e6:.0f} MB, {'sound' if sound else 'DAMAGED'}")
    print(f"config dumps: {', '.join(f'{number} {what}' for what, number in sorted(became.items()))}")
    print(f"{done / took:.0f} pods/s with all their pages; a bare client gets {rate:.0f} dumps/s from this server")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"at most {most} requests in flight; peak memory {memory} MB")


if __name__ == "__main__":
    main()
