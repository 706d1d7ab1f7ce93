"""Whether a proxy has a certificate, and whose it is."""

import json
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.certificates_identity import (
    empty_chain,
    not_its_identity,
    trust_domains_differ,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome


@pytest.mark.parametrize(
    ("count", "name", "kind", "found"),
    [
        (0, "default", None, 1),
        (1, "default", "tls_certificate", 0),
        (0, "ROOTCA", "validation_context", 0),
        (0, "kubernetes://shop-cert", "tls_certificate", 1),
        (0, "kubernetes://shop-cert-cacert", "validation_context", 0),
    ],
)
def test_an_identity_without_a_chain(count: int, name: str, kind: str | None, found: int) -> None:
    secrets = frame("secrets", name=[name], resource=["r"], type=[kind], certificates=[count])
    instances = frame(
        "secret_instances", namespace=["shop"], pod=["web-1"], name=[name], resource=["r"], state=["active"]
    )

    said = outcome(empty_chain, secrets=secrets, secret_instances=instances)

    assert [each.subjects for each in said.findings] == [("shop/web-1",)] * found


def _leaf(san: str, *, pod: str = "web-1", namespace: str = "shop", place: str = "sds:default") -> pd.DataFrame:
    return frame("certificates", namespace=[namespace], pod=[pod], role=["leaf"], place=[place], san=[(san,)])


PODS = frame("pods", namespace=["shop"], pod=["web-1"], service_account=["web"])


@pytest.mark.parametrize(
    ("leaf", "pods", "found"),
    [
        pytest.param(_leaf("spiffe://td/ns/shop/sa/web"), PODS, 0, id="its-own"),
        pytest.param(_leaf("spiffe://td/ns/shop/sa/pay"), PODS, 1, id="another-account"),
        pytest.param(_leaf("spiffe://td/ns/other/sa/web"), PODS, 1, id="another-namespace"),
        pytest.param(_leaf("spiffe://td/ns/shop/sa/pay"), None, 0, id="the-account-is-not-known"),
        pytest.param(_leaf("spiffe://td/ns/other/sa/web"), None, 1, id="the-namespace-is-known"),
        pytest.param(_leaf("spiffe://td/ns/shop/sa/pay", pod="vm-1"), PODS, 0, id="a-proxy-that-is-no-pod"),
        pytest.param(_leaf("spiffe://td/workload/web"), PODS, 0, id="an-identity-of-another-form"),
        pytest.param(_leaf("shop.example.com", place="sds:kubernetes://x"), PODS, 0, id="the-credential-of-a-gateway"),
        pytest.param(
            _leaf("spiffe://td/ns/other/sa/pay", place="ztunnel:spiffe://td/ns/other/sa/pay"), PODS, 0, id="ztunnel"
        ),
    ],
)
def test_the_identity_of_a_workload(leaf: pd.DataFrame, pods: pd.DataFrame | None, found: int) -> None:
    known: dict[str, Any] = {} if pods is None else {"pods": pods}

    said = outcome(not_its_identity, certificates=leaf, **known)

    assert [each.severity for each in said.findings] == [Severity.ERROR] * found


def _leaves(*domains: str) -> pd.DataFrame:
    rows = [_leaf(f"spiffe://{domain}/ns/shop/sa/web", pod=f"web-{n}") for n, domain in enumerate(domains)]
    return pd.concat(rows, ignore_index=True)


def _map(**mesh: object) -> pd.DataFrame:
    said = json.dumps({"rootNamespace": "i", **mesh})
    return frame("config", kind=["ConfigMap"], name=["istio"], spec=[json.dumps({"mesh": said})])


@pytest.mark.parametrize(
    ("leaves", "tables", "subjects"),
    [
        pytest.param(_leaves("a", "a"), {}, [], id="one"),
        pytest.param(_leaves("a", "b", "a"), {}, [("shop/web-1",)], id="most-are-of-another"),
        pytest.param(
            _leaves("a", "b", "a"),
            {"mesh_config": frame("mesh_config", trust_domain=["b"], trust_domain_aliases=[()])},
            [("shop/web-0", "shop/web-2")],
            id="istiod-says-which",
        ),
        pytest.param(
            _leaves("a", "b", "a"),
            {"mesh_config": frame("mesh_config", trust_domain=["b"], trust_domain_aliases=[("spiffe://a",)])},
            [],
            id="an-alias",
        ),
        pytest.param(_leaves("a", "b"), {"config": _map(trustDomain="a")}, [("shop/web-1",)], id="the-config-map-says"),
        pytest.param(
            _leaves("a", "b"), {"config": _map(trustDomain="a", trustDomainAliases=["b"])}, [], id="its-alias"
        ),
        pytest.param(
            _leaves("a", "b", "a"),
            {"config": _map().assign(spec="{")},
            [("shop/web-1",)],
            id="an-unreadable-map",
        ),
    ],
)
def test_trust_domains(leaves: pd.DataFrame, tables: dict[str, Any], subjects: list[tuple[str, ...]]) -> None:
    said = outcome(trust_domains_differ, certificates=leaves, **tables)

    assert [(each.subjects, each.severity) for each in said.findings] == [(each, Severity.WARNING) for each in subjects]


def test_without_their_tables_they_are_not_evaluated() -> None:
    reasons = [outcome(check).not_evaluated for check in (not_its_identity, trust_domains_differ)]

    assert reasons == ["not captured: certificates"] * 2
    assert outcome(empty_chain).not_evaluated == "not captured: secrets; not captured: secret_instances"
