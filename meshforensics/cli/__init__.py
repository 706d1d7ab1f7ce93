"""The command line. A command parses, calls one library function, prints."""

from meshforensics.cli import _advice as _advice
from meshforensics.cli import _lab as _lab
from meshforensics.cli._commands import cli
from meshforensics.cli._main import main

__all__ = ["cli", "main"]
