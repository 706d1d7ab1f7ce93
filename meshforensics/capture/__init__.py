"""Capture: the evidence of a running mesh into a bundle, within a fixed time, without touching it."""

import asyncio

from meshforensics.capture._access import Permission, needed
from meshforensics.capture._course import Captured, look, run
from meshforensics.capture._dry_run import DryRun
from meshforensics.capture._plan import Options
from meshforensics.capture._session import Progress

__all__ = ["Captured", "DryRun", "Options", "Permission", "capture", "needed", "preview", "run"]


def capture(options: Options, into: str, progress: Progress = lambda _: None) -> Captured:
    """Capture a mesh into a bundle; Ctrl-C ends it early and leaves a whole bundle all the same.

    Args:
        options: what to capture, and how long it may take.
        into: path or URL of the bundle; ``.zip`` seals it.
        progress: called with one line per question.

    Raises:
        SourceError: there is no cluster, or it does not answer.
        UsageError: an option is not understood.
        BundleError: `into` exists already.
    """
    return asyncio.run(run(options, into, progress))


def preview(options: Options) -> DryRun:
    """What a capture would ask, and whether it may: nothing is captured, nothing written.

    Raises:
        SourceError: there is no cluster, or it does not answer.
        UsageError: an option is not understood.
    """
    return asyncio.run(look(options))
