"""Gateways and the VirtualServices behind them."""

from pathlib import Path

import pytest

from meshforensics.checks import Check
from meshforensics.checks.routing_gateways import (
    conflicting_gateways,
    gateway_port_not_served,
    gateway_without_pods,
    host_in_no_gateway,
    unknown_gateway,
)
from meshforensics.testing import frame, outcome
from tests.checks.objects import case, expected, frames, named, rows_of_objects, said_of, said_of_frames

# what istioctl analyze takes for granted in every case
INGRESS = """
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: istio-ingressgateway-1, namespace: istio-system, labels: {istio: ingressgateway, pod-template-hash: x}}
status: {phase: Running}
"""


def gateway(hosts: str, *, name: str = "edge", port: int = 80, selector: str = "{istio: ingressgateway}") -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {selector}
  servers: [{{hosts: {hosts}, port: {{number: {port}, name: http, protocol: HTTP}}}}]
"""


def virtual_service(hosts: str, gateways: str, namespace: str = "shop") -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: pay, namespace: {namespace}}}
spec: {{hosts: {hosts}, gateways: {gateways}, http: [{{route: [{{destination: {{host: pay}}}}]}}]}}
"""


@pytest.mark.parametrize(
    ("gateways", "found"),
    [("[edge]", []), ("[shop/edge, mesh]", []), ("[gone]", ["shop/gone"]), ("[shop/edge, web/edge]", ["web/edge"])],
)
def test_unknown_gateway(gateways: str, found: list[str]) -> None:
    said = said_of(unknown_gateway, gateway("['*']"), virtual_service("[a.example]", gateways))

    assert [each.observed.value for each in said.findings if each.observed] == found


@pytest.mark.parametrize(
    ("taken", "route", "found"),
    [
        pytest.param("[a.example]", virtual_service("[a.example]", "[edge]"), [], id="the-same"),
        pytest.param("['*.example']", virtual_service("[a.example, b.org]", "[edge]"), ["b.org"], id="one-of-two"),
        pytest.param("['*']", virtual_service("[a.example]", "[edge]"), [], id="any"),
        pytest.param("[a.example]", virtual_service("['*']", "[edge]"), [], id="any-is-asked-for"),
        pytest.param("[web/a.example]", virtual_service("[a.example]", "[edge]"), ["a.example"], id="of-another-space"),
        pytest.param("[./a.example]", virtual_service("[a.example]", "[edge]"), [], id="of-its-own-space"),
        pytest.param("[b.org]", virtual_service("[a.example]", "[edge, mesh]"), [], id="inside-the-mesh-too"),
        pytest.param("[b.org]", virtual_service("[a.example]", "[edge, gone]"), [], id="a-gateway-is-not-known"),
        pytest.param("[pay]", virtual_service("[pay]", "[edge]"), [], id="short-names"),
    ],
)
def test_host_in_no_gateway(taken: str, route: str, found: list[str]) -> None:
    said = said_of(host_in_no_gateway, gateway(taken), route)

    assert [each.observed.value for each in said.findings if each.observed] == found


@pytest.mark.parametrize(
    ("other", "found"),
    [
        pytest.param(gateway("[a.example]", name="b"), 1, id="same-host-and-port"),
        pytest.param(gateway("[a.example]", name="b", port=81), 0, id="another-port"),
        pytest.param(gateway("[a.example]", name="b", selector="{istio: other}"), 0, id="other-pods"),
        pytest.param(gateway("[b.example]", name="b"), 0, id="another-host"),
    ],
)
def test_conflicting_gateways(other: str, found: int) -> None:
    said = said_of(conflicting_gateways, gateway("[a.example, a.example]"), other)

    assert [each.subjects for each in said.findings] == [("Gateway:shop/b", "Gateway:shop/edge")] * found


@pytest.mark.parametrize(("selector", "found"), [("{istio: ingressgateway}", 0), ("{istio: typo}", 1)])
def test_gateway_without_pods(selector: str, found: int) -> None:
    said = said_of(gateway_without_pods, INGRESS, gateway("['*']", selector=selector))

    assert len(said.findings) == found


@pytest.mark.parametrize(("domain", "found"), [("a.example:80", 0), ("b.example", 1)])
def test_a_gateway_whose_hosts_a_router_serves_has_pods(domain: str, found: int) -> None:
    given = frames(gateway_without_pods, INGRESS, gateway("[a.example]", selector="{istio: typo}"))
    router = {
        "proxies": frame("proxies", namespace=["edge"], pod=["gw"], role=["router"]),
        "virtual_hosts": frame("virtual_hosts", resource=["r"], domains=[(domain,)]),
        "route_instances": frame("route_instances", namespace=["edge"], pod=["gw"], resource=["r"]),
    }

    assert len(said_of_frames(gateway_without_pods, {**given, **router}).findings) == found


@pytest.mark.parametrize(("port", "found"), [(80, 0), (8080, 0), (8004, 1)])
def test_gateway_port_not_served(port: int, found: int) -> None:
    assert len(said_of(gateway_port_not_served, INGRESS, gateway("['*']", port=port)).findings) == found


def test_what_is_not_listed_as_a_whole_is_not_missing() -> None:
    objects = (INGRESS, gateway("['*']", selector="{istio: typo}", port=8004))

    for check in (gateway_without_pods, gateway_port_not_served):
        assert said_of_frames(check, frames(check, *objects, kind="kubernetes.objects")).findings == ()


GATEWAYS = (conflicting_gateways, gateway_without_pods, gateway_port_not_served)


@pytest.mark.parametrize("check", [unknown_gateway, host_in_no_gateway, *GATEWAYS])
def test_without_gateways_they_are_not_evaluated(check: Check) -> None:
    assert "not captured: gateway_servers" in (outcome(check).not_evaluated or "")


@pytest.mark.parametrize(
    ("check", "file", "number", "code"),
    [
        (conflicting_gateways, "conflicting-gateways.yaml", "019", "IST0145"),
        (conflicting_gateways, "conflicting-gateways-invalid-port.yaml", "023", "IST0145"),
        (gateway_port_not_served, "gateway-no-port.yaml", "010", "IST0162"),
        (host_in_no_gateway, "virtualservice_kubernetes_gateways.yaml", "041", "IST0132"),
    ],
)
def test_gateways_as_istioctl_analyze_finds_them(check: Check, file: str, number: str, code: str, corpus: Path) -> None:
    found = rows_of_objects(check, INGRESS, case(corpus, file))

    assert named(found["object"]) == expected(corpus, number, code)
