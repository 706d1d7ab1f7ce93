"""Certificates that end soon, by share of their life or by days."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.certificates_life import (
    gateway_near_end,
    intermediate_near_end,
    leaf_not_renewed,
    leaf_outlives_issuer,
    long_lived_leaf,
    metric_differs,
    metric_says_expired,
    root_near_end,
    webhook_near_end,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
DAY = pd.Timedelta(days=1)
WORKLOAD, HOST = ("spiffe://td/ns/shop/sa/web",), ("shop.example.com",)


def _certificate(
    role: str, left: pd.Timedelta, life: pd.Timedelta, *, san: tuple[str, ...] = WORKLOAD, place: str = "sds:default"
) -> pd.DataFrame:
    held = place.startswith("sds:")
    return frame(
        "certificates",
        namespace=["shop" if held else None],
        pod=["web-1" if held else None],
        subject_id=["shop/web-1" if held else place],
        place=[place],
        role=[role],
        serial=["a1"],
        san=[san],
        not_before=[NOON + left - life],
        not_after=[NOON + left],
    )


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
    certificates = _certificate("leaf", pd.Timedelta(hours=hours_left), DAY)

    said = outcome(leaf_not_renewed, at=NOON, certificates=certificates)

    assert [finding.severity for finding in said.findings] == ([severity] if severity else [])


def test_leaves_that_were_not_renewed_have_one_cause() -> None:
    late = [_certificate("leaf", pd.Timedelta(hours=hours), DAY).assign(pod=f"web-{hours}") for hours in (3, 8, 9)]

    (finding,) = outcome(leaf_not_renewed, at=NOON, certificates=pd.concat(late, ignore_index=True)).findings

    assert (finding.severity, len(finding.subjects)) == (Severity.ERROR, 3)


YEARS, YEAR = 3650 * DAY, 365 * DAY


@pytest.mark.parametrize(
    ("check", "row", "severity"),
    [
        pytest.param(root_near_end, _certificate("root", 61 * DAY, YEARS), None, id="root-far"),
        pytest.param(root_near_end, _certificate("root", 59 * DAY, YEARS), Severity.WARNING, id="root-near"),
        pytest.param(root_near_end, _certificate("root", 29 * DAY, YEARS), Severity.ERROR, id="root-close"),
        pytest.param(root_near_end, _certificate("root", 6 * DAY, YEARS), Severity.CRITICAL, id="root-last-days"),
        pytest.param(root_near_end, _certificate("root", 45 * DAY, 75 * DAY), Severity.WARNING, id="root-of-75-days"),
        pytest.param(root_near_end, _certificate("root", 40 * DAY, 60 * DAY), None, id="root-of-a-short-life"),
        pytest.param(
            root_near_end, _certificate("root", 17 * DAY, 60 * DAY), Severity.ERROR, id="late-in-a-short-life"
        ),
        pytest.param(
            root_near_end, _certificate("root", DAY, YEARS, place="webhook:x"), None, id="a-webhook-is-another-check"
        ),
        pytest.param(intermediate_near_end, _certificate("intermediate", 31 * DAY, YEAR), None, id="intermediate-far"),
        pytest.param(
            intermediate_near_end, _certificate("intermediate", 29 * DAY, YEAR), Severity.WARNING, id="intermediate"
        ),
        pytest.param(
            intermediate_near_end, _certificate("intermediate", 0.9 * DAY, YEAR), Severity.CRITICAL, id="its-last-day"
        ),
        pytest.param(gateway_near_end, _certificate("leaf", 31 * DAY, YEAR, san=HOST), None, id="gateway-far"),
        pytest.param(gateway_near_end, _certificate("leaf", 20 * DAY, YEAR, san=HOST), Severity.INFO, id="gateway"),
        pytest.param(
            gateway_near_end, _certificate("leaf", 6 * DAY, YEAR, san=HOST), Severity.WARNING, id="gateway-a-week"
        ),
        pytest.param(
            gateway_near_end, _certificate("leaf", 0.9 * DAY, YEAR, san=HOST), Severity.ERROR, id="gateway-a-day"
        ),
        pytest.param(gateway_near_end, _certificate("leaf", 0.5 * DAY, DAY, san=HOST), None, id="gateway-lives-a-day"),
        pytest.param(gateway_near_end, _certificate("leaf", 0.1 * DAY, DAY), None, id="a-workload-is-another-check"),
        pytest.param(
            webhook_near_end, _certificate("root", 6 * DAY, YEARS, place="webhook:x"), Severity.WARNING, id="webhook"
        ),
        pytest.param(webhook_near_end, _certificate("root", 31 * DAY, YEARS, place="webhook:x"), None, id="far"),
    ],
)
def test_days_left_of_what_lives_for_long(check: Check, row: pd.DataFrame, severity: Severity | None) -> None:
    said = outcome(check, at=NOON, certificates=row)

    assert [finding.severity for finding in said.findings] == ([severity] if severity else [])


def test_a_root_that_ends_soon_beside_a_later_one_is_an_overlap() -> None:
    both = pd.concat([_certificate("root", DAY, YEARS), _certificate("root", YEAR, YEARS)], ignore_index=True)

    assert outcome(root_near_end, at=NOON, certificates=both).findings == ()


@pytest.mark.parametrize(
    ("days", "found"),
    [(0.5, 1), (2, 0), (-0.1, 0)],
    ids=["the-ca-ends-before-the-leaf", "the-leaf-ends-first", "ended-is-another-check"],
)
def test_a_leaf_that_outlives_its_issuer(days: float, found: int) -> None:
    leaf = _certificate("leaf", DAY, DAY).assign(issuer="O=ca", authority_key_id="k", fingerprint="f", is_ca=False)
    root = _certificate("root", days * DAY, YEARS).assign(
        subject="O=ca", subject_key_id="k", fingerprint="g", is_ca=True, serial="ca"
    )

    said = outcome(leaf_outlives_issuer, at=NOON, certificates=pd.concat([leaf, root], ignore_index=True))

    assert [each.subjects for each in said.findings] == [("shop/web-1",)] * found


def test_a_leaf_whose_issuer_was_renewed_with_its_key_outlives_nothing() -> None:
    leaf = _certificate("leaf", DAY, DAY).assign(issuer="O=ca", authority_key_id="k", fingerprint="f", is_ca=False)
    roots = [
        _certificate("root", end, YEARS).assign(subject="O=ca", subject_key_id="k", fingerprint="g", is_ca=True)
        for end in (0.5 * DAY, YEAR)
    ]

    said = outcome(leaf_outlives_issuer, at=NOON, certificates=pd.concat([leaf, *roots], ignore_index=True))

    assert said.findings == ()


@pytest.mark.parametrize(("days", "found"), [(91, 1), (90, 0), (1, 0)])
def test_a_leaf_of_a_long_life(days: int, found: int) -> None:
    said = outcome(long_lived_leaf, certificates=_certificate("leaf", days * DAY, days * DAY))

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


def _stats(name: str, value: float, labels: str = "{}") -> pd.DataFrame:
    return frame(
        "stats", namespace=["shop"], pod=["web-1"], captured_at=[NOON], name=[name], labels=[labels], real=[value]
    )


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("citadel_server_root_cert_expiry_timestamp", NOON.timestamp() - 1, 1),
        ("citadel_server_root_cert_expiry_timestamp", NOON.timestamp(), 0),
        ("citadel_server_cert_chain_expiry_timestamp", 0, 0),
        ("citadel_server_root_cert_expiry_timestamp", -1, 0),
        ("identity_cert_expiration_timestamp_seconds", 1651053543, 1),
        ("process_start_time_seconds", 1651053543, 0),
    ],
)
def test_a_metric_that_says_expired(name: str, value: float, found: int) -> None:
    said = outcome(metric_says_expired, at=NOON, stats=_stats(name, value))

    assert [each.severity for each in said.findings] == [Severity.CRITICAL] * found


AGENT = "istio_agent_cert_expiry_seconds"
LEAF = _certificate("leaf", 0.5 * DAY, DAY)
ROOT = _certificate("root", YEAR, YEARS, place="sds:ROOTCA")


@pytest.mark.parametrize(
    ("stats", "certificates", "found"),
    [
        pytest.param(_stats(AGENT, 43200, '{"resource_name": "default"}'), LEAF, 0, id="the-agents-own"),
        pytest.param(_stats(AGENT, 43320, '{"resource_name": "default"}'), LEAF, 0, id="two-minutes-off"),
        pytest.param(_stats(AGENT, 43321, '{"resource_name": "default"}'), LEAF, 1, id="more-than-two-minutes"),
        pytest.param(_stats(AGENT, 86000, '{"resource_name": "default"}'), LEAF, 1, id="the-agent-has-a-newer-one"),
        pytest.param(_stats(AGENT, 86000, '{"resource_name": "ROOTCA"}'), LEAF, 0, id="of-the-root"),
        pytest.param(_stats(AGENT, 86000, '{"resource_name": "default"}'), ROOT, 0, id="no-leaf-was-captured"),
        pytest.param(
            _stats("citadel_server_root_cert_expiry_timestamp", (NOON + YEAR).timestamp()), ROOT, 0, id="istiods-root"
        ),
        pytest.param(
            _stats("citadel_server_root_cert_expiry_timestamp", (NOON + YEARS).timestamp()), ROOT, 1, id="another-root"
        ),
        pytest.param(_stats("citadel_server_root_cert_expiry_timestamp", -1), ROOT, 0, id="istiod-cannot-tell"),
    ],
)
def test_a_metric_beside_the_certificates(stats: pd.DataFrame, certificates: pd.DataFrame, found: int) -> None:
    said = outcome(metric_differs, stats=stats, certificates=certificates)

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (leaf_not_renewed, "not captured: certificates"),
        (root_near_end, "not captured: certificates"),
        (intermediate_near_end, "not captured: certificates"),
        (gateway_near_end, "not captured: certificates"),
        (webhook_near_end, "not captured: certificates"),
        (leaf_outlives_issuer, "not captured: certificates"),
        (long_lived_leaf, "not captured: certificates"),
        (metric_says_expired, "not captured: stats"),
        (metric_differs, "not captured: stats; not captured: certificates"),
    ],
)
def test_without_its_tables_it_is_not_evaluated(check: Check, reason: str) -> None:
    assert outcome(check, at=NOON).not_evaluated == reason
