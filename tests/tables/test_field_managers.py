"""field_managers: who manages which fields."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: pay
  namespace: shop
  managedFields:
  - {manager: argocd-controller, operation: Update, time: "2026-01-01T10:00:00Z",
     fieldsV1: {"f:metadata": {"f:labels": {}}, "f:spec": {".": {}, "f:hosts": {}, "f:http": {}}}}
  - {manager: kubectl-patch, operation: Update, time: "2026-01-01T11:00:00Z", fieldsV1: {"f:spec": {"f:http": {}}}}
  - {manager: pilot-discovery, operation: Update, subresource: status, fieldsV1: {"f:status": {}}}
spec: {hosts: [pay]}
---
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop, managedFields: [{manager: kubectl-edit}]}
"""


def test_a_row_per_manager_of_the_mesh_s_objects() -> None:
    managers = made_of("field_managers", ROUTE)

    assert cells(managers, "object", "manager", "subresource", "fields", "pointer") == [
        (
            "VirtualService:shop/pay",
            "argocd-controller",
            None,
            ("spec.hosts", "spec.http"),
            "/metadata/managedFields/0",
        ),
        ("VirtualService:shop/pay", "kubectl-patch", None, ("spec.http",), "/metadata/managedFields/1"),
        ("VirtualService:shop/pay", "pilot-discovery", "status", (), "/metadata/managedFields/2"),
    ]
