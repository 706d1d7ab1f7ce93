"""One capture from its first question to the sealed bundle."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import aiohttp

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._connect import connect
from meshforensics.capture._discovery import versions
from meshforensics.capture._dry_run import DryRun, dry_run
from meshforensics.capture._envoys import admin_of
from meshforensics.capture._envoys import jobs as envoy_jobs
from meshforensics.capture._lists import ASKED, Listing, fetch, objects
from meshforensics.capture._plan import Options, list_jobs, listings, pod_jobs, pod_listings
from meshforensics.capture._prometheus import checked, range_of
from meshforensics.capture._prometheus import jobs as range_jobs
from meshforensics.capture._record import Clock, Recorder
from meshforensics.capture._reply import Outcome, TroubleError, outcome_of
from meshforensics.capture._run import Queue
from meshforensics.capture._secrets import jobs as secret_jobs
from meshforensics.capture._secrets import of_control_planes, of_gateways
from meshforensics.capture._targets import Target, targets
from meshforensics.capture._visit import Door
from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.pages import Page
from meshforensics.formats.resources import Resource
from meshforensics.model import MESH, Cause, SourceError, Status, UsageError

Progress = Callable[[str], None]
_VERSION = Ask(kind="kubernetes.version", subject=MESH)
_SAMPLED = frozenset(
    (
        "kubernetes.pods", "kubernetes.events", "kubernetes.usage", "envoy.memory", "envoy.stats_prometheus",
        "istiod.metrics", "linkerd.metrics",
    )
)  # fmt: skip
"""What a sample of a watch asks for: what changes from one moment to the next, and is small."""
_RESERVE = 0.03
"""The share of the budget that writing the manifest may take."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What a capture came to.

    Attributes:
        bundle: the bundle, opened.
        counts: items by status and cause.
        stopped: whether it was stopped by hand.
    """

    bundle: Bundle
    counts: dict[str, int]
    stopped: bool

    @property
    def useful(self) -> bool:
        """Whether anything came but the version of the API server."""
        return any(item.stored and item.kind != _VERSION.kind for item in self.bundle.items)


class Session:
    """One pass over a mesh: a whole capture, or a sample of what changes from one moment to the next."""

    def __init__(
        self,
        options: Options,
        cluster: Cluster | None,
        recorder: Recorder,
        clock: Clock,
        *,
        sample: bool = False,
        after: float = 0.0,
        served: Mapping[Resource, str] | None = None,
    ) -> None:
        self.options = options
        self.cluster = cluster
        self.recorder = recorder
        self.clock = clock
        self._sample = sample
        self._after = after
        self.served = served
        self._read: set[tuple[str, str]] = set()
        self._started = time.monotonic()
        self.queue = Queue(recorder, lambda: (time.monotonic() - self._started) / options.budget)

    async def run(self) -> None:
        """Ask for everything, when it is time."""
        await asyncio.sleep(self._after)
        self._started = time.monotonic()
        async with AsyncExitStack() as stack:
            if self.options.envoys or self.options.prometheus:
                self._outside(await stack.enter_async_context(aiohttp.ClientSession()))
            if self.cluster is not None:
                await self._plan(self.cluster)
            await self.queue.run()

    def _outside(self, session: aiohttp.ClientSession) -> None:
        """Plan what is asked by its own address."""
        options = self.options
        learn = self.clock.learn if self.cluster is None else _ignore
        admins = [admin_of(url) for url in options.envoys]
        self.queue.add(envoy_jobs(admins, session, options.patience, learn, self._pages))
        if options.prometheus and not self._sample:
            span = range_of(self.clock.at(), options.window)
            self.queue.add(range_jobs(checked(options.prometheus), span, session, options.patience))

    async def _plan(self, cluster: Cluster) -> None:
        """Look which pods there are and what the server serves; then plan all the rest at once."""
        served, (pods, namespaces) = await asyncio.gather(self._versions(cluster), self._pods(cluster))
        found = [self._part(target) for target in self._chosen(self._targets(pods))]
        if not self._sample:
            self._absent(served)
        lists = [each for each in listings(served, namespaces) if self._is_listed(each)]
        jobs = [
            *list_jobs(cluster, lists, lambda gateways: self._credentials(cluster, of_gateways(gateways, pods))),
            *pod_jobs(Door(cluster), found, self.options.log_since),
        ]
        self.queue.add(jobs)
        self._credentials(cluster, of_control_planes(pods))

    def _is_listed(self, listing: Listing) -> bool:
        """Whether a list is asked for in this pass."""
        if listing.is_of_secrets and not self.options.secrets:
            self._skip(listing.ask, "Secrets are not wanted (--no-secrets)")
            return False
        return not self._sample or listing.ask.kind in _SAMPLED

    def _skip(self, ask: Ask, why: str) -> None:
        if not self._sample:
            self.recorder.plan([ask])
            self.recorder.record(ask, Outcome(status=Status.SKIPPED, cause=Cause.NOT_PERMITTED, detail=why))

    def _credentials(self, cluster: Cluster, names: Iterable[tuple[str, str]]) -> None:
        """Plan the reading of some Secrets; each once."""
        if self._sample or not self.options.secrets:
            return
        new = [name for name in dict.fromkeys(names) if name not in self._read]
        self._read.update(new)
        self.queue.add(secret_jobs(cluster, new))

    async def _versions(self, cluster: Cluster) -> Mapping[Resource, str]:
        """What the server serves; a series asks once."""
        if self.served is None:
            self.served = await versions(cluster)
        return self.served

    def _targets(self, pods: list[KubernetesObject]) -> list[Target]:
        return list(targets(pods, application_logs=self.options.application_logs))

    def _pages(self, page: Page) -> bool:
        """Whether a page is asked for in this pass."""
        return not self._sample or page.kind in _SAMPLED

    def _part(self, target: Target) -> Target:
        """What of a pod is asked for in this pass."""
        pages = tuple(page for page in target.pages if self._pages(page))
        return replace(target, pages=pages, logs=() if self._sample else target.logs)

    async def _pods(self, cluster: Cluster) -> tuple[list[KubernetesObject], Sequence[str]]:
        """Every pod, and the namespaces that are listed one by one because all at once is not wanted, or refused."""
        wanted = pod_listings(self.options)
        within: Sequence[str] = self.options.within
        pods, refused = await self._list(cluster, wanted)
        if refused and not within:
            within = await self._readable(cluster)
            pods, _ = await self._list(
                cluster, [Listing(resource=wanted[0].resource, version="v1", namespace=each) for each in within]
            )
        return pods, within

    async def _list(self, cluster: Cluster, wanted: Sequence[Listing]) -> tuple[list[KubernetesObject], bool]:
        """The objects of lists, and whether the first of them was refused."""
        asks = tuple(listing.ask for listing in wanted)
        self.recorder.plan(asks)
        self.recorder.begin(asks)
        outcomes = await asyncio.gather(*(fetch(cluster, listing) for listing in wanted))
        for ask, outcome in zip(asks, outcomes, strict=True):
            self.recorder.record(ask, outcome)
        return [pod for outcome in outcomes for pod in objects(outcome)], outcomes[0].cause is Cause.FORBIDDEN

    async def _readable(self, cluster: Cluster) -> list[str]:
        """The names of all namespaces; where they may not be listed, the context's own."""
        resource = next(each for each in ASKED if each.plural == "namespaces")
        outcome = await fetch(cluster, Listing(resource=resource, version="v1"))
        return sorted(one.name for one in objects(outcome)) or [cluster.namespace]

    def _chosen(self, found: list[Target]) -> list[Target]:
        """The pods that were asked for, and the control planes; a pod that is named and not there is absent."""
        if not self.options.pods:
            return found
        chosen = [each for each in found if each.subject in self.options.pods or each.program == "pilot-discovery"]
        for subject in sorted(set(self.options.pods) - {each.subject for each in chosen}):
            ask = Ask(kind="envoy.config_dump", subject=subject)
            self.recorder.plan([ask])
            self.recorder.record(ask, Outcome(status=Status.ABSENT, detail="no pod of a mesh has this name"))
        return chosen

    def _absent(self, served: Mapping[Resource, str]) -> None:
        """Note the resources that the server does not serve."""
        for resource, version in served.items():
            if not version:
                ask = Ask(kind=resource.item_kind, subject=MESH)
                self.recorder.plan([ask])
                self.recorder.record(ask, Outcome(status=Status.ABSENT, detail="the API server does not serve it"))


async def run(options: Options, into: str, progress: Progress) -> Captured:
    """Capture into a bundle, within the budget.

    Raises:
        SourceError: there is no cluster, or it does not answer.
        BundleError: `into` exists already.
    """
    deadline = asyncio.get_running_loop().time() + options.budget * (1 - _RESERVE)
    clock = Clock()
    cluster, first = await _begun(options, clock, deadline)
    try:
        writer = BundleWriter(
            into, mesh=cluster.context if cluster else MESH, layout="capture", redact_hosts=options.redact_hosts
        )
        recorder = Recorder(writer, clock, progress, time.monotonic() + options.budget)
        if first:
            recorder.plan([_VERSION])
            recorder.record(_VERSION, first)
        first_pass = Session(options, cluster, recorder, clock)
        stopped = await _within(deadline, first_pass)
        counts = recorder.counts
        for session, budget in _series(first_pass, writer, progress) if not stopped else ():
            stopped = await _within(asyncio.get_running_loop().time() + budget, session)
            counts += session.recorder.counts
            if stopped:
                break
        return Captured(bundle=writer.seal(), counts=dict(sorted(counts.items())), stopped=stopped)
    finally:
        if cluster:
            await cluster.close()


def _series(first: Session, writer: BundleWriter, progress: Progress) -> Iterator[tuple[Session, float]]:
    """The samples of a watch and the whole capture that ends it, each with the seconds that it may take.

    A sample begins on its beat; one that took too long makes the next begin at once, and has none left out.
    """
    options, clock, started = first.options, first.clock, time.monotonic()
    beats = int(options.watch // options.every) if options.watch else 0
    for beat in range(1, beats + 1):
        after = max(0.0, started + beat * options.every - time.monotonic())
        recorder = Recorder(writer, clock, progress, time.monotonic() + after + options.every)
        sample = Session(options, first.cluster, recorder, clock, sample=True, after=after, served=first.served)
        yield sample, after + options.every
    if options.watch:
        after = max(0.0, started + options.watch - time.monotonic())
        recorder = Recorder(writer, clock, progress, time.monotonic() + after + options.budget)
        last = Session(options, first.cluster, recorder, clock, after=after, served=first.served)
        yield last, after + options.budget * (1 - _RESERVE)


async def look(options: Options) -> DryRun:
    """What a capture would ask; nothing is written.

    Raises:
        SourceError: there is no cluster, or it does not answer.
    """
    cluster = await _connected(options)
    try:
        if cluster:
            await _first(cluster, Clock())
        return await dry_run(options, cluster)
    finally:
        if cluster:
            await cluster.close()


async def _begun(options: Options, clock: Clock, deadline: float) -> tuple[Cluster | None, Outcome | None]:
    """The cluster and its first answer; a cluster that does not answer within the budget is an error."""
    cluster = None
    try:
        async with asyncio.timeout_at(deadline):
            cluster = await _connected(options)
            return cluster, await _first(cluster, clock) if cluster else None
    except TimeoutError as error:
        raise SourceError(f"the API server did not answer within the budget of {options.budget:g} s") from error
    except SourceError:
        if cluster:
            await cluster.close()
        raise


async def _connected(options: Options) -> Cluster | None:
    """The cluster; None where only Envoys outside of any are asked for."""
    for pod in options.pods:
        if not all(pod.partition("/")):
            raise UsageError(f"{pod!r} names no pod; write it like shop/web-1")
    for url in options.envoys:
        admin_of(url)
    if options.prometheus:
        checked(options.prometheus)
    if options.envoys and not (options.kubeconfig or options.context or options.namespaces or options.pods):
        return None
    return await connect(options.context, options.patience, options.kubeconfig)


async def _within(deadline: float, session: Session) -> bool:
    """Run until all is asked, the time is up, or somebody stops it (then True)."""
    try:
        async with asyncio.timeout_at(deadline):
            await session.run()
    except TimeoutError:
        session.recorder.close("the time that it may take was used up")
    except asyncio.CancelledError:
        session.recorder.close("the capture was stopped by hand")
        return True
    return False


async def _first(cluster: Cluster, clock: Clock) -> Outcome:
    """The first answer of the API server; it tells its clock too."""
    try:
        reply = await again(lambda: cluster.get("/version"))
    except TroubleError as trouble:
        raise SourceError(f"the API server of context {cluster.context} does not answer: {trouble}") from trouble
    clock.learn(reply.date, "API server")
    outcome = outcome_of(_VERSION.kind, reply)
    return replace(outcome, detail="; ".join(filter(None, (outcome.detail, clock.said))))


def _ignore(_date: str, _source: str) -> None:
    """The API server's clock counts, not that of a proxy."""
