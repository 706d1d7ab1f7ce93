"""Each notebook on a shipped capture without half of the kinds of evidence: it runs and says what is missing."""

import random
import re
from pathlib import Path

import pytest

from meshforensics.bundle import BundleWriter, open_bundle
from meshforensics.investigation import open_evidence
from meshforensics.model import Standing
from tests.conftest import ROOT
from tests.copying import copy_item
from tests.report.running import shown_by

pytestmark = pytest.mark.usefixtures("untraced")

UNKNOWN = re.compile(r"\b(?:nan|NaT|<NA>)\b")


def _half(capture: Path, into: Path, seed: int) -> str:
    """The capture with half of its kinds, as the seed draws them."""
    source = open_bundle(str(capture))
    kinds = sorted({item.kind for item in source.items})
    kept = set(random.Random(seed).sample(kinds, len(kinds) // 2))
    with BundleWriter(str(into), layout=source.layout) as writer:
        for item in source.items:
            if item.kind in kept:
                copy_item(writer, source, item)
        return writer.seal().url


@pytest.mark.parametrize(
    ("notebook", "capture", "true"),
    [
        pytest.param("memory_leak", "memory-leak", {"memory-leak"}, id="memory-leak"),
        pytest.param(
            "upgrade_503",
            "upgrade-503",
            {"upgrade-503", "route-to-missing-cluster", "config-rejected"},
            id="upgrade-503",
        ),
        pytest.param("ca_rotation", "ca-rotation", {"ca-rotation"}, id="ca-rotation"),
        pytest.param("incident_report", "ca-rotation", {"ca-rotation"}, id="incident-report"),
        pytest.param(
            "postmortem", "upgrade-503", {"upgrade-503", "route-to-missing-cluster", "config-rejected"}, id="all"
        ),
    ],
)
def test_with_half_of_the_evidence_gone_it_runs_and_says_so(
    captures: Path, tmp_path: Path, notebook: str, capture: str, true: set[str]
) -> None:
    bundle = _half(captures / capture, tmp_path / "half", seed=6)

    shown = shown_by(ROOT / "notebooks" / f"{notebook}.ipynb", bundle=bundle)

    text = "\n".join(shown)
    assert re.search(r"not captured", text, re.IGNORECASE)
    assert [line for line in text.splitlines() if UNKNOWN.search(line)] == []
    said = open_evidence(bundle).hypotheses
    assert {each.incident for each in said if each.status is Standing.SUPPORTED} <= true


def test_a_notebook_says_by_what_its_hypothesis_is_not_supported(captures: Path) -> None:
    shown = shown_by(ROOT / "notebooks" / "upgrade_503.ipynb", bundle=str(captures / "healthy"))

    (question,) = [each for each in shown if each.startswith("## The question")]
    assert question.startswith("## The question: upgrade-503 is not supported, it is refuted")
    assert "- Against it: one version throughout" in question
    assert "What the same evidence says instead: healthy is supported." in question
