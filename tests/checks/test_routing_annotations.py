"""Annotations of istio.io that nobody reads."""

import pytest

from meshforensics.checks.routing_annotations import unknown_annotation
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of

ROUTE = """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: pay
  namespace: shop
  annotations: {KEY: "enabled", example.com/istio.io: x}
spec: {hosts: [pay]}
"""


@pytest.mark.parametrize(
    ("key", "found"),
    [
        pytest.param("debug.istio.io/traffic-policy", 1, id="the-guide's-own"),
        pytest.param("networking.istio.io/exportTwo", 1, id="misspelled"),
        pytest.param("networking.istio.io/exportTo", 0, id="known"),
        pytest.param("internal.istio.io/parents", 0, id="istiod's-own"),
        pytest.param("notistio.io/x", 0, id="of-somebody-else"),
        pytest.param("istio.io/dry-run", 0, id="of-istio-itself"),
    ],
)
def test_unknown_annotation(key: str, found: int) -> None:
    said = said_of(unknown_annotation, ROUTE.replace("KEY", key))

    assert [(each.subjects, each.evidence[0].pointer) for each in said.findings] == [
        (("VirtualService:shop/pay",), f"/metadata/annotations/{key.replace('/', '~1')}")
    ] * found


def test_one_annotation_on_many_pods_is_one_finding() -> None:
    pods = frame(
        "pods",
        namespace=["shop"] * 3,
        pod=["a", "b", "c"],
        object=["Pod:shop/a", "Pod:shop/b", "Pod:shop/c"],
        annotations=['{"debug.istio.io/request-tracing":"100"}'] * 2 + ["no json of istio.io/x"],
        pointer=["L3", "/items/1", "/items/2"],
    )

    said = outcome(unknown_annotation, config=frame("config"), pods=pods)

    assert [each.subjects for each in said.findings] == [("Pod:shop/a", "Pod:shop/b")]
    assert [each.pointer for each in said.findings[0].evidence] == [
        "L3",
        "/items/1/metadata/annotations/debug.istio.io~1request-tracing",
    ]


def test_without_objects_it_is_not_evaluated() -> None:
    assert outcome(unknown_annotation).not_evaluated == "not captured: config"
