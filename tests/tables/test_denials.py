"""Denials: who sent them, what stands behind them, and what would let them in."""

import json
from typing import Any

import pandas as pd
import pytest

from meshforensics.tables.denials import denials
from meshforensics.testing import frame

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _log(policy: str, **values: Any) -> pd.DataFrame:
    given = {"method": "GET", "path": "/pay/1?x=1", "downstream_remote": "10.0.0.9:4000", **values}
    return frame(
        "access_log",
        namespace=["shop"],
        pod=["pay-1"],
        at=[NOON],
        status=[403],
        details=[f"rbac_access_denied_matched_policy[{policy}]"],
        **{name: [value] for name, value in given.items()},
    )


def _config(*specs: dict[str, Any], namespace: str = "shop", notes: dict[str, str] | None = None) -> pd.DataFrame:
    return frame(
        "config",
        namespace=[namespace] * len(specs),
        kind=["AuthorizationPolicy"] * len(specs),
        object=[f"AuthorizationPolicy:{namespace}/p{number}" for number in range(len(specs))],
        spec=[json.dumps(spec) for spec in specs],
        annotations=[json.dumps(notes or {})] * len(specs),
    )


PODS = frame(
    "pods",
    namespace=["shop", "shop"],
    pod=["pay-1", "web-1"],
    ip=["10.0.0.7", "10.0.0.9"],
    workload=["Deployment:shop/pay", "Deployment:shop/web"],
    service_account=["pay", "web"],
    labels=['{"app":"pay"}', '{"app":"web"}'],
)


def told(log: pd.DataFrame, *frames: pd.DataFrame) -> pd.DataFrame:
    assert denials.derives is not None
    return denials.derives(log, *frames)


@pytest.mark.parametrize(
    ("policy", "objects"),
    [
        pytest.param("ns[shop]-policy[deny]-rule[0]", ("AuthorizationPolicy:shop/deny",), id="named"),
        pytest.param(
            "none", ("AuthorizationPolicy:istio-system/all", "AuthorizationPolicy:shop/viewers"), id="none-matched"
        ),
        pytest.param("something-else", (), id="unknown"),
    ],
)
def test_the_policies_behind_a_denial(policy: str, objects: tuple[str, ...]) -> None:
    config = frame(
        "config",
        namespace=["shop", "shop", "istio-system", "other"],
        kind=["AuthorizationPolicy"] * 4,
        object=[f"AuthorizationPolicy:{each}" for each in ("shop/viewers", "shop/web", "istio-system/all", "other/x")],
        spec=['{"action":"ALLOW"}', '{"selector":{"matchLabels":{"app":"web"}}}', "{}", "{}"],
    )

    assert list(told(_log(policy), config)["objects"]) == [objects]


def _linked(request: str, remote: str) -> pd.DataFrame:
    return _log("none", request_id=request, downstream_remote=remote, downstream_local="10.0.0.7:80")


def test_who_called_is_told_by_the_connection_and_never_by_the_servers_own_address() -> None:
    """A node may write another address in place of the caller's; a call of its own would be in the pod's own log."""
    sent = _log("none").assign(
        pod="web-1", direction="outbound", request_id="r1", upstream_host="10.0.0.7:80", details="via_upstream"
    )
    log = [sent, _linked("r1", "10.0.0.7:4000"), _linked("r2", "10.0.0.7:4000"), _linked("r3", "10.0.0.7:4001")]

    found = told(pd.concat(log, ignore_index=True), frame("config"), PODS)

    assert list(found["caller"]) == ["shop/web", "shop/web", "an unknown caller"]


@pytest.mark.parametrize(
    ("remote", "caller"),
    [
        pytest.param("10.0.0.9:5001", "shop/web", id="by-its-connection"),
        pytest.param("10.0.0.8:6002", "shop/cart", id="by-its-address"),
        pytest.param("10.9.9.9:1", "outside the mesh", id="by-neither"),
    ],
)
def test_of_several_that_send_one_id_to_one_pod_each_is_told_apart(remote: str, caller: str) -> None:
    """An application hands the request id on, so that two services may call a third for one request from outside."""
    pods = pd.concat(
        [PODS, frame("pods", namespace=["shop"], pod=["cart-1"], ip=["10.0.0.8"], workload=["X:shop/cart"])]
    )
    sent = [
        _log("none").assign(
            pod=pod, direction="outbound", request_id="r1", upstream_host="10.0.0.7:80", upstream_local=local,
            details="via_upstream",
        )
        for pod, local in (("web-1", "10.0.0.9:5001"), ("cart-1", "10.0.0.8:5002"))
    ]  # fmt: skip

    found = told(pd.concat([*sent, _linked("r1", remote)], ignore_index=True), frame("config"), pods)

    assert list(found["caller"]) == [caller]


def test_a_log_without_denials_has_none() -> None:
    assert told(_log("x").assign(details="via_upstream")).empty


def _rule(principal: str = "", method: str = "", path: str = "", **source: Any) -> dict[str, Any]:
    source |= {"principals": [principal]} if principal else {}
    operation = ({"methods": [method]} if method else {}) | ({"paths": [path]} if path else {})
    said = {"from": [{"source": source}]} if source else {}
    return said | ({"to": [{"operation": operation}]} if operation else {})


def _when(key: str, *values: str) -> dict[str, Any]:
    return {"when": [{"key": key, "values": list(values)}]}


WEB, OTHER = "cluster.local/ns/shop/sa/web", "cluster.local/ns/shop/sa/other"


@pytest.mark.parametrize(
    ("rules", "allow"),
    [
        pytest.param([_rule(OTHER)], "rule 0, with principals cluster.local/ns/shop/sa/web", id="another-principal"),
        pytest.param([_rule("*/sa/other")], "rule 0, with principals */ns/shop/sa/web", id="no-trust-domain-to-take"),
        pytest.param(
            [_rule(OTHER), _rule(WEB, "POST")],
            "rule 0, with principals cluster.local/ns/shop/sa/web",
            id="the-first-of-equals",
        ),
        pytest.param([_rule(WEB, "POST")], "rule 0, with methods GET", id="another-method"),
        pytest.param([_rule(WEB, path="/orders*")], "rule 0, with paths /pay/1", id="another-path"),
        pytest.param([_rule(OTHER, "POST"), _rule(WEB, "POST")], "rule 1, with methods GET", id="the-nearest-rule"),
        pytest.param([_rule(namespaces=["web"])], "rule 0, with namespaces shop", id="another-namespace"),
        pytest.param([_rule("*/ns/shop/sa/web")], "rule 0, but for what the log does not tell", id="it-fits"),
        pytest.param([_rule(WEB, path="/pay*")], "rule 0, but for what the log does not tell", id="by-prefix"),
        pytest.param([_rule(WEB, notNamespaces=["shop"])], "rule 0, with notNamespaces without shop", id="barred"),
        pytest.param([_rule(ipBlocks=["10.1.0.0/16"])], "rule 0, with ipBlocks 10.0.0.9", id="another-network"),
        pytest.param([_rule(ipBlocks=["10.0.0.0/16"])], "rule 0, but for what the log does not tell", id="its-network"),
        pytest.param([_rule(notIpBlocks=["10.0.0.9"])], "rule 0, with notIpBlocks without 10.0.0.9", id="its-address"),
        pytest.param(
            [_rule(OTHER, requestPrincipals=["*"], remoteIpBlocks=["1.2.3.4"])],
            "rule 0, with principals cluster.local/ns/shop/sa/web and remoteIpBlocks 10.0.0.9 (requestPrincipals not "
            "judged: not in the evidence)",
            id="what-nothing-tells",
        ),
        pytest.param(
            [_rule(WEB, requestPrincipals=["*"]), _rule(WEB)],
            "rule 1, but for what the log does not tell",
            id="the-rule-that-is-told-comes-first",
        ),
        pytest.param(
            [_rule(WEB) | _when("request.auth.claims[iss]", "x")],
            "rule 0, but for what the log does not tell: request.auth.claims[iss]",
            id="a-claim-that-nothing-tells",
        ),
        pytest.param(
            [_rule(WEB) | _when("source.namespace", "web")], "rule 0, with source.namespace shop", id="a-condition"
        ),
        pytest.param(
            [_rule(WEB) | _when("destination.port", "8080")],
            "rule 0, but for what the log does not tell: destination.port",
            id="a-port-that-no-line-has",
        ),
        pytest.param(
            [_rule(WEB) | {"when": [{"key": "source.ip", "notValues": ["10.0.0.0/8"]}]}],
            "rule 0, with not source.ip without 10.0.0.9",
            id="a-condition-that-bars",
        ),
        pytest.param(
            [_rule(WEB, path="/pay/{*}")], "rule 0, but for what the log does not tell", id="a-template-of-paths"
        ),
        pytest.param([_rule(WEB, path="/{*}")], "rule 0, with paths /pay/1", id="a-template-of-another-length"),
        pytest.param([_rule(WEB, path="/{**}/1")], "rule 0, but for what the log does not tell", id="any-number"),
    ],
)
def test_what_would_allow_it(rules: list[dict[str, Any]], allow: str) -> None:
    made = told(_log("none"), _config({"selector": {"matchLabels": {"app": "pay"}}, "rules": rules}), PODS)

    assert list(made["would_allow"]) == [f"AuthorizationPolicy:shop/p0 {allow}"]


LET_IN, UNTOLD = "rule 0, but for what the log does not tell", "rule 0, but for what the log does not tell: "


@pytest.mark.parametrize(
    ("key", "wanted", "allow"),
    [
        ("request.headers[User-Agent]", "curl*", LET_IN),
        ("request.headers[user-agent]", "wget", "rule 0, with request.headers[user-agent] curl/8"),
        ("request.headers[x-request-id]", "r-1", LET_IN),
        ("request.headers[x-forwarded-for]", "192.0.2.1", LET_IN),
        ("request.headers[:authority]", "shop.example", LET_IN),
        ("request.headers[host]", "other.example", "rule 0, with request.headers[host] shop.example"),
        ("request.headers[:method]", "POST", "rule 0, with request.headers[:method] GET"),
        ("request.headers[x-env]", "test", UNTOLD + "request.headers[x-env]"),
        ("request.auth.principal", "*", UNTOLD + "request.auth.principal"),
        ("remote.ip", "192.0.2.0/24", LET_IN),
        ("remote.ip", "10.0.0.0/8", "rule 0, with remote.ip 192.0.2.1"),
    ],
)
def test_what_a_line_tells_of_headers_and_of_the_client(key: str, wanted: str, allow: str) -> None:
    """The client is as the server takes it, behind a gateway by X-Forwarded-For: so does Envoy's remote_ip."""
    log = _log(
        "none", downstream_remote="192.0.2.1:0", user_agent="curl/8", request_id="r-1", forwarded_for="192.0.2.1",
        authority="shop.example",
    )  # fmt: skip

    (said,) = told(log, _config({"rules": [_when(key, wanted)]}), PODS)["would_allow"]

    assert said == f"AuthorizationPolicy:shop/p0 {allow}"


def test_a_caller_outside_the_mesh_has_no_principal() -> None:
    log = _log("none", downstream_remote="192.0.2.1:4000")

    made = told(log, _config({"rules": [_rule(WEB)]}), PODS)

    assert list(made["would_allow"]) == ["AuthorizationPolicy:shop/p0 rule 0, with principals of a caller with mTLS"]


@pytest.mark.parametrize(
    ("policy", "config", "allow"),
    [
        pytest.param(
            "ns[shop]-policy[p0]-rule[3]",
            _config({"action": "DENY", "rules": [{}]}),
            "a narrower rule 3 of AuthorizationPolicy:shop/p0, which denies it",
            id="a-rule-denies-it",
        ),
        pytest.param("none", _config({}), "an ALLOW policy with a rule; those for this workload have none", id="empty"),
        pytest.param("none", _config(), "", id="no-policy-was-captured"),
        pytest.param(
            "none",
            _config({"rules": [_rule(OTHER)]}, notes={"istio.io/dry-run": "true"}),
            "",
            id="a-dry-run-allows-nothing",
        ),
    ],
)
def test_what_else_would_allow_it(policy: str, config: pd.DataFrame, allow: str) -> None:
    assert list(told(_log(policy), config, PODS)["would_allow"]) == [allow]


def test_a_selector_is_compared_with_the_labels_of_the_pod() -> None:
    elsewhere = {"selector": {"matchLabels": {"app": "web"}}, "rules": [_rule(WEB)]}

    (objects,) = told(_log("none"), _config(elsewhere, {"rules": []}), PODS)["objects"]

    assert objects == ("AuthorizationPolicy:shop/p1",)
