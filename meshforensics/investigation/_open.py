"""Open anything that holds evidence: a bundle of ours, or a foreign source read on the fly."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from os import PathLike, fspath
from weakref import finalize

import fsspec

from meshforensics.bundle import Bundle, is_bundle, open_bundle
from meshforensics.importers import import_evidence
from meshforensics.investigation._investigation import Investigation
from meshforensics.investigation._shipped import shipped
from meshforensics.model import UsageError, parse_time
from meshforensics.profile import Profile, load_profile

_numbers = count(1)
_gone: deque[str] = deque()
"""What to give back at the next opening: a collector runs anywhere, also while somebody reads that memory."""

Path = str | PathLike[str]


def open_evidence(
    path: Path | Sequence[Path],
    *,
    at: str | datetime | None = None,
    window: str | timedelta | None = None,
    profile: str | Path | Profile = "default",
) -> Investigation:
    """Open a bundle, or read a foreign source (or several of one mesh) on the fly.

    Args:
        path: a bundle (directory, ``.zip``, fsspec URL), an ``istioctl bug-report`` (directory,
            ``.tar.gz``, ``.zip``), a lone admin file, or a list of such sources. The short path of a shipped
            capture, as ``captures/ca-rotation``, works from anywhere.
        at: judge as of this instant; by default the bundle's own.
        window: span before `at` that rates are judged over, as ``15m`` or a timedelta; by default the
            profile's.
        profile: ``default``, ``guide``, a path, or a loaded profile.

    Raises:
        SourceError: the path is nothing that can be read as evidence, or must not be.
        BundleError: the bundle is damaged or of a newer schema.
        UsageError: `at`, `window` or `profile` is not understood.
    """
    sources = [each for each in ([path] if isinstance(path, (str, PathLike)) else path) if fspath(each)]
    if not sources:
        raise UsageError(
            "no path given: name a bundle, a bug-report or an admin file; captures/ca-rotation comes with meshforensics"
        )
    thresholds = profile if isinstance(profile, Profile) else load_profile(fspath(profile))
    return Investigation(
        bundle=_bundle([shipped(fspath(source)) for source in sources]),
        at=parse_time(at) if isinstance(at, str) and at else at or None,
        window=parse_span(window) if isinstance(window, str) and window else window or None,
        profile=thresholds,
    )


def _bundle(sources: list[str]) -> Bundle:
    if len(sources) == 1 and is_bundle(sources[0]):
        return open_bundle(sources[0])
    while _gone:
        _forget(_gone.popleft())
    url = f"memory://meshforensics/{next(_numbers)}"
    bundle = import_evidence(sources, url)
    finalize(bundle, _gone.append, url)
    return bundle


def _forget(url: str) -> None:
    """Give back the memory of a source that was read on the fly and that nobody holds any more."""
    filesystem, root = fsspec.core.url_to_fs(url)
    for name in filesystem.find(root):  # a recursive removal looks through all that is in memory for each of them
        filesystem.rm_file(name)
    filesystem.rmdir(root)


def parse_span(text: str) -> timedelta:
    """Read a span such as ``90s``, ``15m``, ``2h`` or ``1d``.

    Raises:
        UsageError: the text is no such span, or not longer than nothing.
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    try:
        span = timedelta(**{units[unit]: float(number)})
    except (KeyError, ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a span of time; write it like 90s, 15m, 2h or 1d") from error
    if span <= timedelta(0):
        raise UsageError(f"{text!r} is not longer than nothing; write it like 15m")
    return span
