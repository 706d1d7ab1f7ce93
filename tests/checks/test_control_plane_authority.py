"""The CA in istiod: requests that it did not sign, and callers that it does not know."""

import pandas as pd
import pytest

from meshforensics.checks.control_plane_authority import csr_failures, unknown_callers
from meshforensics.model import Severity
from meshforensics.testing import outcome
from tests.checks.test_control_plane_pushes import counts

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
ASKED, UNSIGNED, STRANGERS = (
    f"citadel_server_{name}" for name in ("csr_count", "csr_sign_err_count", "authentication_failure_count")
)


@pytest.mark.parametrize(
    ("asked", "failed", "severity"),
    [
        pytest.param(100, 0, None, id="all-signed"),
        pytest.param(100, 5, Severity.WARNING, id="a-twentieth-is-the-limit"),
        pytest.param(100, 6, Severity.ERROR, id="above"),
        pytest.param(0, 2, Severity.ERROR, id="what-failed-was-asked-for-too"),
    ],
)
def test_csr_failures(asked: int, failed: int, severity: Severity | None) -> None:
    told = counts((ASKED, "{}", None, asked), (UNSIGNED, '{"error":"CSR_ERROR"}', None, failed))

    said = outcome(csr_failures, at=NOON, istiod_counts_over_time=told).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def test_failures_of_long_ago_are_none_of_the_window() -> None:
    told = counts((ASKED, "{}", None, 10), (UNSIGNED, "{}", None, 9), since=600, basis="since start")

    assert outcome(csr_failures, at=NOON, istiod_counts_over_time=told).findings == ()


@pytest.mark.parametrize(
    ("asked", "refused", "severity"),
    [
        pytest.param(100, 0, None, id="none"),
        pytest.param(100, 5, Severity.INFO, id="a-token-that-has-just-ended"),
        pytest.param(100, 6, Severity.WARNING, id="many"),
        pytest.param(4, 4, None, id="too-few-to-say"),
    ],
)
def test_unknown_callers(asked: int, refused: int, severity: Severity | None) -> None:
    told = counts((ASKED, "{}", None, asked), (STRANGERS, "{}", None, refused))

    said = outcome(unknown_callers, at=NOON, istiod_counts_over_time=told).findings

    assert [each.severity for each in said] == ([severity] if severity else [])


def test_without_counters_they_are_not_evaluated() -> None:
    for check in (csr_failures, unknown_callers):
        assert outcome(check, at=NOON).not_evaluated == "not captured: istiod_counts"
