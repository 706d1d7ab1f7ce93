"""Secrets: names, types and certificates are captured; what must not reach the disk is nowhere in a bundle's bytes."""

import base64
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import zstandard
from aiohttp import web

import meshforensics as mf
from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.capture._secrets import of_control_planes, of_gateways
from meshforensics.formats.kubernetes import KubernetesObject, decode
from tests.capture.world import Handler, by_name, mesh, on, refuse, said, take
from tests.pki import certificate
from tests.replay.evidence import AT, listed, pod

CANARY = "canary7f3a9c51d2e84b06"
BASE64 = base64.b64encode(CANARY.encode()).decode()
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{CANARY}.{CANARY}"
ROOT = certificate("root", ca=True)
LEAF = certificate("leaf", by=ROOT, san="spiffe://cluster.local/ns/shop/sa/web")
_numbers = count(1)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(namespace: str, name: str, type_: str, **data: str) -> dict[str, Any]:
    """A Secret as an API server holds it: with its owner, and what was last applied."""
    applied = {"apiVersion": "v1", "kind": "Secret", "data": data, "stringData": {"a.json": json.dumps({"p": CANARY})}}
    metadata = {
        "name": name,
        "namespace": namespace,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied, separators=(",", ":"))},
        "ownerReferences": [{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": name}],
    }
    return {"metadata": metadata, "data": data, "type": type_}


def gateway() -> dict[str, Any]:
    tls = {"mode": "SIMPLE", "credentialName": "shop-tls"}
    spec = {"selector": {"app": "ingress"}, "servers": [{"tls": tls}]}
    return {"metadata": {"name": "shop", "namespace": "shop"}, "spec": spec}


def planted(monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A mesh with canaries; nothing is redacted on the way into this bundle, as in a cluster nothing is."""
    key = "-----BEGIN EC PRIVATE KEY-----\n" + CANARY * 4 + "\n-----END EC PRIVATE KEY-----\n"
    pem = {"ca-cert.pem": b64(ROOT.pem), "ca-key.pem": b64(key), "root-cert.pem": b64(ROOT.pem)}
    tls = {"tls.crt": b64(LEAF.pem), "tls.key": b64(key), "combined.pem": b64(LEAF.pem + "\n" + key)}
    secrets = (
        secret("istio-system", "cacerts", "Opaque", **pem),
        secret("edge", "shop-tls", "kubernetes.io/tls", **tls),
        secret("shop", "database", "Opaque", password=BASE64),
    )
    istiod = {**pod("istiod-1", "istio-system"), "spec": {"containers": [{"name": "discovery"}]}}
    with monkeypatch.context() as patched:
        patched.setattr("meshforensics.bundle._redaction.Redactor.redact", lambda _, payload: (payload, {}))
        with BundleWriter(f"memory://tests-canary/{next(_numbers)}", mesh="lab", layout="test") as writer:
            for kind, subject, payload in (
                ("kubernetes.pods", "-", listed("Pod", _pod(), istiod, pod("ingress-1", "edge"))),
                ("kubernetes.secrets", "-", listed("Secret", *secrets)),
                (
                    "kubernetes.gateways.networking.istio.io",
                    "-",
                    listed("Gateway", gateway(), version="networking.istio.io/v1"),
                ),
                ("log.istio-proxy", "shop/web-0", _log()),
                ("envoy.config_dump", "shop/web-0", _dump()),
                ("envoy.server_info", "shop/web-0", _server_info()),
            ):
                writer.add(kind, subject, payload, captured_at=AT, time_source="Date")
            return writer.seal()


def _pod() -> dict[str, Any]:
    body = pod("web-0")
    applied = {
        "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": CANARY}], "args": ["--token", CANARY]}]}
    }
    body["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied, separators=(",", ":"))
    }
    container = body["spec"]["containers"][0]
    container["env"] = [
        {"name": "DB_PASSWORD", "value": CANARY},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": CANARY},
        {"name": "DATABASE_URL", "value": f"postgres://app:{CANARY}@db:5432/shop"},
        {"name": "TLS_KEY", "value": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n"},
    ]
    container["command"] = [
        "sh",
        "-c",
        f"curl -u me:{CANARY} -H 'X-Api-Key: {CANARY}' http://db; run --password={CANARY}",
    ]
    container["args"] = ["--api-token", CANARY]
    return body


def _log() -> bytes:
    """An access log with a token in a path and in a header; a debug log with headers."""
    return f"""\
[2026-11-23T18:48:00.000Z] "GET /pay?access_token={CANARY}&a=1 HTTP/1.1" 200 - via_upstream - "-" "Bearer {TOKEN}"
{{"time":"2026-11-23T18:48:00Z","authorization":"Basic {b64("me:" + CANARY)}","x-api-key":"{CANARY}"}}
2026-11-23T18:48:00Z\tdebug\tenvoy http\trequest headers complete:
'authorization', 'Bearer {CANARY}'
'cookie', 'session={CANARY}; theme=dark'
'x-vault-token', '{CANARY}'
""".encode()


def _dump() -> bytes:
    headers = [
        {"header": {"key": "authorization", "value": f"Bearer {TOKEN}"}},
        {"header": {"key": "x-api-key", "value": CANARY}},
        {"header": {"key": "Cookie", "value": f"sid={CANARY}"}},
        {"header": {"key": "proxy-authorization", "raw_value": BASE64}},
    ]
    match = {"headers": [{"name": "x-api-key", "string_match": {"exact": CANARY}}]}
    route = {"name": "a", "request_headers_to_add": headers, "virtual_hosts": [{"routes": [{"match": match}]}]}
    return json.dumps({"configs": [{"dynamic_route_configs": [{"route_config": route}]}]}).encode()


def _server_info() -> bytes:
    return json.dumps({"state": "LIVE", "command_line_options": {"config_yaml": f"--token={CANARY}"}}).encode()


def _members(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path, zstandard.ZstdDecompressor().decompress(content) if path.suffix == ".zst" else content


def test_planted_secrets_are_found_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = planted(monkeypatch)
    with mesh(source, monkeypatch):
        again = take(tmp_path / "again").bundle

    forms = [form.encode() for form in (CANARY, BASE64, b64("me:" + CANARY)[:-4], b64(CANARY * 4)[4:40])]
    held = dict(_members(tmp_path / "again"))
    assert [(path, form) for path, content in held.items() for form in forms if form in content] == []
    stored = {item.kind for item in again.items if item.stored}
    assert stored >= {
        "kubernetes.pods",
        "kubernetes.secrets",
        "log.istio-proxy",
        "envoy.config_dump",
        "envoy.server_info",
    }
    rules = {rule for item in again.items for rule in item.redactions}
    assert rules >= {"secret-value", "credential-env", "credential-header", "credential-argument", "cookie", "jwt"}


def test_names_types_and_certificates_of_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with mesh(planted(monkeypatch), monkeypatch) as asked:
        bundle = take(tmp_path / "again").bundle

    case = mf.open(tmp_path / "again")
    names = {(row.object, row.type, row.keys) for row in case.cluster_secrets.itertuples()}
    assert names == {
        ("Secret:edge/shop-tls", "kubernetes.io/tls", 3),
        ("Secret:istio-system/cacerts", "Opaque", 3),
        ("Secret:shop/database", "Opaque", 1),
    }
    held = case.certificates[case.certificates["subject_id"].str.startswith("Secret:")]
    assert {(row.subject_id, row.fingerprint, row.role) for row in held.itertuples()} == {
        ("Secret:edge/shop-tls", LEAF.fingerprint, "leaf"),
        ("Secret:istio-system/cacerts", ROOT.fingerprint, "root"),
        ("Secret:istio-system/cacerts", ROOT.fingerprint, "root-in-chain"),
    }
    assert said(bundle, "kubernetes.secrets", "Secret:istio-system/istio-ca-secret") == ("absent", None)
    assert sorted(path for path in asked.paths("") if "/secrets/" in path) == [
        "/api/v1/namespaces/edge/secrets/shop-tls",
        "/api/v1/namespaces/istio-system/secrets/cacerts",
        "/api/v1/namespaces/istio-system/secrets/istio-ca-secret",
    ]


def test_secrets_that_may_not_be_read_are_said_to_be_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_secrets(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await (refuse(403)(request) if "/secrets" in request.path else handler(request))

    with mesh(planted(monkeypatch), monkeypatch, no_secrets):
        bundle = take().bundle

    assert said(bundle, "kubernetes.secrets") == ("failed", "forbidden")
    assert said(bundle, "kubernetes.secrets", "Secret:istio-system/cacerts") == ("failed", "forbidden")
    assert said(bundle, "envoy.config_dump", "shop/web-0") == ("captured", None)


def test_secrets_that_are_not_wanted_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(planted(monkeypatch), monkeypatch) as asked:
        bundle = take(secrets=False).bundle

    assert said(bundle, "kubernetes.secrets") == ("skipped", "not-permitted")
    assert [path for path in asked.paths("") if "/secrets" in path] == []


async def _whole(_: web.Request) -> web.StreamResponse:
    """A server that does not know tables, and sends all there is."""
    return web.Response(body=listed("Secret", secret("shop", "database", "Opaque", password=BASE64)))


async def _cut(_: web.Request) -> web.StreamResponse:
    """A Secret that ends in the middle of a value."""
    return web.Response(body=b'{"kind":"Secret","data":{"ca-key.pem":"' + BASE64[:20].encode())


@pytest.mark.parametrize(
    ("end", "answer", "subject", "cause"),
    [
        pytest.param("/v1/secrets", _whole, "-", "not-the-form", id="values-in-place-of-a-table"),
        pytest.param("/secrets/cacerts", _cut, "Secret:istio-system/cacerts", "truncated", id="cut"),
    ],
)
def test_what_may_hold_values_is_thrown_away(
    end: str, answer: Any, subject: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mesh(planted(monkeypatch), monkeypatch, on(end, answer)):
        bundle = take().bundle

    item = by_name(bundle)["kubernetes.secrets", subject]
    assert (item.status, item.cause, item.stored) == ("failed", cause, False)


def _objects(kind: str, version: str, *bodies: dict[str, Any]) -> tuple[KubernetesObject, ...]:
    return decode(listed(kind, *bodies, version=version))


def test_istio_credentials_lie_where_the_gateways_pods_run() -> None:
    pods = _objects("Pod", "v1", pod("ingress-1", "edge"), pod("web-1", "shop"))
    servers = [
        {"tls": {"mode": "MUTUAL", "credentialName": "shop-tls"}},
        {"tls": {"credentialNames": ["kubernetes-gateway://other/far", "near"]}},
        {"tls": {"mode": "ISTIO_MUTUAL"}},
    ]
    spec = {"selector": {"app": "ingress"}, "servers": servers}
    one = {"metadata": {"name": "g", "namespace": "shop"}, "spec": spec}

    found = of_gateways(_objects("Gateway", "networking.istio.io/v1", one), pods)
    alone = of_gateways(_objects("Gateway", "networking.istio.io/v1", one), ())

    assert found == [("edge", "shop-tls"), ("edge", "shop-tls-cacert"), ("other", "far"), ("edge", "near")]
    assert alone[0] == ("shop", "shop-tls")


def test_credentials_of_the_gateway_api_lie_where_they_say() -> None:
    references = [{"name": "a"}, {"name": "b", "namespace": "far"}, {"name": "c", "kind": "Bundle", "group": "x"}]
    one = {
        "metadata": {"name": "g", "namespace": "edge"},
        "spec": {"listeners": [{"tls": {"certificateRefs": references}}]},
    }

    found = of_gateways(_objects("Gateway", "gateway.networking.k8s.io/v1", one), ())

    assert found == [("edge", "a"), ("far", "b")]


def test_authorities_are_read_where_control_planes_run() -> None:
    linkerd = pod("linkerd-identity-1", "linkerd")
    linkerd["metadata"]["labels"] = {"linkerd.io/control-plane-component": "identity"}
    linkerd["spec"] = {"containers": [{"name": "identity"}]}
    other = {**pod("app-1"), "spec": {"containers": [{"name": "identity"}]}}
    istiod = {**pod("istiod-1", "istio-canary"), "spec": {"containers": [{"name": "discovery"}]}}

    found = of_control_planes(_objects("Pod", "v1", linkerd, other, istiod))

    assert found == [
        ("linkerd", "linkerd-identity-issuer"),
        ("istio-canary", "cacerts"),
        ("istio-canary", "istio-ca-secret"),
    ]
