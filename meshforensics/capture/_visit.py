"""Visit a pod: its pages one after the other, through port-forward, else through exec; and its logs."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from meshforensics.capture._again import again
from meshforensics.capture._allowed import check
from meshforensics.capture._ask import Ask, Record
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._reply import (
    ClosedPortError,
    Outcome,
    Reply,
    TroubleError,
    message,
    outcome_of,
    outcome_of_trouble,
)
from meshforensics.capture._talk import Talk
from meshforensics.capture._targets import Log, Target
from meshforensics.formats.pages import ADMIN_PORT, ISTIOD_PORT, Page
from meshforensics.model import Cause, Status

LINES = 50_000
BYTES = 32 * 1024**2
"""How much of the end of a log is asked for."""
_TWICE = 2
_NO_LOG = (b"waiting to start", b"previous terminated container")
"""How a kubelet says that a container has not run yet, or not before."""
_NO_PAGE = (b"invalid path. admin commands are", b"404 page not found")
"""How Envoy and istiod say that they have no such page."""
_OWN_PORT = {"pilot-agent": ADMIN_PORT, "pilot-discovery": ISTIOD_PORT}


class Door:
    """The way to pages of pods: one visitor at a time for each pod, and what was learned about each.

    Attributes:
        by_exec: namespaces in which port-forward is not permitted, so that exec is used.
        hung: the page that a pod did not answer in time, by subject.
        closed: ports of pods that nobody listens on.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.by_exec: set[str] = set()
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.hung: dict[str, str] = {}
        self.closed: dict[tuple[str, int], TroubleError] = {}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Fetches pages of one pod."""

    door: Door
    target: Target
    pages: tuple[Page, ...]

    async def __call__(self, record: Record) -> None:
        """Fetch them, and keep what became of each."""
        async with self.door.locks[self.target.subject], AsyncExitStack() as stack:
            line = _Line(self.door, self.target, stack)
            for page in self.pages:
                record(Ask(kind=page.kind, subject=self.target.subject), await self._page(line, check(page)))

    async def _page(self, line: "_Line", page: Page) -> Outcome:
        subject = self.target.subject
        if closed := self.door.closed.get((subject, page.port)):
            return outcome_of_trouble(closed)
        if hung := self.door.hung.get(subject):
            return Outcome(status=Status.FAILED, cause=Cause.TIMEOUT, detail=f"not asked: it did not answer {hung}")
        try:
            return outcome_of(page.kind, await again(lambda: line.get(page), _TWICE))
        except TroubleError as trouble:
            if trouble.cause is Cause.TIMEOUT:
                self.door.hung[subject] = f"{page.port}{page.path}"
            if isinstance(trouble, ClosedPortError):
                self.door.closed[subject, page.port] = trouble
            return outcome_of_trouble(trouble)


class _Line:
    """The connection of one visit; opened anew where it ended."""

    def __init__(self, door: Door, target: Target, stack: AsyncExitStack) -> None:
        self._door = door
        self._target = target
        self._stack = stack
        self._talk: Talk | None = None
        self._port = 0

    async def get(self, page: Page) -> Reply:
        """Ask for a page, by exec where port-forward is not permitted."""
        if self._target.namespace not in self._door.by_exec:
            try:
                return await self._forwarded(page)
            except TroubleError as trouble:
                await self._hang_up()
                if not trouble.refused:
                    raise
                self._door.by_exec.add(self._target.namespace)
        return await self._executed(page)

    async def _forwarded(self, page: Page) -> Reply:
        if self._talk is None or self._talk.over or self._port != page.port:
            await self._hang_up()
            pod = (self._target.namespace, self._target.name)
            stream = await self._stack.enter_async_context(self._door.cluster.forward(pod, page.port))
            self._talk, self._port = Talk(stream), page.port
        return await self._talk.get(page.path)

    async def _hang_up(self) -> None:
        self._talk = None
        await self._stack.aclose()

    async def _executed(self, page: Page) -> Reply:
        target = self._target
        if not target.program:
            raise TroubleError(
                Cause.FORBIDDEN, "port-forward is not permitted, and no command in the pod asks for pages"
            )
        pod = (target.namespace, target.name)
        return as_asked(await self._door.cluster.run(pod, target.container, command(target.program, page)))


def as_asked(printed: Reply) -> Reply:
    """The page's own answer from what the command printed of it.

    ``pilot-agent request`` ends what it prints with a newline of its own, and prints the text of a 404 as if it were
    the page (istio pkg/request, Command.Do).
    """
    if printed.body.startswith(_NO_PAGE):
        return replace(printed, status=404)
    return replace(printed, body=printed.body.removesuffix(b"\n")) if not printed.broken else printed


def command(program: str, page: Page) -> Sequence[str]:
    """The command that asks for a page inside a pod; it needs no shell and no curl.

    >>> from meshforensics.formats.pages import ENVOY_PAGES
    >>> command("pilot-agent", ENVOY_PAGES[1])
    ['pilot-agent', 'request', 'GET', '/certs']
    """
    port = [] if page.port == _OWN_PORT[program] else ["--debug-port", str(page.port)]
    return [program, "request", *port, "GET", page.path]


@dataclass(frozen=True, kw_only=True)
class ReadLog:
    """Fetches one log."""

    cluster: Cluster
    target: Target
    log: Log
    since: float = 0.0

    async def __call__(self, record: Record) -> None:
        """Fetch it, and keep what became of it."""
        path = f"/api/v1/namespaces/{self.target.namespace}/pods/{self.target.name}/log"
        query = {"container": self.log.container, "tailLines": str(LINES), "limitBytes": str(BYTES)}
        if self.since:
            query["sinceSeconds"] = str(max(1, round(self.since)))
        if self.log.previous:
            query["previous"] = "true"
        outcome = await self._outcome(lambda: self.cluster.get(path, query))
        record(Ask(kind=self.log.kind, subject=self.target.subject), outcome)

    async def _outcome(self, ask: Callable[[], Awaitable[Reply]]) -> Outcome:
        try:
            reply = await again(ask)
        except TroubleError as trouble:
            return outcome_of_trouble(trouble)
        if reply.status == 400 and any(said in reply.body for said in _NO_LOG):
            return Outcome(status=Status.ABSENT, detail=message(reply.body))
        return outcome_of(self.log.kind, reply)
