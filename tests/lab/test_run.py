"""Real Envoys under real traffic: a healthy mesh, an incident, and what is left when a run is stopped or fails."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import meshforensics as mf
from meshforensics.lab import Options, Scenario, Truth, run, scenario_of, truth_file
from meshforensics.lab._lab import Lab
from meshforensics.model import BundleError

pytest.importorskip("grpc")
pytest.importorskip("envoy")

QUICK = Options(seed=5, pace=0.4, small=True)
"""The scenario's own seconds, shortened: what fails is then still failed by real proxies."""


def _folders() -> list[str]:
    """The folders of labs whose proxies run."""
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    return re.findall(r"mf-lab-\w+", b" ".join(commands).decode(errors="replace"))


def _listening(network: str) -> list[str]:
    """Addresses of a network that somebody listens on."""
    first = "".join(f"{int(byte):02X}" for byte in reversed(network.split(".")))
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return [line.split()[1] for line in lines if line.split()[3] == "0A" and line.split()[1][2:8] == first]


@pytest.mark.parametrize("name", ["healthy", "ca-rotation"])
def test_an_incident_is_made_captured_and_judged_right_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    into = tmp_path / "bundle"

    made = run(scenario_of(name), str(into), QUICK, said.append)

    network = re.findall(r"127\.\d+\.\d+", said[0])[0]
    assert _listening(network) == []
    truth = json.loads(truth_file(str(into)).read_text(encoding="utf-8"))
    assert truth["incident"] == made.truth.incident == name
    case = mf.open(into)
    assert len(case.proxies) == len(set(case.memory["pod"])) >= 8
    assert case.verdict.incident == name
    assert {each.incident for each in case.hypotheses if each.status == "supported"} == {name}
    assert [subject for subject in truth.get("subjects", []) if subject not in str(case.verdict)] == []


def test_a_run_that_fails_leaves_no_process_and_no_bundle(tmp_path: Path) -> None:
    said: list[str] = []

    async def fail(lab: Lab) -> Truth:
        assert len(lab.proxies) == 8
        raise BundleError("on purpose")

    scenario = Scenario(id="x", incident="x", mechanism="fails", begin=fail, warm=0)
    with pytest.raises(BundleError, match="on purpose"):
        run(scenario, str(tmp_path / "bundle"), Options(proxies=8), said.append)

    assert said[-1] == "everything is torn down"
    assert _listening(re.findall(r"127\.\d+\.\d+", said[0])[0]) == []
    assert not (tmp_path / "bundle").exists()


def test_a_run_that_is_stopped_leaves_no_process_and_no_bundle(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "meshforensics", "lab", "run", "healthy", "-o", str(tmp_path / "bundle")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        while not list(tmp_path.glob("mf-lab-*/*/log.0")) and running.poll() is None:
            time.sleep(0.05)
        folders = [path.name for path in tmp_path.glob("mf-lab-*")]
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)

    assert (running.returncode, out) == (130, b""), err
    assert len(folders) == 1
    assert [folder for folder in folders if folder in _folders()] == []
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_exists_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="exists already"):
        run(scenario_of("healthy"), str(tmp_path), Options())
