"""The triage document: what `triage --format json` prints, of schema meshforensics.triage/1."""

import math
from typing import Any

from meshforensics.model import Evidence, Finding, Ground, Hypothesis, Missing, Quantity, Standing, format_time
from meshforensics.model.version import __version__
from meshforensics.report._case import Case, decided
from meshforensics.tables import texts

SCHEMA = "meshforensics.triage/1"
UNDETERMINED = "No incident could be determined from what was captured."


def triage_document(case: Case) -> dict[str, Any]:
    """Everything that a triage says, as plain JSON values in a fixed order."""
    window = case.window
    return {
        "schema": SCHEMA,
        "tool": f"meshforensics {__version__}",
        "profile": {"name": case.profile.name, "sha256": case.profile.sha256},
        "bundle": {"id": case.bundle.id, "at": format_time(case.at)},
        "window": {
            "from": format_time(window.start) if window else None,
            "to": format_time(window.end) if window else None,
        },
        "coverage": coverage(case),
        "verdict": _verdict(case.hypotheses[0]),
        "hypotheses": [_hypothesis(each) for each in case.hypotheses],
        "findings": [_finding(each) for each in case.findings],
        "not_evaluated": [{"check": each.check, "reason": each.reason} for each in case.not_evaluated],
        "not_captured": [
            {"kind": each.kind, "subject": each.subject, "status": each.status.value, "cause": _value(each.cause)}
            for each in case.not_captured
        ],
    }


def coverage(case: Case) -> list[dict[str, Any]]:
    """Proxies known, captured and decoded, per namespace."""
    frame = case.frame("coverage")
    rows = zip(texts(frame["namespace"]), frame["known"], frame["captured"], frame["decoded"], strict=True)
    return [
        {"namespace": namespace, "known": int(known), "captured": int(captured), "decoded": int(decoded_)}
        for namespace, known, captured, decoded_ in rows
    ]


def _verdict(best: Hypothesis) -> dict[str, Any]:
    stands = decided(best)
    return {
        "incident": best.incident if stands else None,
        "status": best.status.value if stands else Standing.UNDETERMINED.value,
        "confidence": best.confidence if stands else 0.0,
        "subjects": list(best.subjects) if stands else [],
        "onset": format_time(best.onset) if stands else None,
        "mechanism": best.mechanism if stands else "",
        "summary": best.summary if stands else UNDETERMINED,
        "impact": {
            "failed": best.impact.failed,
            "total": best.impact.total,
            "services": list(best.impact.services),
        }
        if stands and best.impact
        else None,
        "next": next_step(best),
        "missing": [_missing(each) for each in best.missing],
    }


def next_step(best: Hypothesis) -> str:
    """What to do next: what the cause asks for; where there is none, what to capture."""
    if decided(best):
        return best.next
    if not best.missing:
        return "Capture what is missing, then triage again."
    first = best.missing[0]
    how = f": {first.command}" if first.command else ""
    whose = f" of {first.subject}" if first.subject not in {"", "-"} else ""
    return f"Capture {first.kind}{whose}{how}; then triage again."


def _hypothesis(each: Hypothesis) -> dict[str, Any]:
    return {
        "incident": each.incident,
        "status": each.status.value,
        "confidence": each.confidence,
        "for": [_ground(ground) for ground in each.for_],
        "against": [_ground(ground) for ground in each.against],
        "missing": [_missing(one) for one in each.missing],
    }


def _ground(ground: Ground) -> dict[str, Any]:
    return {"text": ground.text, "check": ground.check, "evidence": [_evidence(each) for each in ground.evidence]}


def _missing(each: Missing) -> dict[str, Any]:
    return {"kind": each.kind, "subject": each.subject, "why": each.why, "command": each.command}


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "check": each.check,
        "severity": each.severity.value,
        "phase": each.phase.value,
        "plane": each.plane.value,
        "title": each.title,
        "detail": each.detail,
        "subjects": list(each.subjects),
        "observed": _quantity(each.observed),
        "threshold": _quantity(each.threshold),
        "at": format_time(each.at),
        "evidence": [_evidence(place) for place in each.evidence],
        "evidence_total": each.evidence_total,
        "remediation": each.remediation,
        "source": each.source,
        "muted": each.muted,
    }


def _quantity(each: Quantity | None) -> dict[str, Any] | None:
    if each is None:
        return None
    value = each.value
    finite = not isinstance(value, float) or math.isfinite(value)
    return {"name": each.name, "value": value if finite else str(value), "unit": each.unit}


def _evidence(each: Evidence) -> dict[str, Any]:
    return {"item": each.item, "sha256": each.sha256, "pointer": each.pointer, "excerpt": each.excerpt}


def _value(each: Any) -> str | None:
    return None if each is None else str(each.value)
