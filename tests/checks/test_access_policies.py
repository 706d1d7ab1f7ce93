"""Authorization policies that cannot do what they say."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access_policies import (
    deny_all,
    http_rule_on_tcp,
    principal_without_mtls,
    selects_nothing,
    unknown_namespace,
    unknown_principal,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.policies import objects, pods_of, read, selector, services_of

AP, PA, DR = "AuthorizationPolicy", "PeerAuthentication", "DestinationRule"
WEB = "cluster.local/ns/shop/sa/web"
PODS = pods_of("shop/web", "shop/pay", "ops/job")


def _by(**source: list[str]) -> dict[str, Any]:
    return {"rules": [{"from": [{"source": source}]}]}


def _for(**operation: list[str]) -> dict[str, Any]:
    return {"rules": [{"to": [{"operation": operation}]}]}


@pytest.mark.parametrize(
    ("config", "details"),
    [
        pytest.param(objects((AP, "shop/none", {})), ["2 workloads"], id="an-empty-policy"),
        pytest.param(objects((AP, "istio-system/none", {})), ["3 workloads"], id="for-the-whole-mesh"),
        pytest.param(
            objects((AP, "shop/none", {}), (AP, "shop/web", {**selector("web"), "rules": [{}]})),
            ["1 workload "],
            id="a-floor-below-another",
        ),
        pytest.param(objects((AP, "shop/all", {"rules": [{}]})), [], id="an-empty-rule-allows-all"),
        pytest.param(objects((AP, "shop/stop", {"action": "DENY", "rules": [{}]})), ["2 workloads"], id="denies-all"),
        pytest.param(objects((AP, "shop/idle", {"action": "DENY"})), [], id="a-deny-policy-without-rules"),
    ],
)
def test_a_policy_that_denies_everything(config: pd.DataFrame, details: list[str]) -> None:
    said = outcome(deny_all, config=config, pods=PODS)

    assert [(each.severity, each.detail.split("; ")[1][:11]) for each in said.findings] == [
        (Severity.INFO, detail) for detail in details
    ]


@pytest.mark.parametrize(
    ("config", "subjects"),
    [
        pytest.param(objects((AP, "shop/a", selector("web"))), [], id="selects-a-pod"),
        pytest.param(objects((AP, "shop/a", selector("wbe"))), [f"{AP}:shop/a"], id="a-label-that-no-pod-has"),
        pytest.param(objects((AP, "shop/a", selector("job"))), [f"{AP}:shop/a"], id="a-pod-of-another-namespace"),
        pytest.param(objects((AP, "istio-system/a", selector("job"))), [], id="from-the-root-namespace"),
        pytest.param(objects((AP, "empty/a", {})), [f"{AP}:empty/a"], id="a-namespace-without-pods"),
        pytest.param(objects((PA, "shop/a", selector("wbe"))), [f"{PA}:shop/a"], id="of-another-kind"),
        pytest.param(
            objects((AP, "shop/a", {"targetRefs": [{"kind": "Service", "name": "x"}]})), [], id="attached-to-a-service"
        ),
    ],
)
def test_a_policy_that_selects_nothing(config: pd.DataFrame, subjects: list[str]) -> None:
    said = outcome(selects_nothing, config=config, pods=PODS)

    assert [each.subjects for each in said.findings] == [(subject,) for subject in subjects]


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        (WEB, 0),
        ("other.domain/ns/shop/sa/web", 0),
        ("cluster.local/ns/shop/sa/wbe", 1),
        ("cluster.local/ns/ops/sa/web", 1),
        ("cluster.local/ns/shop/sa/*", 0),
        ("*", 0),
        ("spire/custom", 0),
    ],
)
def test_a_principal_that_no_workload_has(principal: str, found: int) -> None:
    said = outcome(unknown_principal, config=objects((AP, "shop/a", _by(principals=[principal]))), pods=PODS)

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


@pytest.mark.parametrize(("name", "found"), [("shop", 0), ("sh*", 0), ("*", 0), ("shpo", 1), ("*-prod", 1)])
def test_a_namespace_that_is_not_there(name: str, found: int) -> None:
    namespaces = frame("namespaces", namespace=["shop", "ops"])

    said = outcome(unknown_namespace, config=objects((AP, "shop/a", _by(namespaces=[name]))), namespaces=namespaces)

    assert len(said.findings) == found


TCP, HTTP = ("tcp-db:5432/TCP>5432",), ("http:80/TCP>8080",)


@pytest.mark.parametrize(
    ("spec", "ports", "found"),
    [
        pytest.param(_for(methods=["GET"]), TCP, 1, id="methods-on-tcp"),
        pytest.param(_for(methods=["GET"]), HTTP, 0, id="methods-on-http"),
        pytest.param(_for(methods=["GET"]), ("80/TCP>8080",), 0, id="a-port-without-a-name-may-be-http"),
        pytest.param(_for(methods=["GET"]), ("db:5432/TCP[mysql]>5432",), 1, id="by-application-protocol"),
        pytest.param(_for(methods=["GET"]), ("tcp:80/TCP[http]>80",), 0, id="the-application-protocol-wins"),
        pytest.param(_for(ports=["5432"]), TCP, 0, id="ports-are-for-tcp"),
        pytest.param(_for(methods=["GET"], ports=["8080"]), TCP, 0, id="limited-to-another-port"),
        pytest.param(_for(methods=["GET"], ports=["5432"]), TCP, 1, id="limited-to-that-port"),
        pytest.param(_by(requestPrincipals=["*"]), TCP, 1, id="a-token-on-tcp"),
        pytest.param({"rules": [{"when": [{"key": "request.headers[x]", "values": ["a"]}]}]}, TCP, 1, id="a-header"),
        pytest.param(_by(principals=[WEB]), TCP, 0, id="principals-are-for-tcp-too"),
    ],
)
def test_http_rules_on_tcp_ports(spec: dict[str, Any], ports: tuple[str, ...], found: int) -> None:
    config = objects((AP, "shop/a", {**selector("pay"), **spec}))

    said = outcome(http_rule_on_tcp, config=config, pods=PODS, services=services_of("shop/pay", ports=ports))

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


def _tls(host: str, mode: str) -> dict[str, Any]:
    return {"host": host, "trafficPolicy": {"tls": {"mode": mode}}}


OFF = {"mtls": {"mode": "DISABLE"}}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        pytest.param([], 0, id="permissive"),
        pytest.param([(PA, "istio-system/default", OFF)], 1, id="off-in-the-mesh"),
        pytest.param(
            [(PA, "istio-system/default", OFF), (PA, "shop/default", {"mtls": {"mode": "STRICT"}})], 0, id="on"
        ),
        pytest.param([(PA, "shop/web", {**selector("web"), **OFF})], 1, id="off-for-the-workload"),
        pytest.param([(PA, "shop/pay", {**selector("pay"), **OFF})], 0, id="off-for-another"),
        pytest.param([(DR, "shop/x", _tls("*.shop.svc.cluster.local", "DISABLE"))], 1, id="off-at-all-clients"),
        pytest.param([(DR, "shop/x", _tls("web", "DISABLE"))], 0, id="off-for-a-host-that-is-not-known"),
    ],
)
def test_identity_without_mtls(config: list[tuple[str, str, dict[str, Any]]], found: int) -> None:
    policy = (AP, "shop/a", {**selector("web"), **_by(principals=[WEB])})

    said = outcome(principal_without_mtls, config=objects(policy, *config), pods=PODS)

    assert len(said.findings) == found


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (deny_all, "not captured: config"),
        (selects_nothing, "not captured: config; not captured: pods"),
        (unknown_principal, "not captured: config; not captured: pods"),
        (unknown_namespace, "not captured: config; not captured: namespaces"),
        (http_rule_on_tcp, "not captured: config; not captured: pods; not captured: services"),
        (principal_without_mtls, "not captured: config"),
    ],
)
def test_without_its_tables_it_is_not_evaluated(check: Check, reason: str) -> None:
    assert outcome(check).not_evaluated == reason


def test_istioctl_analyze_says_the_same(corpus: Path) -> None:
    tables = read(corpus / "istio_analyze/authorizationpolicies.yaml")
    config, pods, namespaces = (tables.frame(name) for name in ("config", "pods", "namespaces"))

    idle = outcome(selects_nothing, config=config, pods=pods).findings
    named = outcome(unknown_namespace, config=config, namespaces=namespaces).findings

    rows = pd.read_csv(corpus / "istio_analyze_expected.tsv", sep="\t")
    wanted = rows[rows["case"].str.endswith(":authorizationpolicies")]
    assert _objects(idle) == _expected(wanted, "IST0127")
    assert _objects(named) == _expected(wanted, "IST0101")


def _objects(findings: tuple[Any, ...]) -> Counter[str]:
    return Counter(subject for each in findings for subject in each.subjects)


def _expected(rows: pd.DataFrame, code: str) -> Counter[str]:
    return Counter(each.replace(" ", ":") for each in rows[rows["code"] == code]["object"])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mtls_enabled_checker_1", 0),
        ("mtls_enabled_checker_5", 0),
        ("mtls_enabled_checker_6", 0),
        ("mtls_enabled_checker_9", 1),
        ("mtls_enabled_checker_12", 0),
        ("mtls_enabled_checker_13", 0),
        ("mtls_enabled_checker_16", 1),
        ("mtls_enabled_checker_20", 1),
        ("mtls_enabled_checker_21", 0),
    ],
)
def test_kiali_says_the_same(corpus: Path, name: str, found: int) -> None:
    rows = pd.read_csv(corpus / "kiali_expected.tsv", sep="\t")
    of = rows[rows["case"].str.endswith(f":{name}:auto_mtls=true")]
    tables = read(corpus / f"kiali_validations/authorization/{name}.yaml")

    said = outcome(principal_without_mtls, config=tables.frame("config"), services=tables.frame("services"))

    assert (of["code"] == "KIA0105").sum() == found
    assert len(said.findings) == found
