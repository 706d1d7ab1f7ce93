"""``meshforensics replay`` as a process: the line to paste, and an orderly end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from meshforensics.cli import main
from tests.replay.evidence import write


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_replay_prints_the_line_to_paste_and_ends_in_order(tmp_path: Path, number: int) -> None:
    path = str(tmp_path / "bundle")
    write(path)
    command = [sys.executable, "-m", "meshforensics", "replay", path]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as served:
        assert served.stdout is not None
        line = served.stdout.readline().decode().strip()
        kubeconfig = Path(line.removeprefix("export KUBECONFIG="))
        server = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
        served.send_signal(number)
        rest = served.communicate(timeout=30)

    assert server.startswith("https://127.0.0.1:")
    assert (served.returncode, rest) == (0, (b"", b""))
    assert not kubeconfig.parent.exists()


def test_replay_of_nothing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "nothing")]) == 2

    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "said",
    [("--from", "2030-01-01T00:00:00Z"), ("--from", "yesterday"), ("--from", "2026-11-23T18:40:00Z", "--speed", "0")],
)
def test_time_that_cannot_pass_is_an_error(said: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    path = "memory://tests-cli-replay/" + "-".join(said)
    write(path)

    assert main(["replay", path, *said]) == 2

    assert capsys.readouterr().err.count("\n") == 1
