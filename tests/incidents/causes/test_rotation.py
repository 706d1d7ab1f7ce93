"""A rotation of roots: who held which when, and which pairs that lets verify."""

from datetime import UTC, datetime

import pandas as pd

from meshforensics.incidents.causes.rotation import at_instant, holdings, moments, pair_works, roots, trust_over_time
from tests.incidents.cases import NOON, case
from tests.incidents.causes.memory import rows
from tests.incidents.causes.trust import BOTH, CHANGE, EARLY, MOVED, NEW, OLD, Held, mesh
from tests.pki import certificate


def test_a_dump_tells_what_was_held_since_the_proxy_took_it() -> None:
    known = holdings(mesh(*MOVED))

    assert [(each.proxy, each.serials, each.since) for each in known if each.proxy == "shop/pay-1"] == [
        ("shop/pay-1", ("1",), EARLY),
        ("shop/pay-1", ("2",), CHANGE),
    ]


def test_between_two_dumps_it_is_not_known() -> None:
    of = mesh(*MOVED)

    before, between, after = (
        at_instant(of, at).get("shop/pay-1")
        for at in (EARLY, CHANGE - pd.Timedelta("1s"), CHANGE)
    )  # fmt: skip

    assert [None if each is None else each.serials for each in (before, between, after)] == [("1",), None, ("2",)]


def test_the_last_dump_holds_on() -> None:
    assert at_instant(mesh(*MOVED), pd.Timestamp(NOON) + pd.Timedelta("1h"))["shop/pay-1"].serials == ("2",)


def test_pairs_are_judged_at_each_moment() -> None:
    found = trust_over_time(mesh(*MOVED)).drop_duplicates("at")

    assert found[["fails", "works", "unknown"]].to_numpy().tolist() == [[0, 2, 0], [0, 1, 1], [1, 1, 0], [1, 1, 0]]
    assert found["at"].is_monotonic_increasing


def test_each_moment_groups_proxies_by_their_roots() -> None:
    found = trust_over_time(mesh(*MOVED))

    last = found[found["at"] == found["at"].max()]
    assert last[["serials", "proxies"]].to_numpy().tolist() == [
        [("1",), ("shop/gw-1", "shop/web-1")],
        [("2",), ("shop/pay-1",)],
    ]


def test_with_an_overlap_no_pair_fails() -> None:
    assert set(trust_over_time(mesh(*BOTH))["fails"]) == {0}


def test_roots_are_told_by_holders_and_by_leaves() -> None:
    found = rows(roots(mesh(*BOTH)), "serial")

    assert {serial: len(row["holders"]) for serial, row in found.items()} == {"1": 3, "2": 3}
    assert {serial: row["signed"] for serial, row in found.items()} == {
        "1": ("shop/gw-1", "shop/web-1"),
        "2": ("shop/pay-1",),
    }
    assert [row["newest"] for row in found.values()] == [False, True]


def test_a_root_that_has_ended_verifies_nothing_any_more() -> None:
    ended = certificate("mesh", key_name="ended", ca=True, serial=3, begin=datetime(2020, 1, 1, tzinfo=UTC),
                        end=NOON.replace(hour=11))  # fmt: skip
    held = [Held(pod=pod, roots=[ended], by=ended) for pod in ("gw", "web")]
    state = {each.proxy: each for each in holdings(mesh(*held))}
    pair = state["shop/gw-1"], state["shop/web-1"]

    before, after = (pair_works(*pair, pd.Timestamp(NOON) + pd.Timedelta(hours=hours)) for hours in (-2, 0))

    assert (before, after) == (True, False)


def test_a_side_without_a_leaf_is_not_judged() -> None:
    state = {each.proxy: each for each in holdings(mesh(*MOVED))}

    assert pair_works(state["shop/gw-1"], None, pd.Timestamp(NOON)) is None


def test_without_dumps_nothing_is_known() -> None:
    assert holdings(case()) == ()
    assert moments(case()) == []
    assert trust_over_time(case()).empty
    assert roots(case()).empty


def test_two_roots_of_one_name_are_two() -> None:
    assert OLD.certificate.subject == NEW.certificate.subject
    assert len(roots(mesh(*MOVED))) == 2
