"""Denials: who sent them, and what stands behind them."""

import pandas as pd
import pytest

from meshforensics.tables import denials_of
from meshforensics.testing import frame

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _log(policy: str) -> pd.DataFrame:
    return frame(
        "access_log",
        namespace=["shop"],
        pod=["pay-1"],
        at=[NOON],
        status=[403],
        details=[f"rbac_access_denied_matched_policy[{policy}]"],
    )


@pytest.mark.parametrize(
    ("policy", "objects"),
    [
        pytest.param("ns[shop]-policy[deny]-rule[0]", ("AuthorizationPolicy:shop/deny",), id="named"),
        pytest.param(
            "none", ("AuthorizationPolicy:istio-system/all", "AuthorizationPolicy:shop/viewers"), id="none-matched"
        ),
        pytest.param("something-else", (), id="unknown"),
    ],
)
def test_the_policies_behind_a_denial(policy: str, objects: tuple[str, ...]) -> None:
    config = frame(
        "config",
        namespace=["shop", "shop", "istio-system", "other"],
        kind=["AuthorizationPolicy"] * 4,
        object=[f"AuthorizationPolicy:{each}" for each in ("shop/viewers", "shop/web", "istio-system/all", "other/x")],
        spec=['{"action":"ALLOW"}', '{"selector":{"matchLabels":{"app":"web"}}}', "{}", "{}"],
    )

    assert list(denials_of(_log(policy), config)["objects"]) == [objects]


def test_a_log_without_denials_has_none() -> None:
    assert denials_of(_log("x").assign(details="via_upstream")).empty
