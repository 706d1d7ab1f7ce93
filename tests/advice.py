"""A real kubectl that is given printed commands, against a replay of a shipped capture."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meshforensics.bundle import Bundle
from meshforensics.investigation import Investigation, open_evidence
from meshforensics.model import Hypothesis, Standing
from meshforensics.profile import Profile
from meshforensics.recovery import Command, Manifest, Part
from meshforensics.replay import replay
from tests.pki import certificate, key
from tools.commands import variant

Run = Callable[[tuple[str, ...]], subprocess.CompletedProcess[bytes]]
ANSWERS = (
    b"this is a replay of captured evidence",  # it would have written: the object was found, and the request was whole
    b"is not in this bundle",
    b"no such object was captured",
    b"is not paused",
    b"no rollout history found",
)
"""What a replay answers to a command that is right."""


@dataclass(frozen=True)
class Judged:
    """A bundle with a verdict made by hand: what plans and topics read of it, without the checks and the incidents."""

    opened: Investigation
    subjects: tuple[str, ...] = ()

    @property
    def bundle(self) -> Bundle:
        return self.opened.bundle

    @property
    def at(self) -> datetime | None:
        return self.opened.at

    @property
    def profile(self) -> Profile:
        return self.opened.profile

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        verdict = Hypothesis(incident="upgrade-503", status=Standing.SUPPORTED, confidence=1.0, subjects=self.subjects)
        return (verdict,)

    def frame(self, name: str) -> pd.DataFrame:
        return self.opened.frame(name)


def judged(path: Path, *subjects: str) -> Judged:
    """The bundle at `path`; of subjects that end in ``*`` the first pod that begins so."""
    opened = open_evidence(str(path))
    pods = sorted({item.subject for item in opened.bundle.items if item.kind == "envoy.config_dump"})
    named = [
        next(pod for pod in pods if pod.startswith(each[:-1])) if each.endswith("*") else each for each in subjects
    ]
    return Judged(opened, tuple(named))


@contextmanager
def kubectl(bundle: Bundle, parts: list[Part], folder: Path) -> Iterator[Run]:
    """A kubectl that asks a replay, in a folder with the files that the commands name."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("needs kubectl, which is not on this machine")
    with replay(bundle) as served:
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
    route = call(("kubectl", "-n", "bank", "get", "virtualservice", "menu", "-o", "yaml")).stdout
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


def refused(run: Run, parts: list[Part]) -> list[tuple[str, str]]:
    """The commands that kubectl or the replay does not understand, with what was said."""
    wrong = {}
    for part in parts:
        if isinstance(part, Command) and variant(part.words):
            said = run(variant(part.words))
            if said.returncode and not any(each in said.stderr for each in ANSWERS) and not _shows(part, said):
                wrong[part.shell] = said.stderr.decode()
    return sorted(wrong.items())


def _shows(part: Command, said: subprocess.CompletedProcess[bytes]) -> bool:
    """Whether it is a diff that shows a difference, which is no failure."""
    return "diff" in part.words and said.returncode == 1 and not said.stderr
