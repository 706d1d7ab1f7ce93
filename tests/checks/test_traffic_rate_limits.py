"""Answers 429 that counters tell."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.traffic_rate_limits import counted_limits
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome, tables_of

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
PAY = "pay.shop.svc.cluster.local"


def _calls(*rows: dict[str, Any], since_s: int = 600) -> pd.DataFrame:
    """Counted calls: of shop/web to the application PAY, unless told otherwise."""
    usual = {"caller": "shop/web", "host": PAY, "family": "", "status": None, "aside": False, "calls": 90}
    made = [usual | row for row in rows]
    return frame(
        "counted_calls",
        namespace=["shop"] * len(made),
        pod=[row["caller"].partition("/")[2] for row in made],
        since=[NOON - pd.Timedelta(seconds=since_s)] * len(made),
        at=[NOON] * len(made),
        **{name: [row[name] for row in made] for name in usual},
    )


SERVED = {"status": 200}
PASSED_ON = {"status": 429, "calls": 10}
LIMIT = {"caller": "shop/pay", "host": "", "family": "rate-limited", "calls": 10}
TAKEN = {"caller": "shop/pay", "host": "", "aside": True, "calls": 40}


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        pytest.param(_calls(SERVED), [], id="none"),
        pytest.param(
            _calls(SERVED, PASSED_ON),
            [f"{PAY}, called by shop/web, answered 429 to 10 of 100 requests"],
            id="of-a-server",
        ),
        pytest.param(_calls(LIMIT, TAKEN), ["a limit of shop/pay answered 429 to 10 of 40 requests"], id="a-limit"),
        pytest.param(_calls(LIMIT), ["a limit of shop/pay answered 429 to 10 requests"], id="of-how-many-is-not-told"),
        pytest.param(
            _calls(SERVED, PASSED_ON, LIMIT, TAKEN),
            ["a limit of shop/pay answered 429 to 10 of 40 requests"],
            id="both-sides-count-the-same",
        ),
        pytest.param(
            _calls(LIMIT | {"caller": "edge/gate"}, PASSED_ON | {"caller": "edge/gate", "family": "rate-limited"}),
            ["a limit of edge/gate answered 429 to 10 requests"],
            id="a-gateway-counts-it-in-two-ways",
        ),
        pytest.param(_calls(LIMIT, TAKEN, since_s=901), [], id="since-before-the-window"),
    ],
)
def test_counted_limits(calls: pd.DataFrame, said: list[str]) -> None:
    found = outcome(counted_limits, at=NOON, counted_calls_over_time=calls).findings

    assert [each.detail.partition(" between ")[0] for each in found] == said
    assert {each.severity for each in found} <= {Severity.INFO}


def test_what_was_logged_is_not_counted_twice() -> None:
    log = frame("access_log", namespace=["shop"], pod=["pay"], at=[NOON], status=[200])

    assert outcome(counted_limits, at=NOON, counted_calls_over_time=_calls(LIMIT), access_log=log).findings == ()
    assert outcome(counted_limits, at=NOON).not_evaluated == "not captured: counted_calls"


@pytest.mark.parametrize(
    "name",
    [
        "http_local_rate_limiter.http_local_rate_limit.enforced",
        "cluster.inbound|80||;.ratelimit.over_limit",
    ],
)
def test_each_kind_of_limit_is_counted(name: str) -> None:
    page = f"{name}: 7\nserver.uptime: 60\n".encode()
    tables = tables_of(("envoy.stats", "shop/pay", page), captured_at=NOON.to_pydatetime())

    (finding,) = outcome(counted_limits, at=NOON, counted_calls_over_time=tables.frame("counted_calls")).findings

    assert finding.detail.startswith("a limit of shop/pay answered 429 to 7 requests between 2026-01-01T11:59:00Z")
