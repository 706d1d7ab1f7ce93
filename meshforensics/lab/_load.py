"""A load generator: callers outside of the mesh, bounded in count and in time."""

import asyncio
import random
import socket
import time
from collections import Counter
from contextlib import suppress

import aiohttp

from meshforensics.lab._applications import BULK
from meshforensics.lab._plan import GATEWAY_PORT
from meshforensics.lab._world import World

MOST = 20_000
LONGEST = 300.0
_AT_ONCE = 400
_PATIENCE = 30.0
_SMALL = 4096
_AGENTS = ("okhttp/4.12.0", "Mozilla/5.0 (X11; Linux x86_64)", "shop-ios/7.3.1", "curl/8.5.0")


class Load:
    """Calls the gateway at a rate that may be changed while it runs.

    Attributes:
        rate: calls a second.
        share: what part of them is really made: all, or fewer where a bundle is to be small.
        paths: asked one after the other.
        counts: answers by status, and failures by their name.
    """

    def __init__(self, world: World, rate: float = 10.0) -> None:
        self._world = world
        self._draw = random.Random(world.plan.seed)  # noqa: S311 - agents and pauses, not secrets
        self._tasks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self.rate = rate
        self.share = 1.0
        self.burst = 1
        self.paths: tuple[str, ...] = ("/items/1", "/items/2?lang=en", "/account/77", "/missing/3")
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to call."""
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Stop calling; what is under way is given up."""
        for task in (*self._tasks, *([self._task] if self._task else ())):
            task.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                await task

    async def hold(self, count: int, seconds: float) -> None:
        """Callers that ask for much and read nothing, until they leave; what they are sent waits in proxies."""
        held = []
        for _ in range(count):
            door = socket.socket()
            door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
            door.setblocking(False)
            door.bind((self._world.outside, 0))
            loop = asyncio.get_running_loop()
            await loop.sock_connect(door, (self._world.gateway.address, GATEWAY_PORT))
            await loop.sock_sendall(door, f"GET {BULK} HTTP/1.1\r\nhost: {self._world.plan.domain}\r\n\r\n".encode())
            held.append(door)
        await asyncio.sleep(seconds)
        for door in held:
            door.close()

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(limit=_AT_ONCE, local_addr=(self._world.outside, 0))
        end = time.monotonic() + LONGEST
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(_PATIENCE)) as session:
            number = 0
            while number < MOST and time.monotonic() < end:
                for _ in range(self.burst):
                    task = asyncio.create_task(self._one(session, self.paths[number % len(self.paths)]))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                    number += 1
                await asyncio.sleep(self.burst / (self.rate * self.share) * self._draw.uniform(0.8, 1.2))

    async def _one(self, session: aiohttp.ClientSession, path: str) -> None:
        world = self._world
        headers = {"host": world.plan.domain, "user-agent": self._draw.choice(_AGENTS)}
        try:
            url = f"http://{world.gateway.address}:{GATEWAY_PORT}{path}"
            async with session.get(url, headers=headers) as said:
                await said.read()
                self.counts[str(said.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.counts[type(error).__name__] += 1
