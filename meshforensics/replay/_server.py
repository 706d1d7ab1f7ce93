"""Run the API on loopback, in a thread of its own, for as long as a ``with`` lasts."""

import asyncio
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from meshforensics.bundle import Bundle
from meshforensics.model import UsageError
from meshforensics.replay._api import Api, api_of, application
from meshforensics.replay._identity import HOST, tls, write_kubeconfig
from meshforensics.replay._moments import Moments


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A replay that runs.

    Attributes:
        kubeconfig: the file that leads to it.
        port: where it listens, on loopback.
        at: the instant that it shows, at last; None when the bundle does not know any.
    """

    kubeconfig: Path
    port: int
    at: datetime | None


@contextmanager
def replay(
    bundle: Bundle,
    *,
    at: datetime | None = None,
    begin: datetime | None = None,
    speed: float = 1.0,
    port: int = 0,
    change: Callable[[Api], web.Application] = application,
) -> Iterator[Replay]:
    """Serve a bundle as a read-only Kubernetes API until the ``with`` ends.

    Args:
        bundle: the evidence.
        at: show the state as of this instant; by default the bundle's own.
        begin: let time pass from here until that instant; by default it stands there.
        speed: seconds of the bundle that pass in one.
        port: on loopback; 0 takes a free one.
        change: makes the application of the API; tests put faults before it.

    Raises:
        UsageError: the port is taken, or time cannot pass so.
    """
    token = secrets.token_urlsafe(32)
    moments = Moments(bundle, at or bundle.at, begin=begin, speed=speed)
    moments.now().settle()  # before anybody waits for an answer
    with TemporaryDirectory(prefix="meshforensics-replay-") as name:
        folder = Path(name)
        context, certificate = tls(folder)
        with _running(lambda: change(api_of(moments, token)), port, context) as bound:
            file = folder / "kubeconfig"
            write_kubeconfig(file, port=bound, token=token, certificate=certificate)
            yield Replay(kubeconfig=file, port=bound, at=at or bundle.at)


@contextmanager
def _running(make: Callable[[], web.Application], port: int, context: ssl.SSLContext) -> Iterator[int]:
    """The application, served from a thread; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="meshforensics-replay", daemon=True)
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(_start(make, port, context), loop).result()
        try:
            yield runner.addresses[0][1]
        finally:
            asyncio.run_coroutine_threadsafe(_end(runner), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(make: Callable[[], web.Application], port: int, context: ssl.SSLContext) -> web.AppRunner:
    runner = web.AppRunner(make(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, ssl_context=context).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(f"port {port} on {HOST} cannot be had ({error.strerror}); give another --port") from error
    return runner


async def _end(runner: web.AppRunner) -> None:
    """Close every connection, and wait until nobody works any more."""
    await runner.cleanup()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
