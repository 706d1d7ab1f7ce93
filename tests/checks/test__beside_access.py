"""What policies, routes and objects tell of calls that a proxy did not pass on."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING
from tests.checks.signature_lines import NOON, frame, lines_of, own, said_of


def _object(kind: str, spec: str = "{}", namespace: str = "shop", **columns: list[Any]) -> dict[str, pd.DataFrame]:
    name = f"{kind}:{namespace}/one"
    return {"config": frame("config", namespace=[namespace], kind=[kind], object=[name], spec=[spec], **columns)}


def _denial(policy: str) -> dict[str, pd.DataFrame]:
    return {"denials": own("denials", objects=[(policy,)])}


def _line(**columns: list[Any]) -> pd.DataFrame:
    return own("access_log", status=[404], flags=[("NR",)], **columns)


def _rule(host: str, fault: str | None) -> pd.DataFrame:
    return frame("virtual_service_rules", object=["VirtualService:shop/pay"], host=[host], fault=[fault])


def _hosts(*domains: str) -> pd.DataFrame:
    return frame("virtual_hosts", domains=[domains])


def _chains(*names: str) -> pd.DataFrame:
    return frame("filter_chains", server_names=[names])


STRICT = _object("PeerAuthentication", '{"mtls":{"mode":"STRICT"}}', "istio-system")
BLOCKED = {"mesh_config": frame("mesh_config", outbound_policy=["REGISTRY_ONLY"], root_namespace=["istio-system"])}
HOST = "pay.shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("family", "frames", "said"),
    [
        pytest.param(
            "rbac-denied",
            {**_denial("AuthorizationPolicy:shop/one"), **_object("AuthorizationPolicy")},
            "confirmed: AuthorizationPolicy:shop/one stands behind them",
            id="the-policy-is-there",
        ),
        pytest.param(
            "rbac-denied",
            {**_denial("AuthorizationPolicy:shop/two"), **_object("AuthorizationPolicy")},
            "AuthorizationPolicy:shop/two is named and was not among",
            id="the-policy-is-gone",
        ),
        pytest.param(
            "rbac-denied",
            _denial("AuthorizationPolicy:shop/one"),
            "1 denial is logged; the policies were not",
            id="no-policies-captured",
        ),
        pytest.param(
            "rbac-denied",
            {"denials": frame("denials", namespace=["x"], pod=["y"], objects=[("z",)])},
            NOTHING,
            id="a-denial-of-another",
        ),
        pytest.param(
            "rate-limited",
            _object("EnvoyFilter", "envoy.filters.http.local_ratelimit"),
            "confirmed: EnvoyFilter:shop/one sets a limit",
            id="limit",
        ),
        pytest.param(
            "rate-limited",
            _object("HTTPLocalRateLimitPolicy"),
            "confirmed: HTTPLocalRateLimitPolicy:shop/one",
            id="limit-of-linkerd",
        ),
        pytest.param(
            "rate-limited",
            _object("EnvoyFilter", "envoy.filters.http.local_ratelimit", "other"),
            NOTHING,
            id="limit-of-others",
        ),
        pytest.param("rate-limited", _object("EnvoyFilter", "envoy.lua"), NOTHING, id="another-filter"),
        pytest.param(
            "jwt",
            _object("RequestAuthentication"),
            "confirmed: RequestAuthentication:shop/one judges tokens",
            id="tokens",
        ),
        pytest.param("jwt", _object("RequestAuthentication", namespace="other"), NOTHING, id="tokens-of-others"),
        pytest.param(
            "ext-authz",
            _object("AuthorizationPolicy", '{"action":"CUSTOM"}'),
            "confirmed: AuthorizationPolicy:shop/one asks an external authorizer",
            id="authorizer",
        ),
        pytest.param("ext-authz", _object("AuthorizationPolicy", '{"action":"DENY"}'), NOTHING, id="no-authorizer"),
        pytest.param(
            "fault-injected",
            {"virtual_service_rules": _rule(HOST, "{}")},
            "confirmed: VirtualService:shop/pay injects it",
            id="fault",
        ),
        pytest.param(
            "fault-injected", {"virtual_service_rules": _rule("other", "{}")}, NOTHING, id="fault-of-another-host"
        ),
        pytest.param(
            "fault-injected",
            {"virtual_service_rules": _rule(HOST, None)},
            "no VirtualService that was captured",
            id="no-fault",
        ),
        pytest.param(
            "direct-response",
            {
                "access_log": _line(route=["teapot"]),
                "routes": frame("routes", name=["teapot"], route_config=["80"], direct_response=[418]),
            },
            "confirmed: route teapot of 80 answers 418 by itself",
            id="answered",
        ),
        pytest.param(
            "direct-response",
            {
                "access_log": _line(route=["block_all"]),
                "routes": frame("routes", name=["block_all"], route_config=["80"], direct_response=[502]),
                **BLOCKED,
            },
            "confirmed: route block_all of 80 answers 502 by itself, the mesh's outbound policy is REGISTRY_ONLY",
            id="blocked",
        ),
        pytest.param(
            "direct-response",
            {"access_log": _line(route=["x"]), "routes": frame("routes", name=["teapot"], direct_response=[418])},
            NOTHING,
            id="another-route",
        ),
        pytest.param(
            "no-route",
            {"access_log": _line(authority=["b.example:8080"]), "virtual_hosts": _hosts("a.example")},
            "confirmed: no captured route configuration is for host b.example",
            id="no-such-host",
        ),
        pytest.param(
            "no-route",
            {"access_log": _line(authority=["a.example"]), "virtual_hosts": _hosts("*.example:80")},
            "host a.example has routes as of the capture: look at the paths",
            id="the-host-is-there",
        ),
        pytest.param(
            "no-route",
            {"access_log": _line(authority=["b.example"]), "virtual_hosts": _hosts("a", "*")},
            NOTHING,
            id="one-that-takes-every-host",
        ),
        pytest.param(
            "no-filter-chain",
            {"access_log": _line(sni=["b.example"]), "filter_chains": _chains("a.example")},
            "confirmed: no captured filter chain is for server name b.example",
            id="no-such-name",
        ),
        pytest.param(
            "no-filter-chain",
            {"access_log": _line(sni=["a.example"]), "filter_chains": _chains("*.example")},
            NOTHING,
            id="the-name-is-there",
        ),
        pytest.param(
            "no-filter-chain",
            {"access_log": _line(sni=[f"outbound_.80_._.{HOST}"]), "filter_chains": _chains("a.example")},
            NOTHING,
            id="a-name-of-the-mesh",
        ),
        pytest.param(
            "no-filter-chain",
            {"access_log": _line(sni=[None]), "filter_chains": _chains(), **STRICT},
            "confirmed: PeerAuthentication:istio-system/one asks for mutual TLS, and 1 of 1 line names no server",
            id="plaintext-to-strict",
        ),
        pytest.param(
            "no-filter-chain",
            {
                "access_log": _line(sni=[None]),
                "filter_chains": _chains(),
                **_object("PeerAuthentication", '{"mtls":{"mode":"PERMISSIVE"}}'),
            },
            NOTHING,
            id="plaintext-is-taken",
        ),
    ],
)
def test_what_else_tells(family: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of(family, **frames).startswith(said)


@pytest.mark.parametrize(
    ("cluster", "frames", "said"),
    [
        pytest.param(
            "BlackHoleCluster", BLOCKED, "confirmed: the mesh's outbound policy is REGISTRY_ONLY", id="the-mesh"
        ),
        pytest.param(
            "BlackHoleCluster",
            _object("Sidecar", '{"outboundTrafficPolicy":{"mode":"REGISTRY_ONLY"}}'),
            "confirmed: Sidecar:shop/one is REGISTRY_ONLY",
            id="a-sidecar",
        ),
        pytest.param("BlackHoleCluster", {}, NOTHING, id="nothing-blocks"),
        pytest.param("PassthroughCluster", BLOCKED, NOTHING, id="let-through"),
    ],
)
def test_who_blocks_what_the_mesh_does_not_know(cluster: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of("unknown-destination", lines_of("unknown-destination", cluster=cluster), **frames) == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (NOON - pd.Timedelta(minutes=5), "confirmed: AuthorizationPolicy:shop/one changed at 2026-01-01T11:55:00Z"),
        (NOON - pd.Timedelta(minutes=16), NOTHING),
        (NOON, NOTHING),
    ],
    ids=["in-the-window", "before-it", "after-the-lines"],
)
def test_a_policy_that_changed(changed: pd.Timestamp, said: str) -> None:
    assert said_of("policy-changed", **_object("AuthorizationPolicy", changed_at=[changed])) == said


def test_a_ztunnel_names_the_policy_itself() -> None:
    denied = lines_of("rbac-denied", 1, text=["policy rejection: explicitly denied by: shop/one"])

    assert said_of("rbac-denied", denied, **_object("AuthorizationPolicy")) == (
        "confirmed: AuthorizationPolicy:shop/one stands behind them"
    )


def _policies(*ports: object, selector: str | None = None, expressions: bool = False) -> pd.DataFrame:
    count = len(ports)
    return frame(
        "network_policies", namespace=["shop"] * count, object=[f"NetworkPolicy:shop/{each}" for each in range(count)],
        selector=[selector] * count, expressions=[expressions] * count, types=[("Ingress",)] * count, ports=list(ports),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        pytest.param(_policies(("80",)), "confirmed: NetworkPolicy:shop/0 is for shop/pay-1", id="closed"),
        pytest.param(_policies(()), "confirmed: NetworkPolicy:shop/0 is for shop/pay-1", id="lets-nothing-in"),
        pytest.param(_policies(("80",), ("15000-16000",)), NOTHING, id="another-one-opens-it"),
        pytest.param(_policies(("80",), None), NOTHING, id="another-one-lets-in-to-every-port"),
        pytest.param(_policies(("80", "*")), NOTHING, id="a-rule-without-a-port"),
        pytest.param(_policies(("80",), selector='{"app":"web"}'), NOTHING, id="for-other-pods"),
        pytest.param(_policies(("80",), selector='{"app":"pay"}'), "confirmed:", id="for-this-pod"),
        pytest.param(_policies(("80",), expressions=True), NOTHING, id="its-expressions-are-not-judged"),
    ],
)
def test_policies_that_close_the_port_of_ztunnels(policies: pd.DataFrame, said: str) -> None:
    calls = frame("ztunnel_connections", destination=["shop/pay-1"])
    pods = frame("pods", namespace=["shop"], pod=["pay-1"], labels=['{"app":"pay"}'])

    told = said_of("network-policy", network_policies=policies, ztunnel_connections=calls, pods=pods)

    assert told.startswith(said)
