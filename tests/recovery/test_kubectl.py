"""Every command of every plan that a real kubectl can check, against a replay of a shipped capture."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meshforensics.recovery import Command, Manifest, Part, mesh_of
from tests.advice import Judged, Run, judged, kubectl, refused
from tools.commands import parts_of, variant

pytestmark = [pytest.mark.kubectl, pytest.mark.usefixtures("untraced")]


@pytest.fixture(scope="module")
def case(captures: Path) -> Judged:
    subjects = ("bank/desk-v3-*", "VirtualService:bank/menu", "EnvoyFilter:bank/cart-metadata")
    return judged(captures / "upgrade-503", *subjects)


@pytest.fixture(scope="module")
def parts(case: Judged) -> list[Part]:
    """Everything that the plans of all incidents print for a captured mesh; of like workloads one is enough."""
    mesh = mesh_of(case, case.hypotheses[0])
    return parts_of(replace(mesh, order=mesh.order[:1]))


@pytest.fixture(scope="module")
def run(case: Judged, parts: list[Part], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with kubectl(case.bundle, parts, tmp_path_factory.mktemp("plans")) as call:
        yield call


def test_kubectl_takes_every_command_that_it_can_be_given(run: Run, parts: list[Part]) -> None:
    checked = [part for part in parts if isinstance(part, Command) and variant(part.words)]

    assert refused(run, parts) == []
    assert len(checked) > 50


def test_the_manifests_of_plans_are_objects_that_kubectl_would_make(run: Run, parts: list[Part]) -> None:
    files = [part.file for part in parts if isinstance(part, Manifest)]

    said = {file: run(("kubectl", "diff", "-f", file)) for file in files}

    assert sorted(files) == ["emergency-allow.yaml", "emergency-permissive.yaml"]
    assert {file: done.returncode for file, done in said.items()} == dict.fromkeys(files, 1)
    assert all(b"+kind: " in done.stdout for done in said.values())
