"""EnvoyFilters that merge what no cluster has, and those that do."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.routing_merges import filter_not_merged
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames

PAY, WEB = "outbound|80||pay.shop.svc.cluster.local", "outbound|80|v1|web.shop.svc.cluster.local"


def _patches(*many: dict[str, Any]) -> pd.DataFrame:
    base = {
        "namespace": "shop",
        "object": "EnvoyFilter:shop/slow",
        "apply_to": "CLUSTER",
        "operation": "MERGE",
        "context": "SIDECAR_OUTBOUND",
        "merged": '{"connect_timeout":"3s"}',
    }
    rows = [{**base, **each} for each in many]
    names = sorted({name for row in rows for name in row})
    return frame("envoy_filter_patches", **{name: [row.get(name) for row in rows] for name in names})


def _mesh(pay: float | None = 10.0, web: float | None = 10.0, **columns: Any) -> dict[str, pd.DataFrame]:
    """Sidecar shop/web-1 with two clusters and their time to connect, and one that its bootstrap brings."""
    place = {"namespace": ["shop"], "pod": ["web-1"]}
    names = [PAY, WEB, "xds-grpc"]
    return {
        "proxies": frame("proxies", **place, role=["sidecar"], version=["1.24.1"]),
        "pods": frame("pods", **place, labels=['{"app":"web"}']),
        "listener_instances": frame("listener_instances", **place, resource=["r"], state=["active"]),
        "clusters": frame(
            "clusters",
            resource=names,
            name=names,
            direction=["outbound", "outbound", None],
            host=["pay.shop.svc.cluster.local", "web.shop.svc.cluster.local", None],
            port=[80, 80, None],
            subset=[None, "v1", None],
            connect_timeout_s=[pay, web, 1.0],
            **columns,
        ),
        "cluster_instances": frame(
            "cluster_instances",
            namespace=["shop"] * 3,
            pod=["web-1"] * 3,
            name=names,
            resource=names,
            state=["active", "active", "static"],
        ),
    }


def _match(**cluster: object) -> dict[str, Any]:
    inner = ",".join(f'"{name}":{said}' for name, said in cluster.items())
    return {"match": '{"cluster":{' + inner + "}}"}


@pytest.mark.parametrize(
    ("patch", "mesh", "found"),
    [
        pytest.param({}, _mesh(), ["connect_timeout 3 into clusters; none of the 2"], id="no-cluster-has-it"),
        pytest.param({}, _mesh(3.0), [], id="one-has-it"),
        pytest.param({}, _mesh(None), [], id="of-one-it-is-not-known"),
        pytest.param({"merged": '{"connectTimeout":"3s"}'}, _mesh(), ["none of the 2"], id="spelled-otherwise"),
        pytest.param({"merged": '{"connect_timeout":{"seconds":3}}'}, _mesh(), [], id="no-text"),
        pytest.param({"merged": '{"dns_refresh_rate":"3s"}'}, _mesh(), [], id="a-value-that-no-table-has"),
        pytest.param({"operation": "ADD"}, _mesh(), [], id="not-merged"),
        pytest.param({"apply_to": "LISTENER"}, _mesh(), [], id="not-into-clusters"),
        pytest.param({"targeted": True}, _mesh(), [], id="for-named-objects"),
        pytest.param({"namespace": "other"}, _mesh(), [], id="for-another-namespace"),
        pytest.param({"selector": '{"app":"pay"}'}, _mesh(), [], id="for-other-pods"),
        pytest.param({"context": "GATEWAY"}, _mesh(), [], id="for-gateways"),
        pytest.param({"context": "SIDECAR_INBOUND"}, _mesh(), [], id="for-clusters-that-are-not-there"),
        pytest.param(_match(name=f'"{PAY}"'), _mesh(web=3.0), ["none of the 1"], id="by-name"),
        pytest.param(_match(name='"xds-grpc"'), _mesh(), [], id="of-the-bootstrap"),
        pytest.param(
            _match(service='"pay.shop.svc.cluster.local"', portNumber=80),
            _mesh(web=3.0),
            ["none of the 1"],
            id="by-port",
        ),
        pytest.param(_match(portNumber=81), _mesh(), [], id="by-another-port"),
        pytest.param(_match(subset='"v1"'), _mesh(3.0), ["none of the 1"], id="by-subset"),
        pytest.param(_match(subset='"v1"'), _mesh(web=3.0), [], id="by-subset-and-there"),
        pytest.param(_match(unheard="1"), _mesh(), [], id="by-what-is-not-known-here"),
        pytest.param({"match": '{"proxy":{"metadata":{"A":"b"}}}'}, _mesh(), [], id="by-metadata"),
        pytest.param(
            {"merged": '{"lb_policy":"LEAST_REQUEST"}'}, _mesh(), ["lb_policy LEAST_REQUEST"], id="round-robin-unsaid"
        ),
        pytest.param(
            {"merged": '{"lb_policy":"LEAST_REQUEST"}'},
            _mesh(lb_policy=["LEAST_REQUEST", "RANDOM", None]),
            [],
            id="one-has-the-policy",
        ),
    ],
)
def test_a_value_that_no_cluster_has(patch: dict[str, Any], mesh: dict[str, pd.DataFrame], found: list[str]) -> None:
    said = said_of_frames(filter_not_merged, {"envoy_filter_patches": _patches(patch), **mesh})

    assert [each.subjects for each in said.findings] == [("EnvoyFilter:shop/slow",)] * len(found)
    assert all(words in each.detail for each, words in zip(said.findings, found, strict=True))


def test_a_value_that_another_patch_writes_too_is_not_judged() -> None:
    other = {"object": "EnvoyFilter:istio-system/all", "merged": '{"connect_timeout":"7s"}'}

    said = said_of_frames(filter_not_merged, {"envoy_filter_patches": _patches({}, other), **_mesh()})

    assert said.findings == ()


@pytest.mark.parametrize(("age_s", "found"), [(59, 0), (3600, 1)])
def test_a_change_of_a_minute_ago_may_be_under_way(age_s: int, found: int) -> None:
    at = pd.Timestamp("2026-01-01T12:00:00Z")
    config = frame(
        "config", object=["EnvoyFilter:shop/slow"], captured_at=[at], changed_at=[at - pd.Timedelta(seconds=age_s)]
    )

    said = said_of_frames(filter_not_merged, {"envoy_filter_patches": _patches({}), "config": config, **_mesh()})

    assert len(said.findings) == found


def test_without_dumps_it_is_not_evaluated() -> None:
    said = outcome(filter_not_merged, envoy_filter_patches=_patches({}))

    assert said.not_evaluated is not None
    assert "not captured: clusters" in said.not_evaluated
