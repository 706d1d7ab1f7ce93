"""Logs of other containers of a mesh: Linkerd's proxies, and CNI plugins.

Source: linkerd2-proxy linkerd/tracing (``[  0.001s]  INFO ThreadId(01) target: message``, times since the start),
and the logs of Istio's Go programs.
"""

import re
from collections.abc import Iterator

import msgspec

from meshforensics.formats._log import Log, Part
from meshforensics.formats._log_line import LogLine

_LINKERD = re.compile(
    r"(?:(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)) )?"
    r"\[\s*(?P<uptime>\d{1,9}\.\d{1,9})s\]\s+(?P<level>TRACE|DEBUG|INFO|WARN|ERROR)\s+"
    r"(?:ThreadId\(\d+\)\s+)?(?P<said>.*)\Z",
    re.ASCII,
)
"""The time before it is that of ``kubectl logs --timestamps``."""


class PlainLog(msgspec.Struct, frozen=True):
    """What one log says; `parts` tells how far it reaches, where its lines have times."""

    lines: tuple[LogLine, ...]
    parts: tuple[Part, ...]


def decode(payload: bytes) -> PlainLog:
    """Read a log to its last whole line.

    Raises:
        NotTheFormError: it is empty, or no line of it is a log line.
    """
    since_start = tuple(_since_start(payload))
    if since_start:
        return PlainLog(lines=since_start, parts=())
    log = Log(payload, what="a log of a mesh's container")
    return PlainLog(lines=tuple(log.lines), parts=tuple(log.parts))


def _since_start(payload: bytes) -> Iterator[LogLine]:
    """Lines of Linkerd's proxy, which say how long it runs, and no time of day."""
    for number, line in enumerate(payload.decode("utf-8", "replace").split("\n"), start=1):
        found = _LINKERD.match(line.strip())
        if found:
            scope, _, message = found["said"].rpartition(": ")
            yield LogLine(
                at=found["at"],
                level=found["level"].lower(),
                scope=scope or None,
                message=message if scope else found["said"],
                pointer=f"L{number}",
                uptime_s=float(found["uptime"]),
            )
