"""Known error texts inside the window."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.signatures import delivery, roots, tls
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _lines(family: str, count: int = 3, ago_s: int = 60, who: str = "local") -> pd.DataFrame:
    return frame(
        "signatures",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        at=[NOON - pd.Timedelta(seconds=ago_s + number) for number in range(count)],
        family=[family] * count,
        who=[who] * count,
        cause=["what it means"] * count,
    )


@pytest.mark.parametrize(
    ("check", "lines", "found"),
    [
        pytest.param(tls, _lines("tls-unknown-root"), [3], id="tls"),
        pytest.param(tls, _lines("tls-unknown-root", ago_s=901), [], id="tls-before-the-window"),
        pytest.param(tls, _lines("no-cluster"), [], id="not-about-tls"),
        pytest.param(delivery, _lines("config-rejected"), [3], id="delivery"),
        pytest.param(delivery, _lines("tls-verify"), [], id="not-about-delivery"),
        pytest.param(roots, _lines("root-refused"), [3], id="roots"),
        pytest.param(roots, _lines("signing"), [], id="not-about-roots"),
    ],
)
def test_lines_of_a_family(check: Check, lines: pd.DataFrame, found: list[int]) -> None:
    said = outcome(check, at=NOON, signatures=lines)

    assert [each.evidence_total for each in said.findings] == found


def test_who_judged_is_told_apart() -> None:
    both = pd.concat([_lines("tls-unknown-root"), _lines("tls-unknown-root", who="peer")], ignore_index=True)

    assert len(outcome(tls, at=NOON, signatures=both).findings) == 2


@pytest.mark.parametrize("check", [tls, delivery, roots])
def test_without_logs_it_is_not_evaluated(check: Check) -> None:
    assert outcome(check, at=NOON).not_evaluated == "not captured: signatures"
