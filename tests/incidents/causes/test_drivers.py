"""What grows with memory: drivers, pools, and who opens what piles up."""

import pandas as pd
import pytest

from meshforensics.incidents.causes.drivers import openers, pool_stats, pools, with_drivers
from meshforensics.testing import frame
from tests.incidents.cases import case
from tests.incidents.causes.memory import CLUSTER, MIB, flat, memory, piled_up, rising, rows, series


def test_a_driver_that_accounts_for_the_growth_leaves_nothing_of_it() -> None:
    found = rows(with_drivers(series(memory(web_1=rising), piled_up())), "driver")

    close = {name: round(row["r"], 2) for name, row in found.items() if not pd.isna(row["r"])}
    assert close == {"connections": 1.0, "streams": 1.0}
    assert abs(found["connections"]["left_high"]) < MIB / 100
    assert round(found["clusters"]["left_low"] / MIB) == 15
    assert {row["pointer"] for row in found.values()} == {""}


def test_live_memory_is_normalised_by_each_driver() -> None:
    found = rows(with_drivers(series(memory(web_1=rising), piled_up())), "driver")

    assert found["clusters"]["each_first"] == 10 * MIB / 9
    assert pd.isna(found["connections"]["each_first"])
    assert found["pushes"]["each_last"] == 65 * MIB / 2


def test_the_pool_that_rises_with_memory_is_named_and_a_flat_proxy_has_none() -> None:
    found = pools(series(memory(web_1=rising), piled_up()))
    none = pools(series(memory(web_1=flat), piled_up()))

    upstream = found[found["what"] == "upstream"]
    assert upstream["name"].to_list() == [CLUSTER]
    assert [round(each / MIB, 2) for each in upstream["each"]] == [0.5]
    assert none.empty


def test_the_stats_of_a_pool() -> None:
    found = pool_stats(series(memory(web_1=rising), piled_up()), "shop/web-1", CLUSTER)

    assert found[["stat", "first", "last"]].to_numpy().tolist() == [
        ["upstream_cx_active", 0.0, 110.0],
        ["upstream_cx_total", 3.0, 113.0],
    ]


@pytest.mark.parametrize("end", ["", ";"], ids=["older Istio", "Istio that ends the name"])
def test_the_stats_of_a_pool_are_told_once_and_only_those_that_changed(end: str) -> None:
    told = piled_up()
    plain = told.assign(name=[str(name).replace("envoy_cluster_", f"cluster.{CLUSTER}{end}.") for name in told["name"]])
    still = plain.assign(name=[f"cluster.{CLUSTER}{end}.circuit_breakers.default.remaining_cx"] * len(plain))
    same = plain.assign(name=[f"cluster.{CLUSTER}{end}.upstream_rq_pending_total"] * len(plain), value=7.0)

    both = pd.concat([told, plain, still, same], ignore_index=True)
    found = pool_stats(series(memory(web_1=rising), both), "shop/web-1", CLUSTER)

    assert list(found["stat"]) == ["upstream_cx_active", "upstream_cx_total"]


def test_callers_tell_what_they_hold_open() -> None:
    endpoints = frame(
        "endpoints", namespace=["shop"] * 2, pod=["gw-1", "ads-1"], cluster=[CLUSTER] * 2, address=["10.0.0.7:80"] * 2,
        cx_active=[110, 1], cx_total=[113, 1], rq_active=[110, 0],
    )  # fmt: skip
    pods = frame("pods", namespace=["shop"], pod=["web-1"], ip=["10.0.0.7"])

    found = openers(series(memory(web_1=rising), piled_up(), endpoints=endpoints, pods=pods))

    assert found[["opener", "cx_active"]].to_numpy().tolist() == [["shop/gw-1", 110.0], ["shop/ads-1", 1.0]]


def test_what_rises_on_an_outbound_listener_is_opened_by_the_own_application() -> None:
    told = piled_up()
    told["listener"] = ["outbound_0.0.0.0_80" if "http" in str(name) else None for name in told["name"]]

    found = openers(series(memory(web_1=rising), told))

    assert found["opener"].to_list() == ["its own application"]


def test_without_stats_there_are_no_drivers() -> None:
    assert with_drivers(series(memory(web_1=rising))).empty
    assert pools(case()).empty
    assert openers(case()).empty
