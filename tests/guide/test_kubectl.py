"""Every command of every topic that a real kubectl can check, against a replay of a shipped capture."""

from pathlib import Path

import pytest

from meshforensics.guide import declared_topics, setting_of
from meshforensics.recovery import Manifest
from tests.advice import judged, kubectl, refused

pytestmark = [pytest.mark.kubectl, pytest.mark.usefixtures("untraced")]


def test_kubectl_takes_every_command_and_would_make_every_manifest(captures: Path, tmp_path: Path) -> None:
    case = judged(captures / "upgrade-503", "bank/desk-v3-*")
    setting, _ = setting_of(case, "bank/menu", "x.zip")
    parts = [part for topic in declared_topics().values() for part in topic.make(setting)]
    once = list({part if isinstance(part, str) else part.shell: part for part in parts}.values())
    files = [part.file for part in once if isinstance(part, Manifest) and not part.partial]

    with kubectl(case.bundle, once, tmp_path) as run:
        wrong = refused(run, once)
        shown = {file: run(("kubectl", "diff", "-f", file)) for file in files}

    assert wrong == []
    assert {file: (said.returncode, said.stderr) for file, said in shown.items()} == dict.fromkeys(files, (1, b""))
    added = [line for line in shown["bank-menu-route.yaml"].stdout.decode().splitlines() if line.startswith("+ ")]
    assert "+        subset: debug" in added
    assert not [line for line in shown["bank-menu-subset.yaml"].stdout.splitlines() if line.startswith(b"- ")]
