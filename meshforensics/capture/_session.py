"""One pass over a mesh: what is planned, in which order it becomes known."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import aiohttp

from meshforensics.capture._ask import Ask, Job, noted
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._discovery import versions
from meshforensics.capture._envoys import admin_of
from meshforensics.capture._envoys import jobs as envoy_jobs
from meshforensics.capture._lists import ASKED, Listing, fetch, objects, revisions_of
from meshforensics.capture._passing import Passings
from meshforensics.capture._plan import Options, list_jobs, listings, pod_jobs, pod_listings
from meshforensics.capture._prometheus import by_service, by_url, checked, in_cluster, range_of
from meshforensics.capture._prometheus import jobs as range_jobs
from meshforensics.capture._record import Clock, Recorder
from meshforensics.capture._reply import Outcome
from meshforensics.capture._run import Queue
from meshforensics.capture._secrets import jobs as secret_jobs
from meshforensics.capture._secrets import of_control_planes, of_gateways
from meshforensics.capture._targets import Target, targets
from meshforensics.capture._visit import Door
from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.pages import Page
from meshforensics.formats.resources import Resource
from meshforensics.model import MESH, Cause, Status
from meshforensics.profile import load_profile

Progress = Callable[[str], None]
_SAMPLED = frozenset(
    (
        "kubernetes.pods", "kubernetes.events", "kubernetes.usage", "envoy.memory", "envoy.stats_prometheus",
        "istiod.metrics", "linkerd.metrics",
    )
)  # fmt: skip
"""What a sample of a watch asks for: what changes from one moment to the next, and is small."""


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
        first: "Session | None" = None,
    ) -> None:
        self.options = options
        self.cluster = cluster
        self.recorder = recorder
        self.clock = clock
        self._sample = sample
        self._after = after
        self.served: Mapping[Resource, str] | None = first.served if first else None
        self.passings: Passings = first.passings if first else Passings(load_profile(options.profile))
        self._whole: dict[str, Callable[[], Iterable[Job]]] = {}
        self._read: set[tuple[str, str]] = set()
        self._started = time.monotonic()
        recorder.told = self._told
        self.queue = Queue(recorder, lambda: (time.monotonic() - self._started) / options.budget)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole capture, and no sample."""
        return not self._sample

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
        for admin in admins:
            self._whole[admin.subject] = partial(
                envoy_jobs, [admin], session, options.patience, learn, lambda page: not self._pages(page)
            )
        if options.prometheus and not self._sample:
            asked = checked(options.prometheus)
            through = self.cluster if in_cluster(asked) else None
            get = by_service(through, asked) if through else by_url(asked, session, options.patience)
            self.queue.add(range_jobs(get, range_of(self.clock.at(), options.window)))

    async def _plan(self, cluster: Cluster) -> None:
        """Look which pods there are and what the server serves; then plan all the rest at once."""
        served, (pods, namespaces) = await asyncio.gather(self._versions(cluster), self._pods(cluster))
        chosen, door = self._chosen(self._targets(pods)), Door(cluster)
        self.passings.learn(pods)
        for target in chosen:
            rest = replace(target, pages=tuple(page for page in target.pages if not self._pages(page)))
            self._whole[target.subject] = partial(pod_jobs, door, [rest], self.options.log_since)
        if not self._sample:
            self._absent(served)
        lists = [each for each in listings(served, namespaces, revisions_of(pods)) if self._is_listed(each)]
        jobs = [
            *list_jobs(cluster, lists, lambda gateways: self._credentials(cluster, of_gateways(gateways, pods))),
            *pod_jobs(door, [self._part(target) for target in chosen], self.options.log_since),
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

    def _told(self, ask: Ask, outcome: Outcome) -> None:
        """In a sample, take all of a proxy whose memory passes its threshold; a whole capture has that anyway."""
        for subject, why in self.passings.seen(ask, outcome, dump=self._sample):
            if whole := self._whole.get(subject):
                self.queue.add(noted(job, why) for job in whole())

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


def _ignore(_date: str, _source: str) -> None:
    """The API server's clock counts, not that of a proxy."""
