"""One capture from its first question to the sealed bundle; and a series of them."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._connect import connect
from meshforensics.capture._dry_run import DryRun, dry_run
from meshforensics.capture._envoys import admin_of
from meshforensics.capture._plan import Options
from meshforensics.capture._prometheus import checked, in_cluster
from meshforensics.capture._record import Clock, Recorder
from meshforensics.capture._reply import Outcome, TroubleError, outcome_of
from meshforensics.capture._session import Progress, Session
from meshforensics.model import MESH, SourceError, UsageError
from meshforensics.profile import load_profile

_VERSION = Ask(kind="kubernetes.version", subject=MESH)
_RESERVE = 0.03
"""The least share of the budget that is kept back to write the manifest."""


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


async def run(options: Options, into: str, progress: Progress) -> Captured:
    """Capture into a bundle, within the budget.

    Raises:
        SourceError: there is no cluster, or it does not answer.
        BundleError: `into` exists already.
    """
    end = asyncio.get_running_loop().time() + options.budget
    clock = Clock()
    cluster, first = await _begun(options, clock, end)
    try:
        writer = BundleWriter(
            into, mesh=cluster.context if cluster else MESH, layout="capture", redact_hosts=options.redact_hosts
        )
        recorder = Recorder(writer, clock, progress, time.monotonic() + options.budget)
        if first:
            recorder.plan([_VERSION])
            recorder.record(_VERSION, first)
        first_pass = Session(options, cluster, recorder, clock)
        stopped = await _within(end, first_pass)
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
        sample = Session(options, first.cluster, recorder, clock, sample=True, after=after, first=first)
        yield sample, after + options.every
    if options.watch:
        after = max(0.0, started + options.watch - time.monotonic())
        recorder = Recorder(writer, clock, progress, time.monotonic() + after + options.budget)
        last = Session(options, first.cluster, recorder, clock, after=after, first=first)
        yield last, after + options.budget


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
    load_profile(options.profile)
    named = options.kubeconfig or options.context or options.namespaces or options.pods
    if options.envoys and not (named or in_cluster(options.prometheus)):
        return None
    return await connect(options.context, options.patience, options.kubeconfig)


async def _within(end: float, session: Session) -> bool:
    """Run until all is asked, only sealing still fits before the end, or somebody stops it (then True)."""
    budget = session.options.budget if session.is_whole else 0.0

    def leave_time() -> None:
        """Keep back what sealing takes after a whole capture: more for a larger plan, and on a slower machine."""
        limit.reschedule(end - min(budget / 4, max(budget * _RESERVE, session.recorder.sealing)))

    try:
        async with asyncio.timeout_at(end) as limit:
            leave_time()
            session.recorder.planned = leave_time
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
