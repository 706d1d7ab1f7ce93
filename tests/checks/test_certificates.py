"""Certificates, as of the capture: found, clear, at the boundary, not evaluated."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.certificates import (
    empty_chain,
    intermediate_expired,
    leaf_expired,
    leaf_not_renewed,
    not_yet_valid,
    pair_cannot_verify,
    root_expired,
    root_near_end,
    trust_split,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
LATE, NOW = "2026-01-01T11:59:59Z", "2026-01-01T12:00:00Z"


def _certificates(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of pod, role, serial, end; a life of one day."""
    ends = [pd.Timestamp(end) for *_, end in rows]
    return frame(
        "certificates",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, *_ in rows],
        role=[role for _, role, *_ in rows],
        serial=[serial for _, _, serial, _ in rows],
        san=[("spiffe://td/ns/shop/sa/web",)] * len(rows),
        not_before=[end - pd.Timedelta(days=1) for end in ends],
        not_after=ends,
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


def test_one_expired_leaf_in_many_places_is_one_finding() -> None:
    said = outcome(
        leaf_expired,
        at=NOON,
        certificates=_certificates(("web-1", "leaf", "a1", LATE), ("web-2", "leaf", "a1", LATE)),
    )

    assert [(each.subjects, each.severity) for each in said.findings] == [
        (("shop/web-1", "shop/web-2"), Severity.CRITICAL)
    ]


def test_an_expired_root_beside_a_valid_one_is_an_overlap() -> None:
    both = _certificates(("web-1", "root", "a1", LATE), ("web-1", "root", "a2", "2027-01-01T00:00:00Z"))

    assert _places(root_expired, both) == []


@pytest.mark.parametrize(
    ("begin", "places"), [("2026-01-01T12:00:01Z", ["/0"]), ("2026-01-01T12:00:00Z", [])], ids=["tomorrow", "now"]
)
def test_not_yet_valid(begin: str, places: list[str]) -> None:
    certificates = _certificates(("web-1", "leaf", "a1", "2026-01-02T12:00:00Z")).assign(
        not_before=[pd.Timestamp(begin)]
    )

    assert _places(not_yet_valid, certificates) == places


@pytest.mark.parametrize(
    ("hours_left", "severity"),
    [
        pytest.param(23, None, id="fresh"),
        pytest.param(10.8, None, id="at-the-limit"),
        pytest.param(10.7, Severity.WARNING, id="past-half-of-its-life"),
        pytest.param(4, Severity.ERROR, id="nearly-ended"),
        pytest.param(-1, None, id="ended-is-another-check"),
    ],
)
def test_a_leaf_is_judged_by_the_share_of_its_own_life(hours_left: float, severity: Severity | None) -> None:
    end = (NOON + pd.Timedelta(hours=hours_left)).isoformat()

    said = outcome(leaf_not_renewed, at=NOON, certificates=_certificates(("web-1", "leaf", "a1", end)))

    assert [finding.severity for finding in said.findings] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("days_left", "severity"), [(61, None), (59, Severity.WARNING), (29, Severity.ERROR)], ids=["far", "near", "close"]
)
def test_root_near_end(days_left: int, severity: Severity | None) -> None:
    end = (NOON + pd.Timedelta(days=days_left)).isoformat()

    said = outcome(root_near_end, at=NOON, certificates=_certificates(("web-1", "root", "a1", end)))

    assert [finding.severity for finding in said.findings] == ([severity] if severity else [])


def _trust(**roots: list[str]) -> pd.DataFrame:
    rows = [(pod.replace("_", "-"), root) for pod, held in roots.items() for root in held]
    return frame(
        "trust",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, _ in rows],
        root=[root for _, root in rows],
        serial=[f"serial of {root}" for _, root in rows],
    )


@pytest.mark.parametrize(
    ("trust", "subjects"),
    [
        pytest.param(_trust(a=["old"], b=["old"]), [], id="one-set"),
        pytest.param(_trust(a=["old"], b=["new"]), [("shop/b",), ("shop/a",)], id="disjoint"),
        pytest.param(_trust(a=["old", "new"], b=["new"]), [], id="overlap"),
        pytest.param(_trust(a=["old"], b=["old", "new"], c=["new"]), [("shop/c",), ("shop/a",)], id="two-ends"),
    ],
)
def test_trust_split(trust: pd.DataFrame, subjects: list[tuple[str, ...]]) -> None:
    assert [each.subjects for each in outcome(trust_split, trust=trust).findings] == subjects


@pytest.mark.parametrize(("verified", "found"), [(False, 1), (True, 0), (None, 0)])
def test_pairs_that_cannot_verify(verified: bool | None, found: int) -> None:
    pairs = frame(
        "tls_pairs",
        namespace=["shop"],
        pod=["web-1"],
        server_namespace=["shop"],
        server_pod=["pay-1"],
        verified=[verified],
        server_root=["a1"],
        reason=["its issuer is not trusted"],
    )

    said = outcome(pair_cannot_verify, tls_pairs=pairs)

    assert [each.subjects for each in said.findings] == [("shop/pay-1",)] * found


@pytest.mark.parametrize(("count", "name", "found"), [(0, "default", 1), (1, "default", 0), (0, "ROOTCA", 0)])
def test_an_identity_without_a_chain(count: int, name: str, found: int) -> None:
    secrets = frame("secrets", name=[name], resource=["r"], certificates=[count])
    instances = frame(
        "secret_instances", namespace=["shop"], pod=["web-1"], name=[name], resource=["r"], state=["active"]
    )

    said = outcome(empty_chain, secrets=secrets, secret_instances=instances)

    assert [each.subjects for each in said.findings] == [("shop/web-1",)] * found


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (leaf_expired, "not captured: certificates"),
        (root_expired, "not captured: certificates"),
        (intermediate_expired, "not captured: certificates"),
        (not_yet_valid, "not captured: certificates"),
        (leaf_not_renewed, "not captured: certificates"),
        (root_near_end, "not captured: certificates"),
        (trust_split, "not captured: trust"),
        (pair_cannot_verify, "not captured: tls_pairs"),
        (empty_chain, "not captured: secrets; not captured: secret_instances"),
    ],
)
def test_without_its_tables_it_is_not_evaluated(check: Check, reason: str) -> None:
    assert outcome(check, at=NOON).not_evaluated == reason


def test_without_a_capture_time_it_is_not_evaluated() -> None:
    said = outcome(leaf_expired, certificates=_certificates(("web-1", "leaf", "a1", LATE)))

    assert said.not_evaluated == "capture time unknown, give --at"
