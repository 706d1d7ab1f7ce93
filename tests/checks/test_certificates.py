"""Certificates that ended or have not begun: found, clear, at the boundary, not evaluated."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.certificates import (
    authority_expired,
    intermediate_expired,
    leaf_expired,
    not_yet_valid,
    root_expired,
    webhook_authority_expired,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
LATE, NOW, FAR = "2026-01-01T11:59:59Z", "2026-01-01T12:00:00Z", "2027-01-01T00:00:00Z"


def _certificates(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of pod, role, serial, end; a life of one day."""
    ends = [pd.Timestamp(end) for *_, end in rows]
    return frame(
        "certificates",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, *_ in rows],
        subject_id=[f"shop/{pod}" for pod, *_ in rows],
        role=[role for _, role, *_ in rows],
        serial=[serial for _, _, serial, _ in rows],
        san=[("spiffe://td/ns/shop/sa/web",)] * len(rows),
        not_before=[min(end, NOON) - pd.Timedelta(days=1) for end in ends],
        not_after=ends,
    )


def _kept(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of place, role, serial, end, held by an object and no pod."""
    return _certificates(*(("", role, serial, end) for _, role, serial, end in rows)).assign(
        namespace=None, pod=None, place=[place for place, *_ in rows], subject_id=[place for place, *_ in rows]
    )


def _places(check: Check, certificates: pd.DataFrame) -> list[str]:
    said = outcome(check, at=NOON, certificates=certificates)
    return [place.pointer for finding in said.findings for place in finding.evidence]


@pytest.mark.parametrize(
    ("check", "role", "end", "places"),
    [
        pytest.param(leaf_expired, "leaf", LATE, ["/0"], id="leaf-one-second-late"),
        pytest.param(leaf_expired, "leaf", NOW, [], id="leaf-ends-this-instant"),
        pytest.param(leaf_expired, "root", LATE, [], id="a-root-is-no-leaf"),
        pytest.param(root_expired, "root", LATE, ["/0"], id="root-one-second-late"),
        pytest.param(root_expired, "root", NOW, [], id="root-ends-this-instant"),
        pytest.param(root_expired, "leaf", LATE, [], id="a-leaf-is-no-root"),
        pytest.param(intermediate_expired, "intermediate", LATE, ["/0"], id="intermediate-late"),
        pytest.param(intermediate_expired, "intermediate", NOW, [], id="intermediate-ends-this-instant"),
    ],
)
def test_expiry(check: Check, role: str, end: str, places: list[str]) -> None:
    assert _places(check, _certificates(("web-1", role, "a1", end))) == places


def test_what_an_object_holds_is_no_proxys() -> None:
    held = _kept(("configmap:a/istio-ca-root-cert", "root", "a1", LATE)).assign(pod="-", namespace="")

    assert _places(root_expired, held) == []


def test_one_expired_leaf_in_many_places_is_one_finding() -> None:
    said = outcome(
        leaf_expired,
        at=NOON,
        certificates=_certificates(("web-1", "leaf", "a1", LATE), ("web-2", "leaf", "a1", LATE)),
    )

    assert [(each.subjects, each.severity) for each in said.findings] == [
        (("shop/web-1", "shop/web-2"), Severity.CRITICAL)
    ]


def test_a_thousand_leaves_that_ended_have_one_cause() -> None:
    many = _certificates(*((f"web-{number}", "leaf", f"a{number}", LATE) for number in range(1000)))

    (finding,) = outcome(leaf_expired, at=NOON, certificates=many).findings

    assert (len(finding.subjects), finding.evidence_total) == (1000, 1000)


def test_the_credential_of_a_gateway_is_a_cause_of_its_own() -> None:
    both = _certificates(("web-1", "leaf", "a1", LATE), ("gw-1", "leaf", "b1", LATE))
    both["san"] = pd.Series([("spiffe://td/ns/shop/sa/web",), ("shop.example.com",)], dtype="object")

    assert len(outcome(leaf_expired, at=NOON, certificates=both).findings) == 2


def test_an_expired_root_beside_a_valid_one_is_an_overlap() -> None:
    both = _certificates(("web-1", "root", "a1", LATE), ("web-1", "root", "a2", FAR))

    assert _places(root_expired, both) == []


@pytest.mark.parametrize(("key", "places"), [("same", []), ("other", ["/0"])], ids=["renewed", "another-ca"])
def test_an_expired_intermediate_beside_its_renewed_self_is_no_fault(key: str, places: list[str]) -> None:
    both = _certificates(("web-1", "intermediate", "a1", LATE), ("web-1", "intermediate", "a2", FAR)).assign(
        subject=["O=ca"] * 2, spki=["same", key]
    )

    assert _places(intermediate_expired, both) == places


@pytest.mark.parametrize(
    ("check", "rows", "found"),
    [
        pytest.param(authority_expired, [("configmap:a/istio-ca-root-cert", "root", "a1", LATE)], 1, id="given-out"),
        pytest.param(authority_expired, [("configmap:a/istio-ca-root-cert", "root", "a1", NOW)], 0, id="ends-now"),
        pytest.param(
            authority_expired,
            [("secret:i/cacerts", "root", "a1", LATE), ("secret:i/cacerts", "root", "a2", FAR)],
            0,
            id="an-overlap",
        ),
        pytest.param(
            authority_expired,
            [(f"configmap:{namespace}/istio-ca-root-cert", "root", "a1", LATE) for namespace in "ab"],
            1,
            id="one-root-in-two-namespaces-is-one",
        ),
        pytest.param(authority_expired, [("webhook:x", "root", "a1", LATE)], 0, id="a-webhook-is-another-check"),
        pytest.param(webhook_authority_expired, [("webhook:x", "root", "a1", LATE)], 1, id="webhook"),
        pytest.param(webhook_authority_expired, [("webhook:x", "root", "a1", NOW)], 0, id="webhook-ends-now"),
        pytest.param(
            webhook_authority_expired,
            [("webhook:x", "root", "a1", LATE), ("webhook:x", "root", "a2", FAR)],
            0,
            id="a-webhook-in-an-overlap",
        ),
    ],
)
def test_what_objects_hold(check: Check, rows: list[tuple[str, str, str, str]], found: int) -> None:
    assert len(outcome(check, at=NOON, certificates=_kept(*rows)).findings) == found


@pytest.mark.parametrize(
    ("begin", "places"), [("2026-01-01T12:00:01Z", ["/0"]), ("2026-01-01T12:00:00Z", [])], ids=["tomorrow", "now"]
)
def test_not_yet_valid(begin: str, places: list[str]) -> None:
    certificates = _certificates(("web-1", "leaf", "a1", "2026-01-02T12:00:00Z")).assign(
        not_before=[pd.Timestamp(begin)]
    )

    assert _places(not_yet_valid, certificates) == places


@pytest.mark.parametrize(("second", "found"), [("root", 0), ("leaf", 1)], ids=["beside-a-valid-root", "alone"])
def test_a_root_that_is_given_out_early_is_how_an_overlap_begins(second: str, found: int) -> None:
    both = _certificates(("web-1", "root", "a1", FAR), ("web-1", second, "a2", FAR))
    both["not_before"] = [NOON + pd.Timedelta(days=1), NOON - pd.Timedelta(days=1)]

    assert len(outcome(not_yet_valid, at=NOON, certificates=both).findings) == found


@pytest.mark.parametrize(
    "check",
    [leaf_expired, root_expired, intermediate_expired, not_yet_valid, authority_expired, webhook_authority_expired],
)
def test_without_certificates_it_is_not_evaluated(check: Check) -> None:
    assert outcome(check, at=NOON).not_evaluated == "not captured: certificates"


def test_without_a_capture_time_it_is_not_evaluated() -> None:
    said = outcome(leaf_expired, certificates=_certificates(("web-1", "leaf", "a1", LATE)))

    assert said.not_evaluated == "capture time unknown, give --at"
