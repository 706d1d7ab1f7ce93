"""The log of an istio-proxy container: access lines, Envoy's and pilot-agent's own messages, rejections."""

from typing import Any

import msgspec

from meshforensics.formats._log import Log, Part
from meshforensics.formats._log_line import LogLine
from meshforensics.formats._rejected import Rejected, refused_resources, rejected_in
from meshforensics.formats.access_log import AccessLine, parse_keys, parse_text

__all__ = ["LogLine", "Part", "ProxyLog", "Rejected", "decode", "refused_resources"]


class ProxyLog(msgspec.Struct, frozen=True):
    """What one log says.

    Attributes:
        access: its access lines.
        previous_access: pointers of those access lines that are of the previous container.
        lines: every other message, with the lines that belong to it.
        rejections: configuration that Envoy refused, one per resource.
        parts: how far the log reaches, of the current and the previous container.
    """

    access: tuple[AccessLine, ...]
    previous_access: frozenset[str]
    lines: tuple[LogLine, ...]
    rejections: tuple[Rejected, ...]
    parts: tuple[Part, ...]


class _AccessLines:
    """Takes the access lines out of a log."""

    def __init__(self) -> None:
        self.found: list[AccessLine] = []
        self.previous: set[str] = set()

    def __call__(self, line: str, said: dict[str, Any] | None, pointer: str, previous: bool) -> str | None:
        made = parse_keys(said, pointer) if said is not None else None
        if made is None and line[:1] == "[":
            made = parse_text(line, pointer)
        if made is None:
            return None
        self.found.append(made)
        if previous:
            self.previous.add(pointer)
        return made.at or ""


def decode(payload: bytes) -> ProxyLog:
    """Read the log of a proxy, to its last whole line.

    Raises:
        NotTheFormError: it is empty, or no line of it is a log or access line.
    """
    access = _AccessLines()
    log = Log(payload, what="the log of a proxy", other=access)
    return ProxyLog(
        access=tuple(access.found),
        previous_access=frozenset(access.previous),
        lines=tuple(log.lines),
        rejections=tuple(each for line in log.lines for each in rejected_in(line)),
        parts=tuple(log.parts),
    )
