"""When a foreign report was captured: what its own log says, then its archive, then its evidence."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from meshforensics.model import UsageError, parse_time

_STAMP = re.compile(rb"^\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))", re.MULTILINE)
_FETCH = re.compile(rb"^(\S+Z)\t\w+\tproxy (?P<subject>\S+/\S+) GET (?P<path>\S+?):? \d+ bytes", re.MULTILINE)
_TAIL = 64 * 1024


class Captured(NamedTuple):
    """A capture time and where it was read; None is unknown."""

    at: datetime | None
    source: str


UNKNOWN = Captured(None, "unknown")


def from_log(log: bytes) -> Captured:
    """The last line of the tool's own log."""
    stamps = _STAMP.findall(log)
    return Captured(_parse(stamps[-1]), "bug-report.log") if stamps else UNKNOWN


def fetches(log: bytes) -> dict[tuple[str, str], Captured]:
    """``(namespace/pod, path)`` to when it was fetched, for logs that say so."""
    return {
        (found["subject"].decode(), found["path"].decode()): Captured(_parse(found.group(1)), "bug-report.log")
        for found in _FETCH.finditer(log)
    }


def from_archive(times: Iterable[datetime | None]) -> Captured:
    """The newest time that the archive gives its members."""
    known = [time for time in times if time is not None and time.year > 1980]
    return Captured(max(known), "archive-member") if known else UNKNOWN


def from_evidence(payloads: Iterable[bytes]) -> Captured:
    """The newest instant that a log line or a push speaks of; times of validity are not looked at."""
    stamps = [stamp for payload in payloads for stamp in _STAMP.findall(payload[-_TAIL:])[-1:]]
    known = [at for stamp in stamps if (at := _parse(stamp))]
    return Captured(max(known), "evidence") if known else UNKNOWN


def from_updates(dump: bytes) -> Captured:
    """The newest ``last_updated`` of a config dump: it was captured then or later."""
    known = [at for found in re.findall(rb'"last_?[uU]pdated":\s*"([^"]+)"', dump) if (at := _parse(found))]
    return Captured(max(known), "evidence") if known else UNKNOWN


def _parse(stamp: bytes) -> datetime | None:
    try:
        return parse_time(stamp.decode())
    except (UsageError, UnicodeDecodeError):
        return None
