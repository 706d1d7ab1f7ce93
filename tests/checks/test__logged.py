"""What a log says beside a counter, which has no instants."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks._logged import beside_log
from meshforensics.checks.traffic_failures import retry_share
from meshforensics.checks.traffic_hosts import ejections, panic
from meshforensics.checks.traffic_limits import limit_reached
from meshforensics.testing import frame, outcome
from tests.checks.calls import CLUSTER, NOON, risen

RISEN = risen(("upstream_rq_retry", 90), ("upstream_rq_total", 100))


def _log(*lines: tuple[int, int, tuple[str, ...]], cluster: str = CLUSTER, pod: str = "web-1") -> pd.DataFrame:
    """Lines: seconds before noon, status and flags."""
    return frame(
        "access_log",
        namespace=["shop"] * len(lines),
        pod=[pod] * len(lines),
        at=[NOON - pd.Timedelta(seconds=ago) for ago, _, _ in lines],
        status=[status for _, status, _ in lines],
        flags=[flags for _, _, flags in lines],
        cluster=[cluster] * len(lines),
    )


SOME = ((60, 200, ()), (61, 503, ("UF",)), (62, 0, ("UF",)), (63, 0, ("DC",)), (700, 503, ("UF",)))


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(_log(*SOME), "; of 4 calls to it that were logged meanwhile 2 failed", id="in-its-span"),
        pytest.param(
            _log(*SOME, cluster="other"), "; none of the 4 calls logged there meanwhile was to it", id="to-others"
        ),
        pytest.param(_log(*SOME, pod="pay-1"), "; no call was logged there meanwhile", id="of-another-proxy"),
        pytest.param(_log(), "; no call was logged there meanwhile", id="no-log"),
    ],
)
def test_what_is_logged_beside_a_counter(log: pd.DataFrame, said: str) -> None:
    assert beside_log(RISEN.head(1), log) == [said]


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (retry_share, "upstream_rq_retry"),
        (limit_reached, "upstream_cx_overflow"),
        (panic, "lb_healthy_panic"),
        (ejections, "health_check_failure"),
    ],
)
def test_counters_that_no_log_settles_say_what_it_does(check: Check, name: str) -> None:
    (finding,) = outcome(check, at=NOON, rises_over_time=risen((name, 90)), access_log=_log(*SOME)).findings

    assert "; of 4 calls to it that were logged meanwhile 2 failed" in finding.detail
