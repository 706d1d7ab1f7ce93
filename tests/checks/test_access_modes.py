"""Whether clients and servers agree on mTLS."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access_modes import (
    mtls_to_plaintext,
    peer_authentication_ignored,
    plaintext_refused,
    plaintext_to_strict,
    port_exception,
    port_exception_idle,
    strict_without_sidecar,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.policies import objects, pods_of, read, selector, services_of

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
PA, DR = "PeerAuthentication", "DestinationRule"
HOST = "pay.shop.svc.cluster.local"
PODS, SERVICES = pods_of("shop/web", "shop/pay"), services_of("shop/pay")


def _mode(mode: str, **more: Any) -> dict[str, Any]:
    return {"mtls": {"mode": mode}, **more}


def _tls(host: str, mode: str) -> dict[str, Any]:
    return {"host": host, "trafficPolicy": {"tls": {"mode": mode}}}


STRICT = (PA, "istio-system/default", _mode("STRICT"))
OPEN = {"portLevelMtls": {"8080": {"mode": "PERMISSIVE"}}}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        pytest.param([STRICT, (DR, "shop/pay", _tls(HOST, "DISABLE"))], 1, id="plaintext-to-strict"),
        pytest.param([STRICT, (DR, "shop/pay", _tls("pay", "DISABLE"))], 1, id="by-its-short-name"),
        pytest.param([STRICT, (DR, "shop/pay", _tls("pay.shop", "DISABLE"))], 1, id="by-name-and-namespace"),
        pytest.param([STRICT, (DR, "shop/pay", _tls("*.shop.svc.cluster.local", "DISABLE"))], 1, id="by-a-wildcard"),
        pytest.param([STRICT, (DR, "ops/pay", _tls("pay", "DISABLE"))], 0, id="the-short-name-of-another-namespace"),
        pytest.param([STRICT, (DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))], 0, id="both-mtls"),
        pytest.param([(DR, "shop/pay", _tls(HOST, "DISABLE"))], 0, id="permissive"),
        pytest.param(
            [STRICT, (DR, "shop/x", _tls("*.local", "DISABLE")), (DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))],
            0,
            id="a-nearer-rule-wins",
        ),
        pytest.param(
            [STRICT, (PA, "shop/pay", _mode("STRICT", **selector("pay"), **OPEN)), (DR, "s/p", _tls(HOST, "DISABLE"))],
            0,
            id="the-port-is-excepted",
        ),
        pytest.param(
            [STRICT, (PA, "shop/default", _mode("PERMISSIVE")), (DR, "shop/pay", _tls(HOST, "DISABLE"))],
            0,
            id="the-namespace-is-excepted",
        ),
        pytest.param(
            [STRICT, (PA, "shop/default", _mode("UNSET")), (DR, "shop/pay", _tls(HOST, "DISABLE"))],
            1,
            id="the-namespace-says-nothing",
        ),
    ],
)
def test_plaintext_to_strict(config: list[tuple[str, str, dict[str, Any]]], found: int) -> None:
    said = outcome(plaintext_to_strict, config=objects(*config), pods=PODS, services=SERVICES)

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


OFF = (PA, "shop/default", _mode("DISABLE"))


@pytest.mark.parametrize(
    ("config", "pods", "found"),
    [
        pytest.param([OFF, (DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))], PODS, 1, id="mtls-to-disable"),
        pytest.param([(DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))], PODS, 0, id="mtls-to-permissive"),
        pytest.param([OFF], PODS, 0, id="clients-choose"),
        pytest.param(
            [(DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))],
            pd.concat([pods_of("shop/web"), pods_of("shop/pay", injected=False)], ignore_index=True),
            1,
            id="the-server-has-no-sidecar",
        ),
        pytest.param(
            [(DR, "shop/pay", _tls(HOST, "ISTIO_MUTUAL"))],
            pods_of("shop/web", "shop/pay", injected=False),
            0,
            id="no-sidecar-is-known-anywhere",
        ),
    ],
)
def test_mtls_to_plaintext(config: list[tuple[str, str, dict[str, Any]]], pods: pd.DataFrame, found: int) -> None:
    said = outcome(mtls_to_plaintext, config=objects(*config), pods=pods, services=SERVICES)

    assert [each.subjects for each in said.findings] == [(f"{DR}:shop/pay",)] * found


OUTSIDE = pods_of("ops/job", injected=False).assign(ip="10.9.9.9")
BOTH = pd.concat([PODS, OUTSIDE], ignore_index=True)


@pytest.mark.parametrize(
    ("config", "pods", "subjects"),
    [
        pytest.param([STRICT], BOTH, [("ops/job-1",)], id="strict"),
        pytest.param([], BOTH, [], id="permissive"),
        pytest.param([STRICT], PODS, [], id="all-have-sidecars"),
        pytest.param([STRICT], OUTSIDE, [], id="no-mesh"),
        pytest.param(
            [STRICT],
            BOTH.assign(annotations='{"ambient.istio.io/redirection":"enabled"}'),
            [],
            id="ambient-captures-it",
        ),
        pytest.param([STRICT], pd.concat([PODS, pods_of("kube-system/dns", injected=False)]), [], id="system-pods"),
    ],
)
def test_pods_without_sidecar_beside_strict(
    config: list[tuple[str, str, dict[str, Any]]], pods: pd.DataFrame, subjects: list[tuple[str, ...]]
) -> None:
    said = outcome(strict_without_sidecar, config=objects(*config), pods=pods)

    assert [(each.subjects, each.severity) for each in said.findings] == [(each, Severity.INFO) for each in subjects]


@pytest.mark.parametrize(
    ("details", "remote", "ago_s", "found"),
    [
        pytest.param("filter_chain_not_found", "10.9.9.9:4000", 60, 1, id="refused"),
        pytest.param("filter_chain_not_found", "10.9.9.9:4000", 901, 0, id="before-the-window"),
        pytest.param("via_upstream", "10.9.9.9:4000", 60, 0, id="served"),
        pytest.param("filter_chain_not_found", "10.0.0.0:4000", 60, 0, id="by-a-pod-with-sidecar"),
        pytest.param("filter_chain_not_found", "192.0.2.1:4000", 60, 0, id="by-no-pod"),
    ],
)
def test_plaintext_that_was_refused(details: str, remote: str, ago_s: int, found: int) -> None:
    log = frame(
        "access_log",
        namespace=["shop"],
        pod=["pay-1"],
        at=[NOON - pd.Timedelta(seconds=ago_s)],
        details=[details],
        downstream_remote=[remote],
    )

    said = outcome(plaintext_refused, at=NOON, access_log=log, pods=BOTH)

    assert [each.subjects for each in said.findings] == [("ops/job-1",)] * found


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param(_mode("STRICT", **selector("pay"), **OPEN), 1, id="excepted"),
        pytest.param(_mode("PERMISSIVE", **selector("pay"), **OPEN), 0, id="the-same-as-all"),
        pytest.param(_mode("STRICT", **selector("pay")), 0, id="no-exception"),
    ],
)
def test_a_port_that_is_excepted(spec: dict[str, Any], found: int) -> None:
    said = outcome(port_exception, config=objects((PA, "shop/pay", spec)))

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("port", "chosen", "ports", "found"),
    [
        pytest.param("8080", selector("pay"), ("http:80/TCP>8080",), 0, id="the-workloads-port"),
        pytest.param("80", selector("pay"), ("http:80/TCP>8080",), 1, id="the-services-port"),
        pytest.param("80", selector("pay"), ("http:80/TCP>http",), 0, id="a-target-by-name-may-be-it"),
        pytest.param("9090", selector("pay"), ("http:80/TCP>8080",), 0, id="a-port-that-nothing-names"),
        pytest.param("8080", {}, ("http:80/TCP>8080",), 1, id="without-selector"),
    ],
)
def test_an_exception_without_effect(port: str, chosen: dict[str, Any], ports: tuple[str, ...], found: int) -> None:
    spec = _mode("STRICT", portLevelMtls={port: {"mode": "DISABLE"}}, **chosen)

    said = outcome(
        port_exception_idle,
        config=objects((PA, "shop/pay", spec)),
        pods=PODS,
        services=services_of("shop/pay", ports=ports),
    )

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    ("second", "created", "subjects"),
    [
        pytest.param("shop/emergency", ["2026-01-01", "2026-01-02"], [(f"{PA}:shop/emergency",)], id="the-younger"),
        pytest.param("ops/default", ["2026-01-01", "2026-01-02"], [], id="of-another-namespace"),
        pytest.param("shop/emergency", ["NaT", "NaT"], [], id="of-unknown-age"),
    ],
)
def test_a_second_policy_of_one_scope(second: str, created: list[str], subjects: list[tuple[str, ...]]) -> None:
    config = objects((PA, "shop/default", _mode("STRICT")), (PA, second, _mode("PERMISSIVE")), created=created)

    assert [each.subjects for each in outcome(peer_authentication_ignored, config=config).findings] == subjects


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (plaintext_to_strict, "not captured: config"),
        (mtls_to_plaintext, "not captured: config"),
        (strict_without_sidecar, "not captured: config; not captured: pods"),
        (plaintext_refused, "not captured: access_log; not captured: pods"),
        (port_exception, "not captured: config"),
        (port_exception_idle, "not captured: config"),
        (peer_authentication_ignored, "not captured: config"),
    ],
)
def test_without_its_tables_it_is_not_evaluated(check: Check, reason: str) -> None:
    assert outcome(check, at=NOON).not_evaluated == reason


@pytest.mark.parametrize(
    ("name", "check", "found"),
    [
        ("destinationrules/disabled_meshwide_checker_2", plaintext_to_strict, 1),
        ("destinationrules/disabled_meshwide_checker_3", plaintext_to_strict, 0),
        ("peerauthentications/disabled_namespacewide_checker_2", mtls_to_plaintext, 1),
        ("peerauthentications/disabled_meshwide_checker_3", mtls_to_plaintext, 0),
    ],
)
def test_kiali_says_the_same(corpus: Path, name: str, check: Check, found: int) -> None:
    rows = pd.read_csv(corpus / "kiali_expected.tsv", sep="\t")
    codes = rows[rows["input_file"] == f"kiali_validations/{name}.yaml"]["code"]

    said = outcome(check, config=read(corpus / f"kiali_validations/{name}.yaml").frame("config"))

    assert codes.str.startswith("KIA").sum() == found
    assert len(said.findings) == found
