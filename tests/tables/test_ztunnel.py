"""Rows of ztunnel's view and of its connections."""

import json

import pandas as pd

from meshforensics.testing import tables_of

SUBJECT = "istio-system/ztunnel-1"
DUMP = {
    "workloads": {
        "/10.0.0.1": {"name": "web-1", "namespace": "shop", "workloadIps": ["10.0.0.1"], "protocol": "HBONE"}
    },
    "certificates": [{"identity": "spiffe://td/ns/shop/sa/web", "state": "Unavailable: no"}],
}
LINE = (
    b"2026-01-01T12:00:00Z\tinfo\taccess\tconnection complete\tsrc.workload=web-1 src.namespace=shop "
    b'dst.addr=10.0.0.2:80 dst.service=db.shop direction="outbound" bytes_sent=5 bytes_recv=7 duration="12ms"\n'
)


def _rows(table: str, kind: str, payload: bytes) -> list[dict[str, object]]:
    frame = tables_of((kind, SUBJECT, payload)).frame(table).astype("object")
    return [
        {str(key): value for key, value in row.items() if isinstance(value, tuple) or not pd.isna(value)}
        for row in frame.drop(columns=["item", "namespace", "pod"]).to_dict("records")
    ]


def test_workloads() -> None:
    assert _rows("ztunnel_workloads", "ztunnel.config_dump", json.dumps(DUMP).encode()) == [
        {
            "known_pod": "shop/web-1",
            "addresses": ("10.0.0.1",),
            "protocol": "HBONE",
            "pointer": "/workloads/~110.0.0.1",
        }
    ]


def test_identities() -> None:
    assert _rows("ztunnel_identities", "ztunnel.config_dump", json.dumps(DUMP).encode()) == [
        {
            "identity": "spiffe://td/ns/shop/sa/web",
            "state": "Unavailable",
            "message": "no",
            "pointer": "/certificates/0",
        }
    ]


def test_connections() -> None:
    assert _rows("ztunnel_connections", "log.ztunnel", LINE) == [
        {
            "at": pd.Timestamp("2026-01-01T12:00:00Z"),
            "direction": "outbound",
            "caller": "shop/web-1",
            "host": "db.shop",
            "address": "10.0.0.2:80",
            "bytes_received": 7,
            "bytes_sent": 5,
            "duration_ms": 12,
            "pointer": "L1",
        }
    ]
