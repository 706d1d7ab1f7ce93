"""gateway_servers: Gateways of Istio and of the Gateway API, in one form."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

BOTH = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: edge}
  servers:
  - {hosts: [./a.example], port: {number: 443, protocol: https}, tls: {mode: SIMPLE, credentialName: a-cert}}
  - {hosts: ["*"], port: {number: 80, protocol: HTTP}, tls: {httpsRedirect: true}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: api, namespace: shop}
spec:
  listeners:
  - {port: 443, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: b-cert}]}}
"""


def test_a_row_per_server_or_listener() -> None:
    servers = made_of("gateway_servers", BOTH)

    assert cells(servers, "object", "group", "port", "protocol", "hosts", "tls_mode", "credentials", "pointer") == [
        (
            "Gateway:shop/edge",
            "networking.istio.io",
            443,
            "HTTPS",
            ("./a.example",),
            "SIMPLE",
            ("a-cert",),
            "/spec/servers/0",
        ),
        ("Gateway:shop/edge", "networking.istio.io", 80, "HTTP", ("*",), None, (), "/spec/servers/1"),
        (
            "Gateway:shop/api",
            "gateway.networking.k8s.io",
            443,
            "HTTPS",
            ("b.example",),
            "TERMINATE",
            ("shop/b-cert",),
            "#doc2/spec/listeners/0",
        ),
    ]
