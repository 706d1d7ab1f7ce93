"""Events: relative ages become instants."""

from meshforensics.investigation import Investigation
from tests.tables.objects import made_of
from tests.tables.reading import cells


def test_an_age_counts_back_from_the_capture(upgrade: Investigation) -> None:
    object_ = "Pod:istio-system/istio-ingressgateway-shpd585tt-9vm87"

    assert cells(upgrade.frame("events"), "type", "reason", "at", object=object_) == [
        ("Normal", "Pulled", "2026-11-23T18:06:29.440260+00:00")
    ]


def test_the_container_that_it_is_about() -> None:
    found = made_of("events", EVENTS)

    assert cells(found, "object", "container") == [
        ("Pod:shop/web-1", "istio-proxy"),
        ("Pod:shop/web-2", "istio-proxy"),
        ("Pod:shop/web-3", None),
    ]


EVENTS = """
apiVersion: v1
kind: Event
metadata: {name: a, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: "spec.containers{istio-proxy}"}
---
apiVersion: v1
kind: Event
metadata: {name: b, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-2, fieldPath: "spec.initContainers{istio-proxy}"}
---
apiVersion: v1
kind: Event
metadata: {name: c, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-3}
"""
