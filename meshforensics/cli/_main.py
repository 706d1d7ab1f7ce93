"""Entry: run a command, and turn every expected error into one line and an exit code."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from meshforensics.cli._commands import cli
from meshforensics.model import MeshForensicsError
from meshforensics.report.plain_text import plain

PROGRAM = "meshforensics"
INTERRUPTED = 130
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    0 done; 1 a finding at or above ``--fail-on``, or damage; 2 the command could not do its work, or only
    in part, with one line on stderr; 130 interrupted.
    """
    _have_streams()
    try:
        with _ended_alike():
            code = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except (click.Abort, KeyboardInterrupt):
        return _failed("stopped", INTERRUPTED)
    except MeshForensicsError as error:
        return _failed(str(error))
    except MemoryError:
        return _failed("there is not enough memory for this; give fewer sources at once")
    except OSError as error:
        return _failed(f"{error.filename or 'stdout'}: {error.strerror or error}; nothing more was done")
    return code


def _run(arguments: list[str]) -> int:
    """Run the command, without click's own handling of errors: it would exit with 1 where a pipe closes."""
    try:
        with cli.make_context(PROGRAM, arguments) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return FAILED
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        return _failed(f"{error.format_message()} See: {where} --help")
    return code if isinstance(code, int) else 0


@contextmanager
def _ended_alike() -> Iterator[None]:
    """Let SIGTERM end us as Ctrl-C does: what was unpacked, not yet redacted, is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(why: str, code: int = FAILED) -> int:
    with suppress(OSError):  # where stderr cannot be written, the exit code still tells
        print(f"{PROGRAM}: {plain(' '.join(why.split()))}", file=sys.stderr)
    return code


def _reader_left() -> int:
    """Whoever read our output (``| head``) has seen enough: say nothing, and let nothing be flushed into it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _have_streams() -> None:
    """Output that was closed goes nowhere; what the terminal's encoding does not hold is escaped."""
    sys.stdout = sys.stdout or _nowhere(1)
    sys.stderr = sys.stderr or _nowhere(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere(descriptor: int) -> TextIO:
    """A stream for a descriptor that was closed, which a kernel that we start has then, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    os.set_inheritable(descriptor, True)
    return os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)
