"""Rejections are split into resources with their own reasons."""

import pytest

from meshforensics.formats._log_line import LogLine
from meshforensics.formats._rejected import Rejected, refused_resources, rejected_in


@pytest.mark.parametrize(
    ("details", "resources"),
    [
        pytest.param(
            "Error adding/updating listener(s) virtualInbound: bad\n0.0.0.0_80: worse:\n  field: 1\n",
            [("virtualInbound", "bad"), ("0.0.0.0_80", "worse:\n  field: 1")],
            id="listeners",
        ),
        pytest.param(
            "Error adding/updating cluster(s) outbound|80||a.b: c1, d, outbound|81||a.b: c2",
            [("outbound|80||a.b", "c1, d"), ("outbound|81||a.b", "c2")],
            id="clusters",
        ),
        pytest.param("Error adding/updating listener(s) [fd00::1]_80: x: y", [("[fd00::1]_80", "x: y")], id="ipv6"),
        pytest.param("Error adding/updating listener(s) broken", [(None, "broken")], id="no-name"),
        pytest.param("Only unique values\n", [(None, "Only unique values")], id="no-resource"),
    ],
)
def test_resources(details: str, resources: list[tuple[str | None, str]]) -> None:
    assert list(refused_resources(details)) == resources


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: x", [("lds", "x")]),
        ("gRPC config for type.googleapis.com/envoy.api.v2.Cluster update rejected: x\ny", [("cds", "x\ny")]),
        ("delta config for type.googleapis.com/envoy.config.route.v3.RouteConfiguration rejected: x", [("rds", "x")]),
        ("Filesystem config update rejected: x", [("", "x")]),
        ("Envoy proxy is NOT ready: config received from XDS server, but was rejected: cds", []),
        ("lds: listener 'a' config rejected: x", []),
    ],
)
def test_messages(message: str, found: list[tuple[str, str]]) -> None:
    line = LogLine("2026-01-01T12:00:00Z", "warn", "envoy config", message, "L1-L2", True)

    assert list(rejected_in(line)) == [
        Rejected(kind, None, text, "2026-01-01T12:00:00Z", "L1-L2", True) for kind, text in found
    ]
