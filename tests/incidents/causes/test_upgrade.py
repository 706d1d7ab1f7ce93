"""An upgrade: spells of versions, routes that lost their cluster, refused updates."""

import json

import pandas as pd
import pytest

from meshforensics.incidents.causes.upgrade import lost_routes, refused_updates, versions_over_time
from meshforensics.testing import frame
from tests.incidents.cases import NOON, case

EARLIER = pd.Timestamp(NOON) - pd.Timedelta("1h")
OWN = {"namespace": ["shop"], "pod": ["web-1"]}
GONE = "outbound|80|v2|pay.shop.svc.cluster.local"
KEPT = "outbound|80|v1|pay.shop.svc.cluster.local"


def test_a_version_that_changed_is_two_spells() -> None:
    times = [EARLIER - pd.Timedelta("1h"), EARLIER, pd.Timestamp(NOON)]
    versions = frame(
        "versions", component=["pilot"] * 3, version=["1.29.2", "1.29.2", "1.31.0"], revision=["default"] * 3,
        captured_at=times,
    )  # fmt: skip

    found = versions_over_time(case(versions=versions))

    assert found[["version", "first", "last"]].to_numpy().tolist() == [
        ["1.29.2", times[0], times[1]],
        ["1.31.0", times[2], times[2]],
    ]


def test_a_proxy_is_told_by_its_own_page_where_there_is_one() -> None:
    proxies = frame(
        "proxies", namespace=["shop"] * 2, pod=["web-1"] * 2, version=["1.31.0"] * 2, build=["1.40.0", None],
        captured_at=[NOON] * 2,
    )  # fmt: skip

    assert versions_over_time(case(proxies=proxies))["build"].to_list() == ["1.40.0"]


def test_a_proxy_that_only_its_dump_tells_of_is_not_lost() -> None:
    proxies = frame("proxies", **OWN, version=["1.31.0"], captured_at=[NOON])

    assert versions_over_time(case(proxies=proxies))["who"].to_list() == ["shop/web-1"]


def lost(*, subsets: list[str], before: bool) -> dict[str, pd.DataFrame]:
    """A route to two subsets, of which the proxy has one now, and the rule of the host."""
    spec = json.dumps({"host": "pay", "subsets": [{"name": name} for name in subsets]})
    times = [EARLIER, EARLIER, NOON] if before else [NOON]
    names = [GONE, KEPT, KEPT] if before else [KEPT]
    count = len(names)
    held = frame(
        "cluster_instances", namespace=["shop"] * count, pod=["web-1"] * count, name=names, captured_at=times,
        state=["active"] * count,
    )  # fmt: skip
    return {
        "routes": frame(
            "routes", resource=["aa"] * 2, route_config=["80"] * 2, virtual_host=["pay.shop.svc.cluster.local:80"] * 2,
            name=["primary"] * 2, match=["prefix /"] * 2, cluster=[KEPT, GONE], weight=[70, 30],
            object=["VirtualService:shop/pay"] * 2, order=[0, 0],
        ),
        "route_instances": frame("route_instances", **OWN, resource=["aa"], state=["active"]),
        "cluster_instances": held[held["captured_at"] == NOON].reset_index(drop=True) if not before else held,
        "config": frame(
            "config", namespace=["shop"], name=["pay"], kind=["DestinationRule"], object=["DestinationRule:shop/pay"],
            spec=[spec], changed_at=[EARLIER], changed_by=["kubectl-edit"],
        ),
    }  # fmt: skip


def test_a_lost_route_names_both_objects_and_what_lacks() -> None:
    (row,) = lost_routes(case(**lost(subsets=["v1"], before=False))).to_dict("records")

    assert (row["proxy"], row["cluster"], row["route_object"]) == ("shop/web-1", GONE, "VirtualService:shop/pay")
    assert (row["rule"], row["lacks"], row["changed_by"]) == (
        "DestinationRule:shop/pay", "subset v2; it has v1", "kubectl-edit",
    )  # fmt: skip
    assert row["had"] is None


@pytest.mark.parametrize(
    ("subsets", "lacks"),
    [
        pytest.param([], "subset v2; it has none", id="no-subsets"),
        pytest.param(["v1", "v2"], "nothing: it has subset v2", id="the-rule-is-right"),
    ],
)
def test_what_the_rule_lacks(subsets: list[str], lacks: str) -> None:
    assert lost_routes(case(**lost(subsets=subsets, before=False)))["lacks"].to_list() == [lacks]


def test_without_the_rule_it_says_so() -> None:
    frames = {name: of for name, of in lost(subsets=[], before=False).items() if name != "config"}

    (row,) = lost_routes(case(**frames)).to_dict("records")

    assert (row["rule"], row["lacks"]) == ("", "no DestinationRule with a subset v2 was captured")


def test_without_routes_no_route_is_lost() -> None:
    assert lost_routes(case()).empty


def test_a_refusal_that_several_sources_tell_of_is_one() -> None:
    rejections = frame(
        "rejections", namespace=["shop"] * 2, pod=["web-1"] * 2, type=["lds"] * 2, message=["no such filter"] * 2,
        resource_name=[None, "virtualInbound"], at=[NOON, EARLIER], place=["syncz", "proxy-log"], current=[True, True],
    )  # fmt: skip
    filters = frame(
        "config", namespace=["shop"], kind=["EnvoyFilter"], object=["EnvoyFilter:shop/a"], created_at=[EARLIER]
    )

    (row,) = refused_updates(case(rejections=rejections, config=filters)).to_dict("records")

    assert (row["proxy"], row["at"], row["told_by"]) == ("shop/web-1", EARLIER, ("proxy-log", "syncz"))
    assert (row["resource_name"], row["object"], row["inferred"]) == ("virtualInbound", "EnvoyFilter:shop/a", True)


def test_an_update_that_was_accepted_later_is_not_refused() -> None:
    rejections = frame("rejections", **OWN, type=["lds"], message=["x"], at=[NOON], place=["syncz"], current=[False])

    assert refused_updates(case(rejections=rejections)).empty
