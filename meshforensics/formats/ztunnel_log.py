"""The log of ztunnel: its messages, and one access line for each connection.

Source: ztunnel src/proxy/metrics.rs (ConnectionResult, log target ``access``) and src/telemetry.rs (values
quoted or bare; JSON with ``LOG_FORMAT=json``).
"""

import re
from typing import Any

import msgspec

from meshforensics.formats._log import Log, Part
from meshforensics.formats._log_line import LogLine

_PAIR = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)', re.ASCII)
_COUNT = re.compile(r"\d{1,18}\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,12})ms\Z", re.ASCII)


class Connection(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One connection that ztunnel carried; `at` is its end."""

    at: str | None
    direction: str | None
    source: str | None
    source_identity: str | None
    destination: str | None
    destination_identity: str | None
    service: str | None
    address: str | None
    bytes_sent: int | None
    bytes_received: int | None
    duration_ms: int | None
    error: str | None
    pointer: str


class ZtunnelLog(msgspec.Struct, frozen=True):
    """What one log says; an access line is both a message and a connection."""

    lines: tuple[LogLine, ...]
    connections: tuple[Connection, ...]
    parts: tuple[Part, ...]


def decode(payload: bytes) -> ZtunnelLog:
    """Read the log of ztunnel, to its last whole line.

    Raises:
        NotTheFormError: it is empty, or no line of it is a log line.
    """
    log = Log(payload, what="the log of ztunnel")
    access = (line for line in log.lines if (line.scope or "").startswith("access"))
    return ZtunnelLog(tuple(log.lines), tuple(map(_connection, access)), tuple(log.parts))


def _connection(line: LogLine) -> Connection:
    said: dict[str, Any] = {key: value.strip('"') for key, value in _PAIR.findall(line.message)}
    duration = _DURATION.match(said.get("duration", ""))
    return Connection(
        at=line.at,
        direction=said.get("direction"),
        source=_workload(said, "src"),
        source_identity=said.get("src.identity"),
        destination=_workload(said, "dst"),
        destination_identity=said.get("dst.identity"),
        service=said.get("dst.service"),
        address=said.get("dst.hbone_addr") or said.get("dst.addr"),
        bytes_sent=_count(said.get("bytes_sent")),
        bytes_received=_count(said.get("bytes_recv")),
        duration_ms=int(duration.group(1)) if duration else None,
        error=said.get("error"),
        pointer=line.pointer,
    )


def _workload(said: dict[str, Any], end: str) -> str | None:
    namespace, name = said.get(f"{end}.namespace"), said.get(f"{end}.workload")
    return f"{namespace}/{name}" if namespace and name else name


def _count(value: str | None) -> int | None:
    return int(value) if value and _COUNT.match(value) else None
