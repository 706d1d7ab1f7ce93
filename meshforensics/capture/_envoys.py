"""Envoys outside Kubernetes: their admin ports, by URL."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from meshforensics.capture._again import again
from meshforensics.capture._allowed import check
from meshforensics.capture._ask import Ask, Job, Record, Stage
from meshforensics.capture._read import Trouble, read_body
from meshforensics.capture._reply import Outcome, Reply, TroubleError, outcome_of, outcome_of_trouble
from meshforensics.capture._targets import stage_of
from meshforensics.formats.pages import ENVOY_PAGES, Page
from meshforensics.model import Cause, Status, UsageError

NAMESPACE = "envoy"
"""The namespace in the subjects of proxies that are in none."""


@dataclass(frozen=True, kw_only=True)
class Admin:
    """One admin port.

    Attributes:
        url: its address, without a slash at its end.
        subject: the subject of its items: ``envoy/<host>-<port>``.
    """

    url: str
    subject: str


def admin_of(url: str) -> Admin:
    """The admin port at a URL.

    >>> admin_of("http://10.0.0.7:15000/").subject
    'envoy/10.0.0.7-15000'

    Raises:
        UsageError: it is no such URL.
    """
    split = urlsplit(url)
    try:
        port = split.port or {"http": 80, "https": 443}.get(split.scheme, 0)
    except ValueError:
        port = 0
    if split.scheme not in {"http", "https"} or not split.hostname or not port or split.query or split.fragment:
        raise UsageError(f"{url!r} is no address of an admin port; write it like http://10.0.0.7:15000")
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", split.hostname).strip("-")
    return Admin(url=url.rstrip("/"), subject=f"{NAMESPACE}/{host}-{port}")


def jobs(
    admins: Sequence[Admin],
    session: aiohttp.ClientSession,
    patience: float,
    learn: Callable[[str, str], None],
    wanted: Callable[[Page], bool],
) -> Iterator[Job]:
    """The pages of each admin port that are wanted, by stage."""
    hung: set[str] = set()
    for number, admin in enumerate(admins):
        for stage in Stage:
            pages = tuple(page for page in ENVOY_PAGES if stage_of(page) is stage and wanted(page))
            if not pages:
                continue
            yield Job(
                rank=(stage, 0, number),
                asks=tuple(Ask(kind=page.kind, subject=admin.subject) for page in pages),
                work=_Visit(admin, pages, _Way(session, patience, learn, hung)),
            )


@dataclass(frozen=True)
class _Way:
    """How admin ports are asked, and which did not answer."""

    session: aiohttp.ClientSession
    patience: float
    learn: Callable[[str, str], None]
    hung: set[str]

    async def get(self, url: str) -> Reply:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.patience, sock_read=self.patience)
        async with Trouble(f"GET {url}"), self.session.get(url, timeout=timeout, allow_redirects=False) as said:
            reply = await read_body(said, self.patience)
        self.learn(reply.date, "proxy")
        return reply


@dataclass(frozen=True)
class _Visit:
    """Fetches pages of one admin port, one after the other."""

    admin: Admin
    pages: tuple[Page, ...]
    way: _Way

    async def __call__(self, record: Record) -> None:
        for page in self.pages:
            record(Ask(kind=page.kind, subject=self.admin.subject), await self._outcome(check(page)))

    async def _outcome(self, page: Page) -> Outcome:
        if self.admin.subject in self.way.hung:
            return Outcome(status=Status.FAILED, cause=Cause.TIMEOUT, detail="not asked: it did not answer before")
        try:
            return outcome_of(page.kind, await again(lambda: self.way.get(f"{self.admin.url}{page.path}"), 2))
        except TroubleError as trouble:
            if trouble.cause is Cause.TIMEOUT:
                self.way.hung.add(self.admin.subject)
            return outcome_of_trouble(trouble)
