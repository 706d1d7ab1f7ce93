"""Progress on stderr, where that is a terminal; silent where it is not."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def spinner(what: str) -> Iterator[Callable[[str], None]]:
    """Show that `what` is going on; the function given says what exactly."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield status.update


@contextmanager
def cells() -> Iterator[Callable[[int, int], None] | None]:
    """A bar over the cells of a notebook."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("writing the report", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
