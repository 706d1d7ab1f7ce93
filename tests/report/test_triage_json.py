"""The triage document, held to its schema."""

import json
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

import jsonschema
import pandas as pd
import pytest

from meshforensics.investigation import captures
from meshforensics.model import Hypothesis, Missing, Quantity, Standing
from meshforensics.report.triage_json import UNDETERMINED, coverage, next_step, triage_document
from tests.conftest import ROOT, Opened
from tests.report.stand_in import NOON, StandIn, case, finding, hypothesis

pytestmark = pytest.mark.usefixtures("untraced")

COVERAGE = pd.DataFrame({"namespace": ["shop"], "known": [5], "captured": [4], "decoded": [3]})


def stand_in(**changes: Any) -> StandIn:
    """The hand-made case with coverage."""
    made = case(**changes)
    return replace(made, frames={**made.frames, "coverage": COVERAGE})


def schema_faults(document: dict[str, Any]) -> list[str]:
    """Where `document` is not what the schema says."""
    schema = json.loads(files("meshforensics.report").joinpath("schemas/triage-1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("name", sorted(captures()))
def test_the_document_of_a_shipped_capture_holds_to_the_schema(name: str, opened: Opened) -> None:
    document = triage_document(opened(ROOT / name))

    assert schema_faults(document) == []
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_document_of_the_stand_in() -> None:
    document = triage_document(stand_in())

    assert schema_faults(document) == []
    assert list(document) == [
        "schema",
        "tool",
        "profile",
        "bundle",
        "window",
        "coverage",
        "verdict",
        "hypotheses",
        "findings",
        "not_evaluated",
        "not_captured",
    ]
    assert document["verdict"] == {
        "incident": "ca-rotation",
        "status": "supported",
        "confidence": 0.97,
        "subjects": ["shop/pricing-1"],
        "onset": "2026-01-01T11:59:39.600000Z",
        "mechanism": "",
        "summary": "The root CA was replaced without an overlap. search refuses pricing.",
        "impact": {"failed": 20, "total": 60, "services": ["pricing.shop.svc.cluster.local"]},
        "next": "Give every proxy both roots.",
        "missing": [{"kind": "envoy.memory", "subject": "shop/seats-1", "why": "timeout", "command": "kubectl exec x"}],
    }
    assert document["not_captured"] == [
        {"kind": "envoy.memory", "subject": "shop/seats-1", "status": "failed", "cause": "timeout"}
    ]
    assert document["not_evaluated"] == [{"check": "metrics.growth", "reason": "not captured: samples"}]


def test_an_unknown_capture_time_is_null() -> None:
    document = triage_document(stand_in(at=None, window=None))

    assert schema_faults(document) == []
    assert (document["bundle"]["at"], document["window"]) == (None, {"from": None, "to": None})


def _undecided(**changes: Any) -> Hypothesis:
    return hypothesis(status=Standing.UNDETERMINED, confidence=0.5, **changes)


def test_no_incident_is_named_when_undetermined() -> None:
    document = triage_document(stand_in(hypotheses=(_undecided(),)))

    assert schema_faults(document) == []
    verdict = document["verdict"]
    assert (verdict["incident"], verdict["status"], verdict["summary"]) == (None, "undetermined", UNDETERMINED)
    assert (verdict["subjects"], verdict["onset"], verdict["impact"]) == ([], None, None)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param((), "Capture what is missing, then triage again.", id="nothing-named"),
        pytest.param(
            (Missing(kind="envoy.certs", subject="shop/a-1", why="timeout", command="kubectl exec a-1"),),
            "Capture envoy.certs of shop/a-1: kubectl exec a-1; then triage again.",
            id="with-a-command",
        ),
        pytest.param(
            (Missing(kind="kubernetes.pods", subject="-", why="forbidden"),),
            "Capture kubernetes.pods; then triage again.",
            id="of-the-mesh",
        ),
    ],
)
def test_undetermined_names_what_to_capture(missing: tuple[Missing, ...], said: str) -> None:
    assert next_step(_undecided(missing=missing)) == said


def test_a_value_that_json_has_not_is_text() -> None:
    odd = finding(observed=Quantity(name="share", value=float("nan"), unit="ratio"), threshold=None)

    document = triage_document(stand_in(findings=(odd,)))

    assert schema_faults(document) == []
    assert document["findings"][0]["observed"] == {"name": "share", "value": "nan", "unit": "ratio"}
    assert document["findings"][0]["threshold"] is None


def test_a_muted_finding_says_why() -> None:
    document = triage_document(stand_in(findings=(finding(muted="known since 2025"),)))

    assert [each["muted"] for each in document["findings"]] == ["known since 2025"]


def test_times_are_rfc_3339() -> None:
    document = triage_document(stand_in(findings=(finding(at=NOON - timedelta(microseconds=1)),)))

    assert document["findings"][0]["at"] == "2026-01-01T11:59:59.999999Z"


def test_coverage_is_plain_numbers() -> None:
    assert coverage(stand_in()) == [{"namespace": "shop", "known": 5, "captured": 4, "decoded": 3}]
