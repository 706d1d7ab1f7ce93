"""Run a notebook with papermill. This is the one module that knows papermill."""

import contextlib
import logging
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError
from papermill.exceptions import PapermillExecutionError
from zmq import ZMQError

from meshforensics.model import UnknownNameError, UsageError

Progress = Callable[[int, int], None]
"""Told of each cell: how many are done, of how many."""

PACKAGE = Path(__file__).resolve().parent.parent
CELL_SECONDS = 600
"""A cell that takes longer ends the run; the report is then partial."""
LONGEST_FOLDER = 70
"""Characters of a temporary folder that leave room for the name of a socket in it."""

_MARKER = "papermill-error-cell-tag"
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_CELL_FILE = re.compile(r"\S*ipykernel_\d+/\d+\.py")


@dataclass(frozen=True, kw_only=True)
class Executed:
    """A notebook after its run; `failures` says in one line each which cells failed, and why."""

    notebook: Any
    failures: tuple[str, ...]


def notebooks() -> dict[str, Path]:
    """The notebooks that ship with this package, by name without ``.ipynb``."""
    inside, beside = PACKAGE / "_notebooks", PACKAGE.parent / "notebooks"
    folder = inside if inside.is_dir() else beside
    return {path.stem: path for path in sorted(folder.glob("*.ipynb"))}


def find_notebook(name: str) -> Path:
    """The notebook of that name, or at that path.

    Raises:
        UnknownNameError: it is neither.
    """
    known = notebooks()
    if name.removesuffix(".ipynb") in known:
        return known[name.removesuffix(".ipynb")]
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    raise UnknownNameError("notebook", name, known)


def run_notebook(path: Path, parameters: Mapping[str, object], progress: Progress | None = None) -> Executed:
    """Execute the notebook at `path` to its end, whatever fails on the way.

    The kernel is reached by a Unix socket: no port is opened. A cell that fails leaves its error in
    its output, and the cells after it run. The result holds no time, path or random id of this run.

    Raises:
        UnknownNameError: the notebook declares no parameter of that name.
        UsageError: the file is no notebook.
    """
    source = _read(path)
    known = papermill.inspect_notebook(source)
    for name in parameters:
        if name not in known:
            raise UnknownNameError("parameter", name, known)
    with _quiet(), tempfile.TemporaryDirectory(prefix="mf-", dir=_near()) as folder:
        out = Path(folder) / "out.ipynb"
        stopped = _execute(source, out, parameters, progress)
        notebook = nbformat.read(out, as_version=4) if out.is_file() else source
    return Executed(notebook=_settled(notebook), failures=(*_failures(notebook), *stopped))


def _near() -> str | None:
    """Where the socket lies: its whole path may have about 100 characters, which some TMPDIRs use up."""
    return "/tmp" if len(tempfile.gettempdir()) > LONGEST_FOLDER and Path("/tmp").is_dir() else None  # noqa: S108


def _read(path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise UsageError(f"{path} is no notebook: {str(error).splitlines()[0]}") from error


def _execute(source: Any, out: Path, parameters: Mapping[str, object], progress: Progress | None) -> tuple[str, ...]:
    total = sum(cell.cell_type == "code" for cell in source.cells) + bool(parameters)
    done = iter(range(1, total + 1))
    callbacks = {"on_cell_executed": lambda **_: progress(next(done, total), total)} if progress else {}
    kernel = _kernel(out.parent)
    try:
        papermill.execute_notebook(
            source,
            str(out),
            parameters=dict(parameters),
            progress_bar=False,
            allow_errors=True,
            execution_timeout=CELL_SECONDS,
            kernel_name="python3",
            language="python",
            km=kernel,
            **callbacks,
        )
    except PapermillExecutionError:
        return ()
    except CellTimeoutError:
        return (f"a cell took longer than {CELL_SECONDS} s, so the cells after it did not run",)
    except (RuntimeError, ZMQError) as error:
        return (f"the kernel died or did not start (often: out of memory), so cells did not run ({error})",)
    finally:
        _stop(kernel)
    return ()


def _stop(kernel: Any) -> None:
    """End the kernel, which papermill leaves running: it would outlive us and say so on the terminal."""
    if kernel.has_kernel:
        run_sync(kernel.shutdown_kernel)(now=True)


def _kernel(folder: Path) -> Any:
    """A kernel of this very Python, on a Unix socket in `folder`, that reads nobody's start-up files."""
    manager = AsyncKernelManager(
        kernel_name="python3",
        transport="ipc",
        connection_file=str(folder / "k.json"),
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
    )
    manager.kernel_spec.env.update(
        PYTHONHASHSEED="0", IPYTHONDIR=str(folder / "ipython"), MPLBACKEND="module://matplotlib_inline.backend_inline"
    )
    return manager


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep papermill's and the kernel client's log lines off the terminal."""
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets", "asyncio")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def _failures(notebook: Any) -> Iterator[str]:
    """One line a failed cell. After a failed set-up cell the rest fails too and is not named."""
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
        for error in errors[:1]:
            yield f"{_name(cell)}: {error.ename}: {_plain(error.evalue)}"
        if errors and "setup" in cell.metadata.get("tags", ()):
            return


def _name(cell: Any) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    return str(lines[-1].strip() if lines else cell.get("id", "cell"))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _settled(notebook: Any) -> Any:
    """The notebook without what differs from run to run."""
    notebook.cells = [cell for cell in notebook.cells if _MARKER not in cell.metadata.get("tags", ())]
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell["id"] = "injected-parameters"
        for output in cell.get("outputs", ()):
            _settle(output)
    return notebook


def _settle(output: Any) -> None:
    if output.output_type == "error":
        output.traceback = [_CELL_FILE.sub("cell", _ADDRESS.sub("0x…", line)) for line in output.traceback]
        output.evalue = _ADDRESS.sub("0x…", output.evalue)
    data = output.get("data", {})
    if "text/html" in data:
        data.pop("text/plain", None)
    elif "text/plain" in data:
        data["text/plain"] = _ADDRESS.sub("0x…", data["text/plain"])
