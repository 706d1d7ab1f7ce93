"""The wheel works by itself: its commands, its captures, its notebooks."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from meshforensics.model.version import __version__

pytestmark = pytest.mark.usefixtures("untraced")

ROOT = Path(__file__).resolve().parent.parent


def _run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _lend_dependencies(environment: Path) -> None:
    """Let an environment see the locked dependencies (and their templates), but not this checkout."""
    (site,) = environment.glob("lib/python*/site-packages")
    lent = Path(sysconfig.get_path("purelib"))
    shared = site / "dependencies"
    shared.mkdir()
    for path in lent.iterdir():
        if not path.name.startswith("meshforensics") and path.suffix != ".pth":
            (shared / path.name).symlink_to(path)
    (site / "dependencies.pth").write_text(f"{shared}\n")
    (environment / "share").mkdir(exist_ok=True)
    (environment / "share" / "jupyter").symlink_to(Path(sysconfig.get_path("data")) / "share" / "jupyter")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the wheel and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, folder=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    _lend_dependencies(folder / "env")
    python = folder / "env" / "bin" / "python"
    done = _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, folder=folder
    )
    assert done.returncode == 0, done.stderr
    return python.parent


def test_it_is_the_installed_package_that_runs(installed: Path, tmp_path: Path) -> None:
    done = _run(installed / "python", "-c", "import meshforensics as mf; print(mf.__file__)", folder=tmp_path)

    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


@pytest.mark.parametrize("command", ["meshforensics", "kubectl-meshforensics"])
def test_commands(command: str, installed: Path, tmp_path: Path) -> None:
    done = _run(installed / command, "--version", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"meshforensics {__version__}\n", "")


def test_the_packaged_captures_are_whole_and_triaged(installed: Path, tmp_path: Path) -> None:
    for name in ("ca-rotation", "upgrade-503", "memory-leak", "healthy"):
        sound = _run(installed / "meshforensics", "verify", f"captures/{name}", folder=tmp_path)
        assert (sound.returncode, sound.stderr) == (0, "")

    done = _run(installed / "meshforensics", "triage", "captures/ca-rotation", folder=tmp_path)

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("ca-rotation  SUPPORTED, confidence ")


def test_the_packaged_notebook_writes_a_report(installed: Path, tmp_path: Path) -> None:
    done = _run(installed / "meshforensics", "report", "captures/healthy", "-o", "out", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "out/report.html\n", "")
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_schemas_and_licence_are_packaged(installed: Path) -> None:
    (site,) = installed.parent.glob("lib/python*/site-packages")

    assert {path.name for path in site.glob("meshforensics/*/schemas/*.json")} == {
        "bundle-1.schema.json",
        "triage-1.schema.json",
    }
    assert list(site.glob("meshforensics-*.dist-info/licenses/LICENSE"))
    assert (site / "meshforensics" / "py.typed").is_file()
