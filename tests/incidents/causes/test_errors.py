"""Failed calls joined to what changed, their share over time, what came first, and the smallest rollback."""

from datetime import timedelta

import pandas as pd

from meshforensics.incidents.causes.errors import (
    errors_by_route,
    pushes_and_errors,
    share_over_time,
    smallest_rollback,
)
from meshforensics.testing import frame
from tests.incidents.cases import NOON, calls, case
from tests.incidents.causes.test_upgrade import lost


def _calls(failed: int, family: str = "no-cluster", **more: str) -> pd.DataFrame:
    made = calls(failed, family, total=40, flags=("NC",))
    return made.assign(route="primary", details="cluster_not_found", **more)


def _broken() -> dict[str, pd.DataFrame]:
    return {**lost(subsets=["v1"], before=False), "calls": _calls(10)}


def test_an_error_of_a_lost_route_names_the_rule() -> None:
    (row,) = errors_by_route(case(**_broken())).to_dict("records")

    assert (row["failed"], row["total"], row["flags"], row["route"]) == (10, 40, "NC", "primary")
    assert row["object"] == "DestinationRule:shop/pay"
    assert "VirtualService:shop/pay names outbound|80|v2|" in str(row["cause"])


def test_an_error_of_another_kind_is_not_explained_by_it() -> None:
    (row,) = errors_by_route(case(**{**_broken(), "calls": _calls(10, "upstream-timeout")})).to_dict("records")

    assert (row["cause"], row["object"]) == ("", "")


def test_a_connection_to_a_proxy_that_refuses_its_listeners_is_explained_by_that() -> None:
    rejections = frame(
        "rejections", namespace=["shop"], pod=["pay-1"], type=["lds"], message=["bad"], at=[NOON], place=["syncz"],
        current=[True], object=["EnvoyFilter:shop/limit"],
    )  # fmt: skip
    pods = frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"])

    (row,) = errors_by_route(
        case(calls=_calls(10, "connect-failure"), rejections=rejections, pods=pods)
    ).to_dict("records")  # fmt: skip

    assert row["object"] == "EnvoyFilter:shop/limit"


def test_the_share_that_fails_over_time() -> None:
    found = share_over_time(case(calls=_calls(10)))

    assert (int(found["calls"].sum()), int(found["failed"].sum())) == (40, 10)
    assert found["at"].is_monotonic_increasing
    assert set(found["known"]) == {1}


def test_what_came_first_is_told_against_the_first_failed_call() -> None:
    found = pushes_and_errors(case(**_broken()))

    first = NOON - timedelta(seconds=69)
    assert found[["what", "seconds"]].to_numpy().tolist() == [
        ["DestinationRule:shop/pay changed by kubectl-edit", -(3600 - 69)],
        ["first failed call: shop/web to pay.shop.svc.cluster.local (NC)", 0],
    ]
    assert found["at"].iloc[-1] == first


def test_the_smallest_rollback_undoes_what_ends_most() -> None:
    found = smallest_rollback(case(**_broken()))

    assert found[["step", "undo", "mends", "left"]].to_numpy().tolist() == [[1, "DestinationRule:shop/pay", 10, 0]]


def test_failures_that_were_passed_on_are_not_counted_twice() -> None:
    both = pd.concat(
        [_calls(10), _calls(10, "application", decided_by="upstream", caller="shop/gw")], ignore_index=True
    )

    found = smallest_rollback(case(**{**_broken(), "calls": both}))

    assert found[["mends", "left"]].to_numpy().tolist() == [[10, 0]]


def test_where_nothing_fails_nothing_is_to_be_undone() -> None:
    assert smallest_rollback(case()).empty
    assert smallest_rollback(case(calls=_calls(0))).empty
    assert errors_by_route(case()).empty
    assert share_over_time(case()).empty
    assert pushes_and_errors(case()).empty
