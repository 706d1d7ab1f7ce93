"""envoy_filter_patches: each patch with what it is for."""

from meshforensics.investigation import Investigation
from tests.tables.objects import made_of
from tests.tables.reading import cells

FILTER = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: lua, namespace: shop}
spec:
  priority: 5
  workloadSelector: {labels: {app: web}}
  configPatches:
  - applyTo: HTTP_FILTER
    match: {context: SIDECAR_INBOUND, proxy: {proxyVersion: "^1.2"}}
    patch: {operation: INSERT_BEFORE, value: {name: envoy.lua}}
  - applyTo: CLUSTER
    patch: {operation: MERGE, value: {connect_timeout: 5s}}
"""


def test_a_row_per_patch() -> None:
    patches = made_of("envoy_filter_patches", FILTER)

    assert cells(patches, "apply_to", "operation", "context", "proxy_version", "name", "priority", "pointer") == [
        ("HTTP_FILTER", "INSERT_BEFORE", "SIDECAR_INBOUND", "^1.2", "envoy.lua", 5, "/spec/configPatches/0"),
        ("CLUSTER", "MERGE", "ANY", None, None, 5, "/spec/configPatches/1"),
    ]
    assert cells(patches.iloc[:1], "selector", "targeted") == [('{"app":"web"}', False)]
    assert cells(patches, "merged") == [(None,), ('{"connect_timeout":"5s"}',)]


def test_a_patch_of_a_real_mesh(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("envoy_filter_patches"), "object", "apply_to", "operation", "name") != []
