"""Wait until whoever started a command wants it to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def until_interrupted() -> Iterator[Callable[[], None]]:
    """Give a function that waits for Ctrl-C or SIGTERM; either ends the ``with`` in order, not with an error."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: _wait(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(asked: threading.Event) -> None:
    while not asked.wait(timeout=1.0):  # a wait without end would not let Windows see Ctrl-C
        pass
