"""Logs that hold two runs of a container."""

import re
from collections.abc import Iterator

from meshforensics.importers._source import Member, Source

_PREVIOUS = re.compile(rb"^=+ ?Previous log.*=*\s*$", re.MULTILINE)


def split_previous(kind: str, payload: bytes) -> Iterator[tuple[str, bytes]]:
    """Kind and bytes of the current log and, after the tool's marker, of the previous one."""
    if not kind.startswith("log."):
        yield kind, payload
        return
    found = _PREVIOUS.search(payload)
    if found is None:
        yield kind, payload
        return
    current, previous = payload[: found.start()], payload[found.end() :].lstrip(b"\r\n")
    yield kind, current
    if previous.strip():
        yield f"{kind}.previous", previous


def read_part(source: Source, member: Member, kind: str, part: str) -> bytes:
    """The bytes of one part of a member, read again."""
    return dict(split_previous(kind, source.read(member)))[part]
