"""When a foreign report was captured: what its own log says, then its archive, then its evidence."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from meshforensics.model import UsageError, parse_time

_STAMP = re.compile(
    rb"^\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    rb"|\"(?:start_time|time|timestamp|ts)\": ?\"(\d{4}-\d\d-\d\dT[\d:.]+Z)\"",
    re.MULTILINE,
)
_UPDATED = re.compile(rb"\"?last_?[uU]pdated\"?: ?[\"']?(\d{4}-\d\d-\d\dT[\d:.]+Z)")
_TAIL = 64 * 1024
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
    """The newest instant that the last lines of logs speak of."""
    stamps = [stamp for payload in payloads for stamp in _STAMP.findall(payload[-_TAIL:])[-1:]]
    return _newest(line or field for line, field in stamps)


def from_updates(dump: bytes) -> Captured:
    """The newest ``last_updated`` of a config dump: it was captured then or later."""
    return _newest(_UPDATED.findall(dump))


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
