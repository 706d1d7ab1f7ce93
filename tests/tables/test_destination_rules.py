"""destination_rules: the host's own row, and one for each subset."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: pay, namespace: shop}
spec:
  host: pay
  trafficPolicy:
    tls: {mode: ISTIO_MUTUAL}
    connectionPool: {tcp: {maxConnections: 5}, http: {http1MaxPendingRequests: 1, http2MaxRequests: 9}}
    outlierDetection: {maxEjectionPercent: 100}
  subsets:
  - {name: v1, labels: {version: v1}}
"""


def test_a_row_for_the_host_and_one_for_each_subset() -> None:
    rules = made_of("destination_rules", RULE)

    assert cells(rules, "host", "subset", "labels", "tls_setting", "pointer") == [
        ("pay.shop.svc.cluster.local", None, None, "ISTIO_MUTUAL", "/spec"),
        ("pay.shop.svc.cluster.local", "v1", '{"version":"v1"}', None, "/spec/subsets/0"),
    ]
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_ejection_percent")
    assert cells(rules.iloc[:1], *limits) == [(5, 1, 9, 100)]
