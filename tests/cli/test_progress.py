"""Progress is for terminals."""

import io
import sys

import pytest

from meshforensics.cli._progress import cells, spinner


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_nothing_is_shown_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with spinner("reading") as say, cells() as advance:
        say("a file")

    assert (advance, capsys.readouterr()) == (None, ("", ""))


def test_a_terminal_sees_what_is_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    with spinner("reading") as say:
        say("a file")
    with cells() as advance:
        assert advance is not None
        advance(1, 2)

    assert "writing the report" in terminal.getvalue()
