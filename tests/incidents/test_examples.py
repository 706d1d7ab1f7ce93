"""Real captures with known truth: the verdict, its subjects, its evidence; and never a wrong one."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshforensics.bundle import BundleWriter, open_bundle
from meshforensics.investigation import Investigation, open_evidence
from meshforensics.model import Evidence, Item, Severity, Standing
from meshforensics.profile import load_profile
from meshforensics.report.triage_json import triage_document
from tests.conftest import Opened
from tests.copying import copy_item

pytestmark = pytest.mark.usefixtures("untraced")

NAMES = ("01-ca-rotation", "05-upgrade-503", "11-memory-connection-pileup", "14-healthy-baseline")
SHIPPED = ("ca-rotation", "upgrade-503", "memory-leak", "healthy")
NEVER = {
    "ca-rotation": {"ca-rotation"},
    "upgrade-503": {"upgrade-503", "route-to-missing-cluster", "config-rejected"},
    "memory-leak": {"memory-leak"},
    "healthy": {"healthy"},
}
"""What may be supported, in each shipped capture."""

_numbers = itertools.count()


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_on_top_and_nothing_wrong_is_supported(examples: Path, name: str) -> None:
    truth = json.loads((examples / name / "truth.json").read_text())
    case = open_evidence(examples / name)
    allowed = {truth["incident"], *truth.get("allow", []), *truth.get("accept", [])}
    text = json.dumps(triage_document(case))

    assert case.verdict.incident in truth.get("accept", [truth["incident"]])
    assert {each.incident for each in case.hypotheses if each.status is Standing.SUPPORTED} <= allowed
    assert [subject for subject in truth.get("subjects", []) if subject not in text] == []
    assert [each for finding in case.findings for each in finding.evidence if not _shows(case, each)] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            "ca-rotation",
            {
                ("certificates.cannot-verify", Severity.WARNING, 1),
                ("certificates.old-root-held", Severity.WARNING, 7),
                ("certificates.pair-cannot-verify", Severity.CRITICAL, 1),
                ("certificates.several-roots", Severity.INFO, 2),
                ("certificates.trust-changed", Severity.INFO, 1),
                ("certificates.trust-split", Severity.ERROR, 8),
                ("signatures.tls", Severity.ERROR, 108),
                ("traffic.handshake-failures", Severity.WARNING, 1),
                ("traffic.retries-exhausted", Severity.WARNING, 108),
                ("traffic.retry-share", Severity.WARNING, 2),
                ("traffic.server-errors", Severity.CRITICAL, 108),
            },
            id="ca-rotation",
        ),
        pytest.param(
            "upgrade-503",
            {
                ("drift.changed-between-captures", Severity.INFO, 2),
                ("proxies.version-skew", Severity.WARNING, 7),
                ("routing.filter-order-unsafe", Severity.INFO, 1),
                ("routing.missing-cluster", Severity.ERROR, 7),
                ("routing.missing-subset", Severity.WARNING, 1),
                ("signatures.delivery", Severity.WARNING, 6),
                ("signatures.seen", Severity.INFO, 32),
                ("sync.rejected", Severity.ERROR, 6),
                ("traffic.no-route", Severity.WARNING, 32),
                ("traffic.server-errors", Severity.CRITICAL, 32),
            },
            id="upgrade-503",
        ),
        pytest.param(
            "memory-leak",
            {
                ("proxies.memory-grows", Severity.WARNING, 12),
                ("traffic.active-requests", Severity.WARNING, 12),
            },
            id="memory-leak",
        ),
        pytest.param(
            "healthy",
            {
                ("proxies.restarted", Severity.INFO, 1),
            },
            id="healthy",
        ),
    ],
)
def test_findings_carry_the_evidence(
    captures: Path, opened: Opened, name: str, expected: set[tuple[str, Severity, int]]
) -> None:
    case = opened(captures / name)

    assert {(each.check, each.severity, each.evidence_total) for each in case.findings} == expected
    tables = {each.reason.removeprefix("not captured: ").partition(" ")[0].rstrip(";") for each in case.not_evaluated}
    assert tables == {"ztunnel_connections"}
    assert [each for finding in case.findings for each in finding.evidence if not _shows(case, each)] == []


def _shows(case: Investigation, evidence: Evidence) -> bool:
    """Whether the place, found by means of this test's own, is what the excerpt shows."""
    item = next(each for each in case.bundle.items if each.id == evidence.item)
    there = _place(case.bundle.read(item).decode(), evidence.pointer)
    shown = evidence.excerpt.partition("… (+")[0]
    return item.sha256 == evidence.sha256 and "".join(shown.split()).strip('"') in "".join(there.split())


def _place(text: str, pointer: str) -> str:
    """The lines, or the JSON value, that a pointer names; of YAML and PEM the whole that the place is in."""
    if pointer.startswith("L"):
        first, _, last = pointer.replace("L", "").partition("-")
        return "\n".join(text.split("\n")[int(first) - 1 : int(last or first)])
    if not pointer or not text.lstrip().startswith(("{", "[")):
        return text
    number = pointer.removeprefix("#doc").partition("/")[0]
    value = _documents(text)[int(number) - 1 if pointer.startswith("#doc") else 0]
    for part in pointer.partition("#pem")[0].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    written = json.dumps(value, ensure_ascii=False)
    return f"{value}\n{written}" if isinstance(value, str) else written


def _documents(text: str) -> list[Any]:
    """JSON documents, one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_the_rotation_is_dated_and_its_subjects_named(captures: Path, opened: Opened) -> None:
    verdict = opened(captures / "ca-rotation").verdict

    assert verdict.subjects == ("risk/ledger-v3-v9qpt6btc-m5zxx",)
    assert str(verdict.onset) == "2026-11-26 05:23:45.415000+00:00"
    assert verdict.impact is not None
    assert (verdict.impact.failed, verdict.impact.total) == (108, 188)


def test_the_upgrade_names_object_and_filter(captures: Path, opened: Opened) -> None:
    verdict = opened(captures / "upgrade-503").verdict

    assert {"VirtualService:bank/menu", "EnvoyFilter:bank/cart-metadata"} <= set(verdict.subjects)
    assert verdict.impact is not None
    assert (verdict.impact.failed, verdict.impact.total) == (32, 152)


def test_a_short_series_is_possible_and_names_who_grows(captures: Path, opened: Opened) -> None:
    verdict = opened(captures / "memory-leak").verdict

    assert (verdict.incident, verdict.status) == ("memory-leak", Standing.POSSIBLE)
    assert verdict.subjects == ("bank/menu-v3-mf6n65vrv-94jmm", "risk/ledger-v3-v9qpt6btc-m5zxx")
    assert verdict.mechanism == "pile-up of unfinished requests"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SHIPPED)
def test_with_half_of_the_kinds_gone_nothing_wrong_is_supported(captures: Path, name: str, seed: int) -> None:
    kinds = sorted({item.kind for item in open_bundle(str(captures / name)).items})
    kept = set(random.Random(seed).sample(kinds, len(kinds) // 2))
    case = _with(captures / name, lambda item: item.kind in kept)

    assert {each.incident for each in case.hypotheses if each.status is Standing.SUPPORTED} <= NEVER[name]


@pytest.mark.parametrize(
    "kind", ["envoy.config_dump", "kubernetes.pods", "istiod.syncz", "envoy.certs", "envoy.memory"]
)
def test_a_mesh_without_a_kind_of_evidence_is_not_healthy(captures: Path, kind: str) -> None:
    case = _with(captures / "healthy", lambda item: item.kind != kind)

    healthy = next(each for each in case.hypotheses if each.incident == "healthy")
    assert (healthy.status is Standing.SUPPORTED) == (kind == "envoy.certs")
    if kind != "envoy.certs":  # the certificates are in the dumps too
        assert healthy.missing != ()


def test_nothing_captured_is_undetermined(captures: Path) -> None:
    case = _with(captures / "healthy", lambda item: item.kind == "kubernetes.version")

    assert {each.status for each in case.hypotheses} == {Standing.UNDETERMINED}
    assert case.findings == ()


def _with(folder: Path, keep: Callable[[Item], bool]) -> Investigation:
    """The capture with only the items that `keep` says."""
    source = open_bundle(str(folder))
    with BundleWriter(f"memory://examples/{next(_numbers)}", mesh="lab") as writer:
        for item in source.items:
            if keep(item):
                copy_item(writer, source, item)
        return Investigation(bundle=writer.seal(), profile=load_profile())
