"""A captured container log: messages with the lines that belong to them, current and previous container."""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from meshforensics.formats._log_line import LogLine, continued, log_keys, log_line, log_object, without_prefix
from meshforensics.formats._text_lines import lines_pointer, shown, whole_lines
from meshforensics.model import NotTheFormError

_PREVIOUS = "========= Previous log ========="
_BANNER = "========= Previous log present"


class Part(msgspec.Struct, frozen=True):
    """How much of a log is there, of the current or the previous container.

    `first_at` and `last_at` are the earliest and the latest time that its lines say.
    """

    previous: bool
    pointer: str
    lines: int
    first_at: str | None
    last_at: str | None


class Other(Protocol):
    """Reads lines that are no log messages, such as access lines; whatever it returns is kept."""

    def __call__(self, line: str, said: dict[str, Any] | None, pointer: str, previous: bool) -> str | None:
        """The time of the line when it was taken (empty without one); None when it was not."""


class Log:
    """Reads a log once, in order: `lines` and `parts` are then what it said."""

    def __init__(self, payload: bytes, *, what: str, other: Other | None = None) -> None:
        self.lines: list[LogLine] = []
        self.parts: list[Part] = []
        self._other = other
        self._previous = False
        self._open: tuple[LogLine, int, list[str]] | None = None
        self._span: list[Any] = [0, 0, None, None]
        self._read(whole_lines(payload, what=what), what)

    def _read(self, lines: Iterator[tuple[int, str]], what: str) -> None:
        first = ""
        taken = 0
        for number, line in lines:
            first = first or line
            if line.startswith("====") and self._marker(line):
                continue
            if self._begins(number, line):
                taken += 1
                self._count(number)
            elif line.strip() or self._open:
                self._append(number, line)
        self._close()
        self._end_part()
        if not taken:
            raise NotTheFormError(f"not {what}: no line of it has the form; it begins {shown(first)}")

    def _marker(self, line: str) -> bool:
        if line.startswith(_BANNER):
            return True
        if line.rstrip() != _PREVIOUS:
            return False
        self._close()
        self._end_part()
        self._previous = True
        return True

    def _begins(self, number: int, line: str) -> bool:
        """Take a line with which a message or an access line begins."""
        bare = without_prefix(line)
        said = log_keys(bare) if bare[:1] == "{" and bare.rstrip().endswith("}") else None
        pointer = f"L{number}"
        at = self._other(bare, said, pointer, self._previous) if self._other else None
        if at is not None:
            self._close()
            self._extend(at)
            return True
        message = (
            log_object(said, pointer, previous=self._previous)
            if said is not None
            else log_line(bare, pointer, previous=self._previous)
        )
        if message is None:
            return False
        self._close()
        self._open = (message, number, [])
        self._extend(message.at)
        return True

    def _append(self, number: int, line: str) -> None:
        if self._open is None:
            self._open = (LogLine(None, None, None, line, f"L{number}", self._previous), number, [])
        else:
            self._open[2].append(line)
        self._count(number)

    def _close(self) -> None:
        if self._open is None:
            return
        message, number, more = self._open
        while more and not more[-1].strip():
            more.pop()
        whole = continued(message, more, lines_pointer(number, number + len(more))) if more else message
        self.lines.append(whole)
        self._open = None

    def _count(self, number: int) -> None:
        self._span[0] = self._span[0] or number
        self._span[1] = number

    def _extend(self, at: str | None) -> None:
        if at:
            first, last = self._span[2:]
            self._span[2] = min(first, at) if first else at
            self._span[3] = max(last, at) if last else at

    def _end_part(self) -> None:
        first, last, first_at, last_at = self._span
        if first:
            self.parts.append(Part(self._previous, lines_pointer(first, last), last - first + 1, first_at, last_at))
        self._span = [0, 0, None, None]
