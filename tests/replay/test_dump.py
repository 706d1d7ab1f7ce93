"""Dumps as Envoy cuts them."""

import json
from typing import Any

import pytest

from meshforensics.replay._answer import NoAnswerError
from meshforensics.replay._dump import dump

ADMIN = "type.googleapis.com/envoy.admin.v3."
CLUSTER = {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "type": "EDS"}
DYNAMIC = [
    {
        "version_info": "7",
        "cluster": {**CLUSTER, "name": name, "circuit_breakers": {"thresholds": [{"max_retries": 1}]}},
    }
    for name in ("alpha", "beta")
]
BOOTSTRAP = {"@type": f"{ADMIN}BootstrapConfigDump", "bootstrap": {"node": {"id": "n", "cluster": "c"}, "admin": {}}}
CLUSTERS = {"@type": f"{ADMIN}ClustersConfigDump", "version_info": "7", "dynamic_active_clusters": DYNAMIC}
LISTENERS = {"@type": f"{ADMIN}ListenersConfigDump", "dynamic_listeners": [{"name": "in", "active_state": {"x": 1}}]}
ENDPOINTS = {
    "@type": f"{ADMIN}EndpointsConfigDump",
    "dynamic_endpoint_configs": [{"endpoint_config": {"cluster_name": "alpha"}}],
}
PAYLOAD = json.dumps({"configs": [BOOTSTRAP, CLUSTERS, LISTENERS, ENDPOINTS]}).encode()


def asked(**query: str) -> list[dict[str, Any]]:
    """The configs of the answer."""
    made: list[dict[str, Any]] = json.loads(dump(PAYLOAD, query).body).get("configs", [])
    return made


def test_with_its_endpoints_it_is_as_captured() -> None:
    assert dump(PAYLOAD, {"include_eds": ""}).body == PAYLOAD
    assert dump(PAYLOAD, {"include_eds": "true", "resource": "", "other": "x"}).body == PAYLOAD


@pytest.mark.parametrize(
    ("query", "configs"),
    [
        pytest.param({}, [BOOTSTRAP, CLUSTERS, LISTENERS], id="without-endpoints"),
        pytest.param(
            {"resource": "dynamic_active_clusters"},
            [{"@type": f"{ADMIN}ClustersConfigDump.DynamicCluster", **one} for one in DYNAMIC],
            id="resource",
        ),
        pytest.param({"resource": "dynamic_warming_clusters"}, [], id="resource-that-is-empty"),
        pytest.param(
            {"resource": "dynamic_endpoint_configs", "include_eds": ""},
            [
                {
                    "@type": f"{ADMIN}EndpointsConfigDump.DynamicEndpointConfig",
                    "endpoint_config": {"cluster_name": "alpha"},
                }
            ],
            id="resource-of-endpoints",
        ),
        pytest.param(
            {"resource": "dynamic_active_clusters", "mask": "cluster.name,version_info", "name_regex": "b.*"},
            [
                {
                    "@type": f"{ADMIN}ClustersConfigDump.DynamicCluster",
                    "version_info": "7",
                    "cluster": {"@type": CLUSTER["@type"], "name": "beta"},
                }
            ],
            id="resource-mask-and-name",
        ),
        pytest.param(
            {"mask": "bootstrap.node.id"},
            [{"@type": BOOTSTRAP["@type"], "bootstrap": {"node": {"id": "n"}}}],
            id="mask-below-a-field",
        ),
        pytest.param(
            {"mask": "version_info"},
            [{"@type": CLUSTERS["@type"], "version_info": "7"}, {"@type": LISTENERS["@type"]}],
            id="mask-of-several-sections",
        ),
        pytest.param(
            {"mask": "dynamic_active_clusters", "name_regex": "alph"},
            [{"@type": CLUSTERS["@type"]}],
            id="a-name-is-matched-whole",
        ),
        pytest.param(
            {"include_eds": "", "name_regex": "alpha"},
            [BOOTSTRAP, {**CLUSTERS, "dynamic_active_clusters": DYNAMIC[:1]}, {"@type": LISTENERS["@type"]}, ENDPOINTS],
            id="name-of-anything",
        ),
    ],
)
def test_a_dump_is_cut(query: dict[str, str], configs: list[dict[str, Any]]) -> None:
    assert asked(**query) == configs


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"resource": "nope"}, 404, "nope not found in config dump"),
        ({"resource": "dynamic_endpoint_configs"}, 404, "dynamic_endpoint_configs not found in config dump"),
        (
            {"resource": "bootstrap"},
            400,
            "bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field",
        ),
        ({"mask": "nope"}, 400, "FieldMask nope could not be successfully applied to any configs."),
        (
            {"mask": "bootstrap,version_info"},
            400,
            "FieldMask bootstrap,version_info could not be successfully applied to any configs.",
        ),
        (
            {"mask": "dynamic_active_clusters.cluster"},
            400,
            "FieldMask dynamic_active_clusters.cluster could not be successfully applied to any configs.",
        ),
        (
            {"resource": "dynamic_active_clusters", "mask": "cluster"},
            400,
            'FieldMask paths: "cluster"\n could not be successfully used.',
        ),
        (
            {"resource": "dynamic_listeners", "mask": "version_info"},
            400,
            'FieldMask paths: "version_info"\n could not be successfully used.',
        ),
    ],
)
def test_what_envoy_refuses_is_refused(query: dict[str, str], status: int, said: str) -> None:
    with pytest.raises(NoAnswerError) as refused:
        dump(PAYLOAD, query)

    assert (refused.value.status, str(refused.value)) == (status, said)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(NoAnswerError, match="parsing name_regex") as refused:
        dump(PAYLOAD, {"name_regex": "("})

    assert refused.value.status == 400


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b'{"configs": 1}', b'{"configs": [1]}', b"\xff", b"upstream timeout", DEEP]
)
def test_of_what_is_no_dump_nothing_can_be_cut(payload: bytes) -> None:
    with pytest.raises(NoAnswerError) as refused:
        dump(payload, {})

    assert refused.value.status == 501
