"""service_entry_hosts: hosts beside the cluster's services."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec:
  hosts: [a.example, "*.b.example"]
  ports: [{number: 443, name: tls, protocol: tls}]
  resolution: DNS
  location: MESH_INTERNAL
"""


def test_a_row_per_host() -> None:
    assert cells(made_of("service_entry_hosts", ENTRY), "host", "ports", "resolution", "external", "pointer") == [
        ("a.example", ("443/TLS",), "DNS", False, "/spec/hosts/0"),
        ("*.b.example", ("443/TLS",), "DNS", False, "/spec/hosts/1"),
    ]
