"""What a rotation does: pairs against what was seen, the overlap, who recovers by what, what would have warned."""

import pandas as pd
import pytest

from meshforensics.incidents.causes.rotation_effects import (
    GATE,
    even_split_bound,
    failing_calls,
    overlap,
    pairs_against_seen,
    safe_order,
    warnings,
    who_recovers,
)
from meshforensics.testing import frame
from tests.incidents.cases import NOON, calls, case
from tests.incidents.causes.memory import rows
from tests.incidents.causes.trust import BOTH, CHANGE, MOVED, Held, mesh

PODS = frame("pods", namespace=["shop"] * 2, pod=["web-1", "pay-1"], ip=["10.244.1.8", "10.244.1.9"])


def _seen(failed: int) -> dict[str, pd.DataFrame]:
    return {"calls": calls(failed, "tls-unknown-root", total=40), "pods": PODS}


def test_a_pair_that_fails_by_key_is_held_against_the_log() -> None:
    found = rows(pairs_against_seen(mesh(*MOVED, **_seen(10))), "server")

    assert (found["shop/pay-1"]["works"], found["shop/pay-1"]["failed"], found["shop/pay-1"]["total"]) == (
        False,
        10,
        40,
    )
    assert found["shop/pay-1"]["agrees"] is True
    assert found["shop/web-1"]["agrees"] is None


@pytest.mark.parametrize(
    ("held", "failed", "agrees"),
    [
        pytest.param(MOVED, 0, False, id="predicted-and-not-seen"),
        pytest.param(BOTH, 10, False, id="seen-and-not-predicted"),
        pytest.param(BOTH, 0, True, id="neither"),
    ],
)
def test_where_prediction_and_log_differ_it_says_so(held: tuple[Held, ...], failed: int, agrees: bool) -> None:
    assert rows(pairs_against_seen(mesh(*held, **_seen(failed))), "server")["shop/pay-1"]["agrees"] is agrees


def test_counters_of_the_callers_cluster_count_too() -> None:
    cluster = "outbound|80||pay.shop.svc.cluster.local"
    own = {"namespace": ["shop"], "pod": ["web-1"], "cluster": [cluster]}
    stats = frame("stats", **own, name=["envoy_cluster_ssl_fail_verify_error"], value=[7], labels=["{}"])
    endpoints = frame("endpoints", **own, address=["10.244.1.9:80"])

    found = pairs_against_seen(mesh(*MOVED, stats=stats, endpoints=endpoints, pods=PODS))

    assert rows(found, "server")["shop/pay-1"]["counted"] == 7


def test_the_overlap_that_was_missing() -> None:
    (row,) = overlap(mesh(*MOVED)).to_dict("records")

    assert (row["root"], row["older"], row["first_leaf_at"]) == ("2", "1", CHANGE)
    assert (row["both"], row["only_older"], row["only_newer"]) == ((), ("shop/gw-1", "shop/web-1"), ("shop/pay-1",))


def test_an_overlap_that_was_there() -> None:
    (row,) = overlap(mesh(*BOTH)).to_dict("records")

    assert (len(row["both"]), row["only_older"], row["only_newer"]) == (3, (), ())


def test_a_restart_moves_one_proxy_and_a_bundle_mends_all() -> None:
    found = rows(who_recovers(mesh(*MOVED)), "proxy")

    assert {proxy: (row["fails"], row["restarted"], row["bundled"]) for proxy, row in found.items()} == {
        "shop/gw-1": (0, 1, 0),
        "shop/pay-1": (1, 1, 0),
        "shop/web-1": (1, 1, 0),
    }


def test_an_even_split_fails_for_twice_p_times_one_less_p() -> None:
    bound = even_split_bound(mesh(*MOVED))

    assert bound == pytest.approx((1 / 3, 4 / 9))
    assert even_split_bound(mesh(*BOTH)) == (0.0, 0.0)
    assert even_split_bound(case()) is None


def test_the_safe_order_says_where_the_mesh_stands() -> None:
    moved, both = (safe_order(mesh(*held))["now"].to_list() for held in (MOVED, BOTH))

    assert (moved[2], moved[3]) == ("0 of 3 proxies trust all 2 roots", "1 of 3 leaves chains to the newest root")
    assert both[2] == "3 of 3 proxies trust all 2 roots"
    assert set(safe_order(case())["now"]) == {"not captured"}


def test_what_would_have_warned_and_how_much_earlier() -> None:
    found = warnings(mesh(*MOVED), CHANGE + pd.Timedelta("1min")).drop_duplicates("check")

    told = rows(found, "check")
    assert list(told) == [GATE, "certificates.trust-split", "certificates.root-near-end"]
    assert round(told[GATE]["days"]) == 31
    assert told["certificates.trust-split"]["days"] == pytest.approx(1 / 1440)
    assert told["certificates.root-near-end"]["days"] < 0


def test_without_a_failure_nothing_came_before_it() -> None:
    assert warnings(mesh(*MOVED), None)["days"].isna().all()
    assert warnings(case(), pd.Timestamp(NOON)).empty


def test_only_failures_in_tls_are_blocked_by_it() -> None:
    assert len(failing_calls(case(calls=calls(4, "tls-unknown-root")))) == 4
    assert failing_calls(case(calls=calls(4, "no-cluster"))).empty
    assert pairs_against_seen(case()).empty
    assert overlap(case()).empty
    assert who_recovers(case()).empty
