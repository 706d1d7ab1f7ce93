"""Rows of istiod's own view."""

import json
from pathlib import Path

import pandas as pd

from meshforensics.testing import tables_of

DATA = Path(__file__).parent.parent / "data" / "istio-1.31"
ISTIOD = "istio-system/istiod-1"


def _rows(table: str, kind: str, payload: object) -> list[dict[str, object]]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    frame = tables_of((kind, ISTIOD, body)).frame(table).astype("object")
    return [
        {str(key): value for key, value in row.items() if isinstance(value, tuple) or not pd.isna(value)}
        for row in frame.drop(columns="item").to_dict("records")
    ]


def test_registry() -> None:
    service = {
        "Attributes": {"ServiceRegistry": "Kubernetes", "Name": "web", "Namespace": "shop"},
        "hostname": "web.shop",
        "ports": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        "Resolution": 0,
    }

    assert _rows("registry", "istiod.registryz", [service]) == [
        {
            "istiod": ISTIOD,
            "host": "web.shop",
            "namespace": "shop",
            "name": "web",
            "registry": "Kubernetes",
            "resolution": "ClientSideLB",
            "external": False,
            "addresses": (),
            "ports": ("80/HTTP",),
            "pointer": "/0",
        }
    ]


def test_registry_endpoints() -> None:
    shards = {"k/east": [{"Address": "fd00::1", "EndpointPort": 80}, {"Address": "10.0.0.1", "HealthStatus": 1}]}

    assert _rows("registry_endpoints", "istiod.endpointz", {"web.shop": {"shop": {"Shards": shards}}}) == [
        {
            "istiod": ISTIOD,
            "host": "web.shop",
            "namespace": "shop",
            "address": "[fd00::1]:80",
            "shard": "k/east",
            "pointer": "/web.shop/shop/Shards/k~1east/0",
        },
        {
            "istiod": ISTIOD,
            "host": "web.shop",
            "namespace": "shop",
            "address": "10.0.0.1",
            "health": "HEALTHY",
            "shard": "k/east",
            "pointer": "/web.shop/shop/Shards/k~1east/1",
        },
    ]


def test_push_problems() -> None:
    said = {"pilot_no_ip": {"a": {"proxy": "web-1.shop", "message": "m"}}}

    assert _rows("push_problems", "istiod.push_status", said) == [
        {
            "istiod": ISTIOD,
            "metric": "pilot_no_ip",
            "resource_name": "a",
            "proxy": "web-1.shop",
            "message": "m",
            "pointer": "/pilot_no_ip/a",
        }
    ]


def test_mesh_config() -> None:
    assert _rows("mesh_config", "istiod.mesh", (DATA / "mesh").read_bytes()) == [
        {
            "istiod": ISTIOD,
            "root_namespace": "istio-system",
            "trust_domain": "mesh.travel",
            "trust_domain_aliases": (),
            "auto_mtls": True,
            "access_log_file": "/dev/stdout",
            "providers": (),
            "pointer": "",
        }
    ]
