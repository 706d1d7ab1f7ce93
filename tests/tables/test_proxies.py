"""Proxies: from /server_info, else from the dump."""

import json
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.testing import tables_of

SERVER_INFO = (Path(__file__).parents[1] / "data/admin-1.40/server_info").read_bytes()
SUBJECT = "ops/seats-1"
NODE = {
    "id": "sidecar~10.0.0.7~seats-1.ops~ops.svc.cluster.local",
    "metadata": {
        "ISTIO_VERSION": "1.31.0",
        "NODE_NAME": "worker-9",
        "WORKLOAD_NAME": "seats",
        "LABELS": {"istio.io/rev": "canary"},
        "PROXY_CONFIG": {"concurrency": 2, "trustDomain": "td"},
    },
}
DUMP = json.dumps(
    {
        "configs": [
            {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": NODE}},
        ]
    }
).encode()
ZTUNNEL = b'{"workloads": [], "version": {"istioVersion": "1.24.0"}, "config": {"localNode": "worker-1"}}'


def said(*items: tuple[str, bytes]) -> list[dict[str, object]]:
    frame = tables_of(*((kind, SUBJECT, payload) for kind, payload in items)).frame("proxies").astype("object")
    return [
        {str(key): value for key, value in row.items() if not pd.isna(value)}
        for row in frame.drop(columns=["namespace", "pod"]).to_dict("records")
    ]


def test_from_server_info() -> None:
    assert said(("envoy.server_info", SERVER_INFO)) == [
        {
            "build": "1.40.0",
            "state": "LIVE",
            "uptime_s": 43.0,
            "concurrency": 1,
            "version": "1.31.0",
            "role": "sidecar",
            "node": "worker-1",
            "cluster_id": "Kubernetes",
            "workload": "seats-v1",
            "service_account": "seats",
            "ip": "10.244.2.17",
            "item": f"envoy.server_info:{SUBJECT}@unknown",
            "pointer": "",
        }
    ]


def test_from_the_dump_where_server_info_is_not_there() -> None:
    assert said(("envoy.config_dump", DUMP)) == [
        {
            "concurrency": 2,
            "version": "1.31.0",
            "role": "sidecar",
            "revision": "canary",
            "node": "worker-9",
            "workload": "seats",
            "trust_domain": "td",
            "ip": "10.0.0.7",
            "item": f"envoy.config_dump:{SUBJECT}@unknown",
            "pointer": "/configs/0/bootstrap",
        }
    ]


def test_server_info_is_preferred_and_the_proxy_is_there_once() -> None:
    rows = said(("envoy.config_dump", DUMP), ("envoy.server_info", SERVER_INFO))

    assert [(row["item"], row["node"]) for row in rows] == [(f"envoy.server_info:{SUBJECT}@unknown", "worker-1")]


def test_a_refused_server_info_leaves_the_dump() -> None:
    tables = tables_of(("envoy.server_info", SUBJECT, b"no healthy upstream"), ("envoy.config_dump", SUBJECT, DUMP))

    assert list(tables.frame("proxies")["item"]) == [f"envoy.config_dump:{SUBJECT}@unknown"]
    assert [item for item, _ in tables.state("proxies").not_decoded] == [f"envoy.server_info:{SUBJECT}@unknown"]


def test_the_text_of_an_old_envoy_tells_version_and_state() -> None:
    (row,) = said(("envoy.server_info", b"envoy ab/1.8.0/Clean/RELEASE draining 9 9 0\n"))

    assert row == {
        "build": "1.8.0",
        "state": "DRAINING",
        "uptime_s": 9.0,
        "item": f"envoy.server_info:{SUBJECT}@unknown",
        "pointer": "",
    }


def test_a_ztunnel() -> None:
    assert said(("ztunnel.config_dump", ZTUNNEL)) == [
        {
            "version": "1.24.0",
            "role": "ztunnel",
            "node": "worker-1",
            "item": f"ztunnel.config_dump:{SUBJECT}@unknown",
            "pointer": "",
        }
    ]


@pytest.mark.parametrize("node_id", ["", "plain-name", "a~b~c", "sidecar~~web.shop~shop.svc"])
def test_a_node_id_of_another_form_has_no_address(node_id: str) -> None:
    payload = json.dumps({"version": "a/1.2.3/b", "node": {"id": node_id}}).encode()

    assert ["ip" in row for row in said(("envoy.server_info", payload))] == [False]
