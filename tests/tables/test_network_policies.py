"""network_policies: what Kubernetes lets into pods."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

ALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
SOME = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: Exists}]}
  ingress:
  - {from: [{podSelector: {}}], ports: [{port: 80}, {port: 8000, endPort: 8100}, {port: http}, {protocol: UDP}]}
"""
ANY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open, namespace: shop}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {}}]}]}
"""


def test_what_policies_let_in() -> None:
    found = made_of("network_policies", f"{ALL}---{SOME}---{ANY}")

    assert cells(found, "object", "selector", "expressions", "types", "ports") == [
        ("NetworkPolicy:shop/deny", None, False, ("Ingress", "Egress"), ()),
        ("NetworkPolicy:shop/web", '{"app":"web"}', True, ("Ingress",), ("80", "8000-8100", "http", "*")),
        ("NetworkPolicy:shop/open", None, False, ("Ingress",), None),
    ]
