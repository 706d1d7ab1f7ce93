"""Every way into the command line ends in an exit code and at most one line on stderr."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshforensics.cli import main
from meshforensics.model.version import __version__

pytestmark = pytest.mark.usefixtures("untraced")

PYTHON = [sys.executable, "-m", "meshforensics"]
ROOT = Path(__file__).resolve().parents[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"meshforensics {__version__}\n"


@pytest.mark.parametrize("command", ["checks", "import", "report", "tables", "triage", "verify"])
def test_help_ends_with_examples_that_call_the_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0

    said = capsys.readouterr()
    examples = said.out.partition("Examples:\n")[2].splitlines()
    assert examples
    assert [line for line in examples if not line.startswith(f"  meshforensics {command}")] == []
    assert said.err == ""


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from meshforensics.cli import main; main(['--help']); print(sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    loaded = done.stdout.splitlines()[-1]
    heavy = ["pandas", "duckdb", "pyarrow", "msgspec", "papermill", "matplotlib", "kubernetes", "fsspec", "rich"]
    assert [name for name in heavy if f"'{name}'" in loaded] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["nothing"], "meshforensics: No such command 'nothing'. See: meshforensics --help\n", id="command"
        ),
        pytest.param(
            ["triage"],
            "meshforensics: Missing argument 'PATH...'. See: meshforensics triage --help\n",
            id="no-path",
        ),
        pytest.param(
            ["triage", "x", "--format", "xml"],
            "meshforensics: Invalid value for '--format': 'xml' is not one of 'text', 'json', 'markdown'."
            " See: meshforensics triage --help\n",
            id="choice",
        ),
        pytest.param(
            ["triage", "captures/healthy", "--at", "noon"],
            "meshforensics: 'noon' is not a time; write it like 2026-11-23T18:48:12Z\n",
            id="at",
        ),
        pytest.param(
            ["triage", "captures/healthy", "--window", "-5m"],
            "meshforensics: '-5m' is not longer than nothing; write it like 15m\n",
            id="window",
        ),
        pytest.param(
            ["triage", "captures/healthy", "--profile", "nope"],
            "meshforensics: no profile 'nope'; give default, guide, or the path of a YAML file\n",
            id="profile",
        ),
        pytest.param(
            ["tables", "captures/healthy", "memory", "--sql", "select 1"],
            "meshforensics: give a table or --sql, not both\n",
            id="table-and-sql",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2

    assert capsys.readouterr() == ("", said)


def test_without_a_command_the_help_is_shown_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    assert "Commands:" in capsys.readouterr().err


def _hostile(folder: Path) -> dict[str, Path]:
    contents = {
        "empty.json": b"",
        "cut.json": b'{"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "boots',
        "latin1.json": '{"name": "caf\xe9"}'.encode("latin-1"),
        "truncated.tar.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed",
        "truncated.zip": b"PK\x03\x04\x14\x00",
        "binary": bytes(range(256)),
        "text.txt": b"nothing that anybody knows\n",
        "deep.json": b"[" * 200_000,
    }
    for name, payload in contents.items():
        (folder / name).write_bytes(payload)
    (folder / "no-bundle").mkdir()
    return {name: folder / name for name in [*contents, "no-bundle", "missing"]}


@pytest.mark.parametrize("command", ["triage", "tables", "verify", "import", "report"])
def test_bad_input_is_one_line_that_names_the_file(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, path in _hostile(tmp_path).items():
        out = ["-o", str(tmp_path / f"out-{name}")] if command in {"import", "report"} else []

        code = main([command, str(path), *out])

        said = capsys.readouterr()
        assert (name, code, said.out) == (name, 2, "")
        assert said.err.startswith("meshforensics: ")
        assert said.err.count("\n") == 1
        assert name in said.err


def test_output_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")

    code = main(["import", str(ROOT / "captures/healthy"), "-o", str(tmp_path / "file" / "bundle")])

    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1)


def test_a_reader_that_leaves_is_no_failure() -> None:
    with subprocess.Popen(
        [*PYTHON, "tables", "captures/healthy", "stats", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()

        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_interrupted_is_130_and_one_word(by: str) -> None:
    code = (
        "import os, signal, sys; from meshforensics import cli; import meshforensics.investigation as room\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it\n"
        f"def stop(*_, **__): os.kill(os.getpid(), signal.{by})\n"
        "room.open_evidence = stop\n"
        "sys.exit(cli.main(['triage', 'x']))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "meshforensics: stopped\n")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """The smallest evidence: one page of one proxy."""
    page = tmp_path / "mémoire.json"
    page.write_text('{"allocated": "1048576", "heap_size": "2097152"}')
    return page


def test_a_terminal_that_knows_no_unicode_gets_escapes(memory: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    done = subprocess.run([*PYTHON, "triage", memory], capture_output=True, cwd=ROOT, env=environment, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"sha256 " in done.stdout


@pytest.mark.parametrize(
    ("path", "closed", "code"),
    [
        pytest.param("mémoire.json", ">&-", 0, id="stdout"),
        pytest.param("mémoire.json", "2>&-", 0, id="stderr"),
        pytest.param("nothere", ">&- 2>&-", 2, id="both"),
        pytest.param("nothere", "2>/dev/full", 2, id="stderr-is-full"),
        pytest.param("mémoire.json", ">/dev/full", 2, id="stdout-is-full"),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code(path: str, closed: str, code: int, memory: Path) -> None:
    command = f"{sys.executable} -m meshforensics triage {path} {closed}"

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=memory.parent, check=False)

    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_names_in_another_encoding_are_no_failure(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    source = tmp_path / "café.json"
    source.write_bytes((ROOT / "tests/data/admin-1.40/memory").read_bytes())

    done = subprocess.run(
        [*PYTHON, "import", str(source), "-o", str(tmp_path / "ö.zip")],
        capture_output=True, cwd=ROOT, env=environment, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")
    assert main(["verify", str(tmp_path / "ö.zip")]) == 0


def test_a_name_does_not_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triage", str(tmp_path / "a\x1b[31mb")]) == 2

    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param("", "no name given for the bundle", id="no-name"),
        pytest.param("nothing://b/x.zip", "nothing://b/x.zip cannot be opened", id="unknown-url"),
        pytest.param("/proc/nowhere/x.zip", "/proc/nowhere/x.zip cannot be written", id="not-writable"),
    ],
)
def test_an_output_that_cannot_be_is_named(output: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(ROOT / "captures/healthy"), "-o", output]) == 2

    err = capsys.readouterr().err
    assert (err.startswith(f"meshforensics: {said}"), err.count("\n")) == (True, 1)


def test_a_shipped_capture_is_imported_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["import", "captures/healthy", "-o", "copy.zip"]) == 0
    assert main(["verify", "copy.zip"]) == 0
