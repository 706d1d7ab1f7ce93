"""Resources by kind and by item kind."""

import pytest

from meshforensics.formats.resources import RESOURCES, resource_of, resource_of_item


def test_no_resource_is_named_twice() -> None:
    assert len({(each.group, each.plural) for each in RESOURCES}) == len(RESOURCES)
    assert len({(each.group, each.kind) for each in RESOURCES}) == len(RESOURCES)
    assert len({each.item_kind for each in RESOURCES}) == len(RESOURCES)


@pytest.mark.parametrize(
    ("kind", "api_version", "item_kind"),
    [
        ("Pod", "v1", "kubernetes.pods"),
        ("PodMetrics", "metrics.k8s.io/v1beta1", "kubernetes.usage"),
        ("Gateway", "networking.istio.io/v1", "kubernetes.gateways.networking.istio.io"),
        ("Gateway", "gateway.networking.k8s.io/v1", "kubernetes.gateways.gateway.networking.k8s.io"),
        ("Policy", "example.com/v2", "kubernetes.policies.example.com"),
        ("Proxy", "example.com/v2", "kubernetes.proxies.example.com"),
        ("Display", "example.com/v2", "kubernetes.displays.example.com"),
    ],
)
def test_the_item_kind_of_an_object(kind: str, api_version: str, item_kind: str) -> None:
    assert resource_of(kind, api_version).item_kind == item_kind


def test_the_resource_of_an_item() -> None:
    assert [resource_of_item(each.item_kind) for each in RESOURCES] == list(RESOURCES)
    assert resource_of_item("envoy.certs") is None
