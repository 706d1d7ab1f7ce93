"""Messages own the lines that follow them; a marker begins the previous container's log."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats._log import Log, Part
from meshforensics.model import NotTheFormError

A, B, C = (f"2026-01-01T12:00:0{second}.000000Z" for second in range(3))


def _access(line: str, said: dict[str, Any] | None, pointer: str, previous: bool) -> str | None:
    return C if line.startswith("!") else None


def _read(text: str) -> Log:
    return Log(text.encode(), what="a log", other=_access)


def test_lines_of_a_message_and_its_place() -> None:
    log = _read(f"{A}\tinfo\tconfig: a\nb: 1\n\nc: 2\n\n{B}\twarn\tx\n")

    assert [(line.message, line.pointer) for line in log.lines] == [("config: a\nb: 1\n\nc: 2", "L1-L4"), ("x", "L6")]


def test_other_lines_end_a_message() -> None:
    log = _read(f"{A}\tinfo\ta\n!access\nstray\nmore\n{B}\tinfo\tb\n")

    assert [(line.at, line.message, line.pointer) for line in log.lines] == [
        (A, "a", "L1"),
        (None, "stray\nmore", "L3-L4"),
        (B, "b", "L5"),
    ]
    assert log.parts == [Part(False, "L1-L5", 5, A, C)]


def test_the_previous_log_is_told_apart() -> None:
    log = _read(
        "========= Previous log present (appended at the end) =========\n\n"
        f"{B}\tinfo\tnow\n========= Previous log =========\n\n{A}\tinfo\tbefore\ntail\n"
    )

    assert [(line.message, line.previous) for line in log.lines] == [("now", False), ("before\ntail", True)]
    assert log.parts == [Part(False, "L3", 1, B, B), Part(True, "L6-L7", 2, A, A)]


@pytest.mark.parametrize("text", ["", "\n", "Error from server: no such pod\n", "a\nb\nc\n"])
def test_what_is_no_log_is_refused(text: str) -> None:
    with pytest.raises(NotTheFormError, match="a log"):
        _read(text)


_LINE = st.sampled_from([f"{A}\tinfo\ta", "!access", "", "stray", "========= Previous log =========", "{}", '{"a":1}'])


@given(st.lists(_LINE, min_size=1, max_size=12))
def test_no_line_is_lost(lines: list[str]) -> None:
    try:
        log = _read("\n".join(lines) + "\n")
    except NotTheFormError:
        return
    kept = [text for line in log.lines for text in line.message.split("\n") if text]
    expected = ["a" if line.endswith("\ta") else line for line in lines if line and line[0] not in "!="]
    assert kept == expected
    assert sum(part.lines for part in log.parts) <= len(lines)
