"""EnvoyFilters that did not take effect, or need not after an upgrade."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.routing_filters import (
    filter_not_applied,
    filter_not_removed,
    filter_operation_ignored,
    filter_order_unsafe,
)
from meshforensics.testing import frame, outcome
from tests.checks.objects import NOON, case, expected, named, rows_of_objects, said_of_frames


def _patch(**values: Any) -> pd.DataFrame:
    base = {
        "namespace": "shop",
        "object": "EnvoyFilter:shop/lua",
        "apply_to": "HTTP_FILTER",
        "operation": "INSERT_BEFORE",
        "context": "SIDECAR_INBOUND",
        "name": "envoy.lua",
    }
    return frame("envoy_filter_patches", **{key: [value] for key, value in {**base, **values}.items()})


@pytest.mark.parametrize(
    ("operation", "apply_to", "found"),
    [
        ("REMOVE", "HTTP_ROUTE", 1),
        ("ADD", "ROUTE_CONFIGURATION", 1),
        ("REPLACE", "CLUSTER", 1),
        ("REPLACE", "HTTP_FILTER", 0),
        ("MERGE", "HTTP_ROUTE", 0),
        ("REMOVE", "NETWORK_FILTER", 0),
    ],
)
def test_filter_operation_ignored(operation: str, apply_to: str, found: int) -> None:
    patches = _patch(operation=operation, apply_to=apply_to)

    assert len(outcome(filter_operation_ignored, envoy_filter_patches=patches).findings) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, 1),
        ({"priority": 10}, 0),
        ({"priority": 0}, 1),
        ({"operation": "INSERT_FIRST"}, 0),
        ({"operation": "REMOVE", "apply_to": "HTTP_ROUTE"}, 0),
    ],
)
def test_filter_order_unsafe(values: dict[str, Any], found: int) -> None:
    assert len(outcome(filter_order_unsafe, envoy_filter_patches=_patch(**values)).findings) == found


MANAGER = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"


def _mesh(http_filters: tuple[str, ...] = (ROUTER,), role: str = "sidecar") -> dict[str, pd.DataFrame]:
    where = {"namespace": ["shop"], "pod": ["web-1"]}
    return {
        "proxies": frame("proxies", **where, role=[role], version=["1.24.1"]),
        "pods": frame("pods", **where, labels=['{"app":"web"}']),
        "listeners": frame("listeners", resource=["r"], direction=["INBOUND"]),
        "filter_chains": frame("filter_chains", resource=["r"], http_filters=[http_filters], filters=[(MANAGER,)]),
        "listener_instances": frame("listener_instances", **where, resource=["r"], state=["active"]),
        "cluster_instances": frame("cluster_instances", **where, name=["lua_cluster"]),
    }


NEXT_TO = '{"listener":{"filterChain":{"filter":{"name":"http_connection_manager","subFilter":{"name":"FILTER"}}}}}'


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({}, 1, id="on-no-proxy"),
        pytest.param({"name": ROUTER}, 0, id="is-there"),
        pytest.param({"name": MANAGER, "apply_to": "NETWORK_FILTER"}, 0, id="network-filter-is-there"),
        pytest.param({"name": "lua_cluster", "apply_to": "CLUSTER", "operation": "ADD"}, 0, id="cluster-is-there"),
        pytest.param({"name": "gone", "apply_to": "CLUSTER", "operation": "ADD"}, 1, id="cluster-is-not"),
        pytest.param({"selector": '{"app":"web"}'}, 1, id="selects-it"),
        pytest.param({"selector": '{"app":"other"}'}, 0, id="selects-no-captured-proxy"),
        pytest.param({"context": "SIDECAR_OUTBOUND"}, 0, id="no-listener-of-that-direction"),
        pytest.param({"context": "ANY"}, 1, id="of-any-direction"),
        pytest.param({"match": NEXT_TO.replace("FILTER", "envoy.router")}, 1, id="beside-what-is-there"),
        pytest.param({"match": NEXT_TO.replace("FILTER", "tcp_proxy")}, 0, id="beside-what-is-not"),
        pytest.param({"context": "GATEWAY"}, 0, id="for-gateways"),
        pytest.param({"namespace": "web"}, 0, id="for-another-namespace"),
        pytest.param({"namespace": "istio-system"}, 1, id="of-the-root-namespace"),
        pytest.param({"proxy_version": r"^1\.24.*"}, 1, id="for-its-version"),
        pytest.param({"proxy_version": r"^1\.11.*"}, 0, id="for-another-version"),
        pytest.param({"proxy_version": r"^(1\.24)+"}, 0, id="a-pattern-that-could-take-long"),
        pytest.param({"proxy_version": r".*.*.*.*x"}, 0, id="a-pattern-that-repeats-too-much"),
        pytest.param({"match": '{"proxy":{"metadata":{"A":"b"}}}'}, 0, id="for-proxies-of-some-metadata"),
        pytest.param({"proxy_version": "("}, 0, id="a-pattern-that-is-none"),
        pytest.param({"operation": "MERGE"}, 0, id="what-merges-cannot-be-told"),
        pytest.param({"targeted": True}, 0, id="aimed-at-an-object"),
    ],
)
def test_filter_not_applied(values: dict[str, Any], found: int) -> None:
    said = said_of_frames(filter_not_applied, {"envoy_filter_patches": _patch(**values), **_mesh()})

    assert len(said.findings) == found


def _without_clusters() -> dict[str, pd.DataFrame]:
    return {name: table for name, table in _mesh().items() if name != "cluster_instances"}


SECOND = {"namespace": ["shop"], "pod": ["web-2"]}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({}, 1, id="still-there"),
        pytest.param({"context": "ANY"}, 1, id="in-any-direction"),
        pytest.param({"context": "SIDECAR_OUTBOUND"}, 0, id="no-listener-of-that-direction"),
        pytest.param({"match": NEXT_TO.replace("FILTER", "envoy.filters.http.fault")}, 0, id="is-gone"),
        pytest.param({"match": NEXT_TO.replace('{"filterChain"', '{"portNumber":80,"filterChain"')}, 0, id="of-a-port"),
        pytest.param({"match": "{}"}, 0, id="names-nothing"),
        pytest.param({"operation": "INSERT_BEFORE"}, 0, id="puts-before-it"),
        pytest.param({"apply_to": "NETWORK_FILTER"}, 1, id="the-manager-itself"),
        pytest.param({"apply_to": "HTTP_ROUTE"}, 0, id="a-route"),
        pytest.param({"selector": '{"app":"other"}'}, 0, id="selects-no-captured-proxy"),
        pytest.param({"targeted": True}, 0, id="aimed-at-an-object"),
    ],
)
def test_filter_not_removed(values: dict[str, Any], found: int) -> None:
    base = {"operation": "REMOVE", "name": None, "match": NEXT_TO.replace("FILTER", "envoy.router")}
    patches = _patch(**{**base, **values})
    mesh = _without_clusters()

    said = said_of_frames(filter_not_removed, {"envoy_filter_patches": patches, **mesh})

    assert len(said.findings) == found


def test_what_one_proxy_lacks_was_removed_somewhere() -> None:
    mesh = _without_clusters()
    for name, more in (
        ("proxies", {"role": ["sidecar"], "version": ["1.24.1"]}),
        ("pods", {"labels": ["{}"]}),
        ("listener_instances", {"resource": ["other"], "state": ["active"]}),
    ):
        mesh[name] = pd.concat([mesh[name], frame(name, **SECOND, **more)], ignore_index=True)
    patches = _patch(operation="REMOVE", name=None, match=NEXT_TO.replace("FILTER", "envoy.router"))

    assert said_of_frames(filter_not_removed, {"envoy_filter_patches": patches, **mesh}).findings == ()


@pytest.mark.parametrize(("age_s", "found"), [(59, 0), (60, 1)])
def test_a_change_of_a_minute_ago_may_be_under_way(age_s: int, found: int) -> None:
    config = frame(
        "config",
        object=["EnvoyFilter:shop/lua"],
        captured_at=[NOON],
        created_at=[NOON - pd.Timedelta(days=1)],
        changed_at=[NOON - pd.Timedelta(seconds=age_s)],
    )

    said = said_of_frames(filter_not_applied, {"envoy_filter_patches": _patch(), "config": config, **_mesh()})

    assert len(said.findings) == found


@pytest.mark.parametrize(
    "check", [filter_operation_ignored, filter_order_unsafe, filter_not_applied, filter_not_removed]
)
def test_without_filters_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check).not_evaluated or "").startswith("not captured: envoy_filter_patches")
    needed = {parameter.table for parameter in check.parameters}
    rest = {name: table for name, table in _mesh().items() if name in needed}
    none = {"envoy_filter_patches": _patch().iloc[:0], **rest}
    assert said_of_frames(check, none).findings == ()


def test_filters_as_istioctl_analyze_finds_them(corpus: Path) -> None:
    relative = case(corpus, "relative-envoy-filter-operation.yaml")
    removed = case(corpus, "envoy-filter-remove-operation.yaml")

    assert named(rows_of_objects(filter_operation_ignored, removed)["object"]) == expected(corpus, "085", "IST0154")
    assert named(rows_of_objects(filter_order_unsafe, removed)["object"]) == expected(corpus, "085", "IST0151")
    unsafe = rows_of_objects(filter_order_unsafe, relative)
    assert sorted(set(named(unsafe["object"]))) == sorted(set(expected(corpus, "080", "IST0151", "IST0155")))
    assert named(unsafe[unsafe["pinned"] != ""]["object"]) == expected(corpus, "080", "IST0155")
