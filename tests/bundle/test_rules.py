"""Each rule: what it replaces in which form, and what looks alike and stays."""

import base64
import json

import pytest

from meshforensics.bundle._redaction import Redactor
from meshforensics.bundle._rules import RULES
from tests.conftest import ROOT

REDACTOR = Redactor(b"k" * 32)
CANARY = "canary7f3a9c51d2e84b06"
BASE64 = base64.b64encode(f"user:{CANARY}".encode()).decode()


def j(value: object) -> bytes:
    """JSON as an API server writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def applied(value: object) -> bytes:
    """The annotation that says what was last applied."""
    return j({"kubectl.kubernetes.io/last-applied-configuration": j(value).decode() + "\n"})


def pair(name: str, value: str = CANARY) -> dict[str, str]:
    return {"name": name, "value": value}


def header(key: str, value: str) -> dict[str, object]:
    return {"request_headers_to_add": [{"header": {"key": key, "value": value}}]}


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        pytest.param(j({"env": [pair("PGPASS")]}), "credential-env", id="pass"),
        pytest.param(j({"env": [pair("DB_PWD")]}), "credential-env", id="pwd"),
        pytest.param(j({"env": [pair("REDIS_AUTH")]}), "credential-env", id="auth"),
        pytest.param(j({"env": [pair("SIGNING_KEY")]}), "credential-env", id="signing-key"),
        pytest.param(j({"env": [pair("DATABASE_URL", f"postgres://app:{CANARY}@db/x")]}), "url-password", id="dsn"),
        pytest.param(applied({"env": [pair("DB_PASSWORD")]}), "credential-applied", id="applied"),
        pytest.param(j({"args": [f"--db-password={CANARY}"]}), "credential-argument", id="option"),
        pytest.param(j({"args": ["--db-password", CANARY]}), "credential-argument", id="option-of-two-members"),
        pytest.param(applied({"args": ["--token", CANARY]}), "credential-argument", id="option-applied"),
        pytest.param(f"- --api-key\n    - {CANARY}\n".encode(), "credential-argument", id="option-in-yaml"),
        pytest.param(j(["sh", "-c", f"app --api-token {CANARY} -x"]), "credential-argument", id="option-in-a-shell"),
        pytest.param(j(["curl", "-u", f"me:{CANARY}"]), "user-argument", id="curl"),
        pytest.param(j(["sh", "-c", f"mysql -u root -p{CANARY}"]), "password-argument", id="mysql"),
        pytest.param(j(["mysql", "-uroot", f"-p{CANARY}"]), "password-argument", id="mysql-of-members"),
        pytest.param(j(["sh", "-c", f"curl -H 'X-Api-Key: {CANARY}' x"]), "credential-header", id="curl-header"),
        pytest.param(f"'x-api-key', '{CANARY}'\n':path', '/'\n".encode(), "credential-header", id="envoy-debug-log"),
        pytest.param(f"'cookie', 'session={CANARY}'\n".encode(), "cookie", id="cookie-of-envoys-debug-log"),
        pytest.param(f"'authorization', 'Basic {BASE64}'\n".encode(), "basic-auth", id="basic-of-envoys-debug-log"),
        pytest.param(f"authorization: Token {CANARY}\n".encode(), "credential-header", id="token-scheme"),
        pytest.param(b"authorization: Bearer s3cr3t" + CANARY[:6].encode(), "credential-header", id="short-bearer"),
        pytest.param(j({"x-auth-token": CANARY}), "credential-header", id="json-log"),
        pytest.param(f'"GET /x?a=1&access_token={CANARY}&b=2 HTTP/1.1"'.encode(), "credential-query", id="query"),
        pytest.param(rf'"GET /x?a=1\u0026token={CANARY}"'.encode(), "credential-query", id="query-in-json"),
        pytest.param(j(header("x-api-key", CANARY)), "credential-header", id="header-that-is-set"),
        pytest.param(j(header("authorization", f"Splunk {CANARY}")), "credential-header", id="unknown-scheme"),
        pytest.param(
            j({"header": {"key": "authorization", "raw_value": base64.b64encode(CANARY.encode()).decode()}}),
            "credential-header",
            id="header-set-in-base64",
        ),
        pytest.param(
            j({"name": "x-api-key", "string_match": {"exact": CANARY}}),
            "credential-header",
            id="header-that-is-matched",
        ),
        pytest.param(j({"headers": {"x-api-key": {"exact": CANARY}}}), "credential-header", id="virtual-service-match"),
        pytest.param(f"set:\n  x-api-key: {CANARY}\n".encode(), "credential-header", id="virtual-service-set"),
        pytest.param(j({"inline_code": f'h:add("x-api-key", "{CANARY}")'}), "credential-header", id="lua"),
        pytest.param(j({"clientSecret": CANARY}), "credential-field", id="camel-case"),
        pytest.param(f"oauth:\n  client_secret: {CANARY}\n".encode(), "credential-field", id="yaml-field"),
        pytest.param(f"dsn host=db password={CANARY} user=x".encode(), "credential-field", id="connection-string"),
        pytest.param(
            f'{{"message":"a\\npassword: {CANARY}\\n"}}'.encode(), "credential-field", id="line-in-a-json-log"
        ),
        pytest.param(j({"auth_password": {"inline_string": CANARY}}), "credential-inline", id="redis-filter"),
        pytest.param(j({"secret": {"inline_bytes": BASE64}}), "credential-inline", id="generic-secret"),
        pytest.param(f"me:{{SHA}}{BASE64}\n".encode(), "password-hash", id="htpasswd"),
        pytest.param(f"dial http://user:{CANARY}@host/".encode(), "url-password", id="address"),
    ],
)
def test_what_a_rule_replaces(payload: bytes, rule: str) -> None:
    said, counts = REDACTOR.redact(payload)

    assert [secret for secret in (CANARY, BASE64, CANARY[:6]) if secret.encode() in said] == []
    assert counts == {rule: 1}
    assert REDACTOR.redact(said) == (said, {})


def test_a_cookie_goes_whole_though_a_token_is_in_it() -> None:
    jwt = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzcGlmZmUifQ.c2lnbmF0dXJl"

    said, counts = REDACTOR.redact(b"cookie: id=" + jwt + b"; session=" + CANARY.encode() + b"\n")

    assert (CANARY.encode() in said, counts) == (False, {"cookie": 1})


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(j({"credentialName": "shop-tls", "secretName": "shop"}), id="names-of-secrets"),
        pytest.param(j({"env": [pair("DB_PASSWORD", "$(FROM_ELSEWHERE)")]}), id="variable"),
        pytest.param(j(header("x-api-key", "%REQ(X-OTHER)%")), id="format-of-envoy"),
        pytest.param(j({"request_headers_to_remove": ["authorization", "x-forwarded-for"]}), id="names-of-headers"),
        pytest.param(b"headers: ['authorization', 'x-forwarded-for']\n", id="names-of-headers-in-yaml"),
        pytest.param(j({"private_key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}}), id="envoys-own-redaction"),
        pytest.param(j({"args": ["--token-file", "/var/run/token", "--secret-name=shop"]}), id="options-that-name"),
        pytest.param(j({"command": ["istio-iptables", "-u", "1337:1337"]}), id="user-and-group"),
        pytest.param(j({"name": "http.token_bucket.rate_limited", "value": 123456}), id="statistic"),
        pytest.param(b"rbac_access_denied_matched_policy[none] authorization: no\n", id="a-word-of-a-log"),
        pytest.param(b"GET /oauth/token HTTP/1.1 basic sanity: fine\n", id="words"),
        pytest.param(b"https://shop.example.com:8443/path@2x.png\n", id="port-in-an-address"),
        pytest.param(b"spiffe://cluster.local/ns/shop/sa/web\n", id="identity"),
    ],
)
def test_what_looks_alike_stays(payload: bytes) -> None:
    assert REDACTOR.redact(payload) == (payload, {})


def test_every_rule_is_documented() -> None:
    page = (ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")

    assert [rule.name for rule in RULES if f"`{rule.name}`" not in page] == []
