"""service_ports: what tells the mesh the protocol of a port."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop, annotations: {networking.istio.io/exportTo: "web, ."}}
spec:
  selector: {app: pay}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {port: 9000, appProtocol: grpc, protocol: TCP}
"""


def test_a_row_per_port() -> None:
    ports = made_of("service_ports", SERVICE)

    assert cells(ports, "service", "port", "port_name", "protocol", "app_protocol", "target", "pointer") == [
        ("pay", 80, "http", None, None, "8080", "/spec/ports/0"),
        ("pay", 9000, None, "TCP", "grpc", "9000", "/spec/ports/1"),
    ]
    assert cells(ports.iloc[:1], "export_to", "selector", "object") == [
        (("web", "."), '{"app":"pay"}', "Service:shop/pay")
    ]
