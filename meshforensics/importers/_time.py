"""When a foreign report was captured: what its own log says, then its archive, then its evidence."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from meshforensics.model import UsageError, parse_time

_STAMP = re.compile(
    rb"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d|(?=\])))"
    rb"|\"(?:start_time|time|timestamp|ts)\": ?\"(\d{4}-\d\d-\d\dT[\d:.]+Z)\"",
    re.MULTILINE,
)
_PREVIOUS = b"========= Previous log ========="
_TAIL = 64 * 1024


def _field(*names: bytes) -> "re.Pattern[bytes]":
    """Finds the times under some names, in JSON and in YAML."""
    return re.compile(rb"\b(?:" + b"|".join(names) + rb")[\"']?: ?[\"']?(\d{4}-\d\d-\d\dT[\d:.]+Z)")


_OBJECTS = _field(b"lastHeartbeatTime", b"renewTime", b"lastTimestamp", b"eventTime", b"lastObservedTime")
_SPEAKS = {
    "envoy.config_dump": _field(
        b"last_updated", b"lastUpdated", b"last_update_attempt", b"lastUpdateAttempt", b"version_info", b"versionInfo"
    ),
    "istiod.syncz": _field(b"sentTime"),
    "istiod.adsz": _field(b"connectedAt"),
    "kubernetes.objects": _OBJECTS,
    "foreign.k8s-resources": _OBJECTS,
    "foreign.k8s-cluster-resources": _OBJECTS,
}
"""What is written again and again while a mesh lives, so that the newest of it is from shortly before the
capture. When an object was made, or a certificate begins, says too little: it may be long ago."""

_SKEW = timedelta(minutes=10)


class Captured(NamedTuple):
    """A capture time and where it was read; None is unknown."""

    at: datetime | None
    source: str


UNKNOWN = Captured(None, "unknown")


def from_archive(times: Iterable[datetime | None]) -> Captured:
    """The newest time that the archive gives its members."""
    known = [time for time in times if time is not None and time.year > 1980]
    return Captured(max(known), "archive-member") if known else UNKNOWN


def from_lines(payloads: Iterable[bytes]) -> Captured:
    """The newest instant that the last lines of logs speak of; the previous container's may come last."""
    parts = (part[-_TAIL:] for payload in payloads for part in payload.split(_PREVIOUS))
    stamps = [stamp for part in parts for stamp in _STAMP.findall(part)[-1:]]
    return _newest(line or field for line, field in stamps)


def from_evidence(kind: str, payload: bytes) -> Captured:
    """The newest instant that an item of `kind` speaks of: it was captured then or later."""
    if kind.startswith("log."):
        return from_lines([payload])
    speaks = _SPEAKS.get(kind)
    return _newest(speaks.findall(payload)) if speaks else UNKNOWN


def newest(times: Iterable[Captured]) -> Captured:
    """The latest of some times that are known."""
    known = [(time.at, time.source) for time in times if time.at is not None]
    return Captured(*max(known)) if known else UNKNOWN


def credible(archive: Captured, evidence: Captured) -> Captured:
    """The archive's time, unless the evidence speaks of a later one: then the archive was made with a wrong one."""
    if archive.at is None or (evidence.at is not None and evidence.at > archive.at + _SKEW):
        return evidence
    return archive


def read_time(stamp: bytes) -> datetime | None:
    """A time as logs write it; None when it is none."""
    try:
        return parse_time(stamp.decode())
    except (UsageError, UnicodeDecodeError):
        return None


def _newest(stamps: Iterable[bytes]) -> Captured:
    known = [at for stamp in stamps if (at := read_time(stamp)) is not None]
    return Captured(max(known), "evidence") if known else UNKNOWN
