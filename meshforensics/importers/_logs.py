"""Logs that hold two runs of a container."""

import re
from collections.abc import Iterator

from meshforensics.importers._source import Member, Source

_PREVIOUS = re.compile(rb"^=+ ?Previous log ?=+[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
"""What istioctl bug-report writes between the runs; the line ``Previous log present`` at the top is a notice."""


def split_previous(kind: str, payload: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Kind and bytes of the current log and, after the tool's marker, of the previous one.

    >>> list(split_previous("log.discovery", b"now\n========= Previous log =========\nthen\n"))
    [('log.discovery', b'now\n'), ('log.discovery.previous', b'then\n')]
    """
    found = _PREVIOUS.search(payload) if kind.startswith("log.") else None
    if found is None:
        yield kind, payload
        return
    yield kind, payload[: found.start()]
    if payload[found.end() :].strip():
        yield f"{kind}.previous", payload[found.end() :]


def read_part(source: Source, member: Member, kind: str, part: str) -> bytes:
    """The bytes of one part of a member, read again."""
    return dict(split_previous(kind, source.read(member)))[part]
