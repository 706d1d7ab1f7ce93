"""Findings: none without evidence, worst first."""

from typing import Any

import pytest

from meshforensics.model import DeclarationError, Evidence, Finding, Phase, Plane, Severity

PLACE = Evidence(item="envoy.certs:shop/web-1@unknown", sha256="ab" * 32, pointer="/0")


def finding(**changes: Any) -> Finding:
    """A finding with some parts changed."""
    parts: dict[str, Any] = {
        "check": "certificates.leaf-expired",
        "severity": Severity.ERROR,
        "phase": Phase.CERTIFICATES,
        "plane": Plane.STATE,
        "title": "Leaf expired",
        "detail": "leaf 01 ended",
        "subjects": ("shop/web-1",),
        "evidence": (PLACE,),
        "evidence_total": 1,
    }
    return Finding(**{**parts, **changes})


def test_a_finding_that_shows_nothing_cannot_be_made() -> None:
    with pytest.raises(DeclarationError, match="found something and shows nothing"):
        finding(evidence=())


def test_findings_sort_by_severity_then_check_then_first_subject() -> None:
    worst = finding(severity=Severity.CRITICAL, check="z.z")
    first = finding(check="a.a", subjects=("shop/b",))
    second = finding(check="a.a", subjects=("shop/c",))
    mild = finding(severity=Severity.INFO, check="a.a")

    assert sorted([mild, second, worst, first], key=lambda each: each.sort_key) == [worst, first, second, mild]


def test_severities_rank_from_the_worst() -> None:
    assert [(each.value, each.rank) for each in Severity] == [
        ("critical", 0),
        ("error", 1),
        ("warning", 2),
        ("info", 3),
    ]


def test_planes_have_their_colours() -> None:
    assert {each.value: each.colour.upper() for each in Plane} == {
        "edge": "#0066CC",
        "service": "#00AA00",
        "state": "#FF8800",
        "control": "#CC0000",
    }
