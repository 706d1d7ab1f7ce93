"""Every command of every plan that a real kubectl can check, against a replay of a shipped capture."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meshforensics.investigation import Investigation, open_evidence
from meshforensics.recovery import Command, Manifest, Part, mesh_of
from meshforensics.replay import replay
from tests.pki import certificate, key
from tools.commands import parts_of, variant

pytestmark = pytest.mark.kubectl
Run = Callable[[tuple[str, ...]], subprocess.CompletedProcess[bytes]]
ANSWERS = (
    b"this is a replay of captured evidence",  # it would have written: the object was found, and the request was whole
    b"is not in this bundle",
    b"no such object was captured",
    b"is not paused",
    b"no rollout history found",
)
"""What a replay answers to a command that is right."""


@pytest.fixture(scope="module")
def case(captures: Path) -> Investigation:
    return open_evidence(str(captures / "upgrade-503"))


@pytest.fixture(scope="module")
def parts(case: Investigation) -> list[Part]:
    """Everything that the plans of all incidents print for a captured mesh; of like workloads one is enough."""
    mesh = mesh_of(case, case.hypotheses[0])
    return parts_of(replace(mesh, order=mesh.order[:1]))


@pytest.fixture(scope="module")
def run(case: Investigation, parts: list[Part], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A kubectl that asks a replay, in a folder with the files that the commands name."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("needs kubectl, which is not on this machine")
    folder = tmp_path_factory.mktemp("plans")
    with replay(case.bundle) as served:
        environment = {**os.environ, "KUBECONFIG": str(served.kubeconfig), "HOME": str(folder)}

        def call(words: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
            given = [word.replace("REPLICAS", "2") for word in words[1:]]
            return subprocess.run(
                [program, *given], capture_output=True, check=False, env=environment, cwd=folder, timeout=60
            )

        _write(folder, parts, call)
        yield call


def _write(folder: Path, parts: list[Part], call: Run) -> None:
    """Manifests as printed, saved objects as kubectl says them, and certificates."""
    route = call(("kubectl", "-n", "travel", "get", "virtualservice", "search", "-o", "yaml")).stdout
    commands = [part for part in parts if isinstance(part, Command)]
    for name in {"FILE", *(each.into for each in commands if each.into.endswith(".yaml"))}:
        (folder / name).write_bytes(route)
    for part in parts:
        if isinstance(part, Manifest):
            (folder / part.file).write_text(part.yaml)
    own = key("edge").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name in ("ca-key.pem", "tls.key"):
        (folder / name).write_bytes(own)
    for name in ("ca-cert.pem", "root-cert.pem", "cert-chain.pem", "tls.crt"):
        (folder / name).write_text(certificate("edge").pem + "\n")


def test_kubectl_takes_every_command_that_it_can_be_given(run: Run, parts: list[Part]) -> None:
    checked = [part for part in parts if isinstance(part, Command) and variant(part.words)]

    wrong = []
    for command in checked:
        said = run(variant(command.words))
        if said.returncode and not any(each in said.stderr for each in ANSWERS):
            wrong.append((command.shell, said.stderr.decode()))

    assert wrong == []
    assert len(checked) > 50


def test_the_manifests_of_plans_are_objects_that_kubectl_would_make(run: Run, parts: list[Part]) -> None:
    files = [part.file for part in parts if isinstance(part, Manifest)]

    said = {file: run(("kubectl", "diff", "-f", file)) for file in files}

    assert sorted(files) == ["emergency-allow.yaml", "emergency-permissive.yaml"]
    assert {file: done.returncode for file, done in said.items()} == dict.fromkeys(files, 1)
    assert all(b"+kind: " in done.stdout for done in said.values())
