"""Entry: run a command, and turn every expected error into one line and an exit code."""

import os
import sys
from collections.abc import Sequence

import click

from meshforensics.cli._commands import cli
from meshforensics.model import MeshForensicsError

INTERRUPTED = 130
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    0 done; 1 a finding at or above ``--fail-on``, or damage; 2 the command could not do its work, or only
    in part, with one line on stderr; 130 interrupted.
    """
    try:
        code = cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MeshForensicsError as error:
        print(f"meshforensics: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILED
