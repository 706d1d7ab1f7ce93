"""Certificates of every place."""

import base64
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.testing import tables_of
from tests.pki import Made, certificate

CERTS = (Path(__file__).parents[1] / "data/admin-1.40/certs").read_bytes()
ROOT = certificate("cluster.local", ca=True, serial=0xABC)
MIDDLE = certificate("middle", by=ROOT, ca=True, serial=0xDEF)
LEAF = certificate("", by=MIDDLE, key_name="web", san="spiffe://td/ns/shop/sa/web", serial=0x123)
POD = "shop/web-1"


def encoded(*made: Made) -> str:
    return base64.b64encode("\n".join(each.pem for each in made).encode()).decode()


def listed(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}).encode()


def rows(kind: str, payload: bytes, subject: str = POD) -> list[tuple[object, ...]]:
    """Place, role, depth, serial, whether it is whole, and pointer of each row."""
    frame = tables_of((kind, subject, payload)).frame("certificates").astype("object")
    columns = ("subject_id", "place", "role", "depth", "serial", "pem", "error", "pointer")
    return [
        tuple(None if pd.isna(row[name]) else (name if name == "pem" else row[name]) for name in columns)
        for _, row in frame.iterrows()
    ]


def secret(name: str, **content: Any) -> dict[str, Any]:
    return {"name": name, "secret": {"name": name, **content}}


def test_secrets_of_a_proxy() -> None:
    section = {
        "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
        "dynamic_active_secrets": [
            secret("default", tls_certificate={"certificate_chain": {"inline_bytes": encoded(LEAF, MIDDLE, ROOT)}}),
            secret("ROOTCA", validation_context={"trusted_ca": {"inline_bytes": encoded(ROOT)}}),
        ],
    }
    chain = "/configs/0/dynamic_active_secrets/0/secret/tls_certificate/certificate_chain/inline_bytes"
    root = "/configs/0/dynamic_active_secrets/1/secret/validation_context/trusted_ca/inline_bytes"

    assert rows("envoy.config_dump", json.dumps({"configs": [section]}).encode()) == [
        (POD, "sds:default", "leaf", 0, "123", "pem", None, f"{chain}#pem1"),
        (POD, "sds:default", "intermediate", 1, "def", "pem", None, f"{chain}#pem2"),
        (POD, "sds:default", "root-in-chain", 2, "abc", "pem", None, f"{chain}#pem3"),
        (POD, "sds:ROOTCA", "root", 0, "abc", "pem", None, f"{root}#pem1"),
    ]


def test_summaries_have_no_fingerprint() -> None:
    frame = tables_of(("envoy.certs", POD, CERTS)).frame("certificates")
    row = frame.iloc[1]

    assert frame[["fingerprint", "spki", "pem", "subject", "key"]].isna().all(axis=None)
    assert (row["san"], row["not_after"]) == (
        ("spiffe://mesh.travel/ns/ops/sa/seats",),
        pd.Timestamp("2026-11-24T18:45:29Z"),
    )
    assert rows("envoy.certs", CERTS)[:2] == [
        (
            *(POD, "certs:<inline>", "root", 0, "5c443ed150e2258e716d27ad965f471c1652a43e"),
            *(None, None, "/certificates/0/ca_cert/0"),
        ),
        (
            *(POD, "certs:<inline>", "leaf", 0, "75fe9b0513f41a222f2a9b278baf95d3a66b3009"),
            *(None, None, "/certificates/0/cert_chain/0"),
        ),
    ]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(
            {
                "kind": "ConfigMap",
                "metadata": {"name": "istio-ca-root-cert", "namespace": "shop"},
                "data": {"root-cert.pem": ROOT.pem},
            },
            [
                (
                    *("ConfigMap:shop/istio-ca-root-cert", "configmap:shop/istio-ca-root-cert", "root", 0, "abc"),
                    *("pem", None, "/items/0/data/root-cert.pem#pem1"),
                )
            ],
            id="root-of-a-namespace",
        ),
        pytest.param(
            {
                "kind": "MutatingWebhookConfiguration",
                "metadata": {"name": "istio-sidecar-injector"},
                "webhooks": [
                    {"name": "none", "clientConfig": {}},
                    {"name": "inject.istio.io", "clientConfig": {"caBundle": encoded(ROOT)}},
                ],
            },
            [
                (
                    *("MutatingWebhookConfiguration:istio-sidecar-injector", "webhook:inject.istio.io", "root", 0),
                    *("abc", "pem", None, "/items/0/webhooks/1/clientConfig/caBundle#pem1"),
                )
            ],
            id="webhook",
        ),
        pytest.param(
            {
                "kind": "Secret",
                "metadata": {"name": "cacerts", "namespace": "istio-system"},
                "data": {
                    "ca-cert.pem": encoded(MIDDLE),
                    "root-cert.pem": encoded(ROOT),
                    "ca-key.pem": "[redacted:private-key]",
                },
            },
            [
                (
                    *("Secret:istio-system/cacerts", "secret:istio-system/cacerts", "intermediate", 0, "def"),
                    *("pem", None, "/items/0/data/ca-cert.pem#pem1"),
                ),
                (
                    *("Secret:istio-system/cacerts", "secret:istio-system/cacerts", "root", 0, "abc"),
                    *("pem", None, "/items/0/data/root-cert.pem#pem1"),
                ),
            ],
            id="plugged-in-ca",
        ),
    ],
)
def test_kubernetes_objects(made: dict[str, Any], expected: list[tuple[object, ...]]) -> None:
    assert rows("foreign.k8s-resources", listed(made), "-") == expected


def test_other_objects_say_nothing_about_certificates() -> None:
    other = {"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ROOT.pem}}

    tables = tables_of(("kubernetes.configmaps", "-", listed(other)))

    assert (len(tables.frame("certificates")), tables.state("certificates").captured) == (0, False)


def test_a_ztunnel_with_and_without_pem() -> None:
    held = {
        "identity": "spiffe://td/ns/shop/sa/web",
        "certChain": [{"pem": encoded(LEAF)}, {"serialNumber": "3567", "validFrom": "2026-01-01T00:00:00Z"}],
        "rootCerts": [{"pem": encoded(ROOT)}],
    }
    payload = json.dumps({"workloads": [], "certificates": [held]}).encode()
    place = "ztunnel:spiffe://td/ns/shop/sa/web"

    assert rows("ztunnel.config_dump", payload) == [
        (POD, place, "leaf", 0, "123", "pem", None, "/certificates/0/certChain/0/pem#pem1"),
        (POD, place, "intermediate", 1, "def", None, None, "/certificates/0/certChain/1/pem"),
        (POD, place, "root", 0, "abc", "pem", None, "/certificates/0/rootCerts/0/pem#pem1"),
    ]


def test_a_malformed_block_is_a_row_that_says_why() -> None:
    text = f"-----BEGIN CERTIFICATE-----\nAAAA\n{ROOT.pem}"
    made = {"kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert", "namespace": "a"}, "data": {"k": text}}

    assert [row[2:] for row in rows("kubernetes.configmaps", listed(made), "-")] == [
        (None, None, None, None, "a PEM block that does not end", "/items/0/data/k#pem1"),
        ("root", 0, "abc", "pem", None, "/items/0/data/k#pem2"),
    ]


def test_a_certificate_until_the_year_9999() -> None:
    end = pd.Timestamp("9999-12-31T23:59:59Z").to_pydatetime()
    forever = certificate("forever", ca=True, end=end)
    made = {"kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert"}, "data": {"k": forever.pem}}

    frame = tables_of(("kubernetes.configmaps", "-", listed(made))).frame("certificates")

    assert list(frame["not_after"]) == [pd.Timestamp(end)]
