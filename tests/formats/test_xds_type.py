"""Types have the short names that logs print."""

import pytest

from meshforensics.formats.xds_type import short_type


@pytest.mark.parametrize(
    ("url", "short"),
    [
        ("type.googleapis.com/envoy.config.cluster.v3.Cluster", "cds"),
        ("type.googleapis.com/envoy.api.v2.Listener", "lds"),
        ("type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "rds"),
        ("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "eds"),
        ("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "sds"),
        ("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "ecds"),
        ("type.googleapis.com/istio.workload.Address", "wds"),
        ("type.googleapis.com/istio.unheard.Of", "of"),
        ("RDS", "rds"),
        ("", ""),
    ],
)
def test_short_type(url: str, short: str) -> None:
    assert short_type(url) == short
