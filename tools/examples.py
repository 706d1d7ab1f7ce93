"""Examples in the pages: what stands after ``<!-- runs -->`` is run, and what is shown is what was printed."""

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

from meshforensics.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/*.md")

_CONSOLE = re.compile(r"(<!-- runs -->\n```console\n)(.*?)(```)", re.DOTALL)
_PYTHON = re.compile(r"<!-- runs -->\n```python\n(.*?)```", re.DOTALL)
_HEAD = re.compile(r" \| head -n (\d+)$")


def pages() -> list[Path]:
    """Every page that may hold examples."""
    return [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]


def refreshed(text: str) -> str:
    """The page `text` with the output of each command as it is now."""
    return _CONSOLE.sub(lambda found: found[1] + "".join(map(_session, _commands(found[2]))) + found[3], text)


def python_examples(text: str) -> list[str]:
    """The Python examples of a page that are marked as running."""
    return _PYTHON.findall(text)


def _commands(block: str) -> Iterator[str]:
    return (line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))


def _session(command: str) -> str:
    """A command with what it prints: only our own, and at most ``| head -n N`` after it."""
    head = _HEAD.search(command)
    arguments = shlex.split(_HEAD.sub("", command))[1:]
    with redirect_stdout(io.StringIO()) as out:
        main(arguments)
    lines = out.getvalue().splitlines()[: int(head[1]) if head else None]
    return f"$ {command}\n" + "".join(f"{line}\n" for line in lines)
