"""Values of Secrets in every shape in which objects come; certificates stay."""

import base64
import json

import pytest

from meshforensics.bundle._redaction import Redactor

REDACTOR = Redactor(b"k" * 32)
CANARY = "canary7f3a9c51d2e84b06"
BASE64 = base64.b64encode(CANARY.encode()).decode()
OWNER = {"ownerReferences": [{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "db"}]}
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def j(value: object) -> bytes:
    """JSON as an API server writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def applied(value: object) -> bytes:
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": j(value).decode() + "\n"}
    return j({"kind": "Table", "rows": [{"object": {"metadata": {"annotations": annotation}}}]})


def one(**data: str) -> dict[str, object]:
    return {"metadata": {"name": "db", **OWNER}, "data": data, "type": "Opaque"}


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(j({"kind": "SecretList", "items": [one(password=BASE64)]}), id="typed-list"),
        pytest.param(j({"kind": "Secret", "apiVersion": "v1", **one(password=BASE64)}), id="one-that-has-an-owner"),
        pytest.param(j({"kind": "Secret", "stringData": {"a.json": '{"p": "' + CANARY + '"}'}}), id="json-in-it"),
        pytest.param(applied({"kind": "Secret", "data": {"password": BASE64}}), id="applied"),
        pytest.param(applied({"kind": "Secret", "stringData": {"a.json": f'{{"p":"{CANARY}"}}'}}), id="applied-json"),
        pytest.param(j({"kind": "Secret", "data": {"password": BASE64}})[:-3], id="cut"),
        pytest.param(applied({"kind": "Secret", "data": {"password": BASE64}})[:-16], id="applied-cut"),
        pytest.param(f"kind: Secret\ndata:\n  password: {BASE64}\n".encode(), id="yaml"),
    ],
)
def test_values_are_replaced(payload: bytes) -> None:
    said, counts = REDACTOR.redact(payload)

    assert [secret for secret in (CANARY, BASE64, BASE64[:20]) if secret.encode() in said] == []
    assert counts == {"secret-value": 1}
    assert REDACTOR.redact(said) == (said, {})


@pytest.mark.parametrize("name", ["tls.crt", "ca-cert.pem", "combined.pem"])
def test_a_certificate_stays_and_one_with_its_key_does_not(name: str) -> None:
    key = b"Bag Attributes\n-----BEGIN PRIVATE KEY-----\n" + CANARY.encode() + b"\n-----END PRIVATE KEY-----\n"
    public, both = base64.b64encode(PEM).decode(), base64.b64encode(PEM + key).decode()

    said = REDACTOR.redact(j({"kind": "Secret", "data": {name: public}}))[0]
    joined, counts = REDACTOR.redact(j({"kind": "Secret", "data": {name: both}}))

    assert public.encode() in said
    assert (both[-60:].encode() in joined, counts) == (False, {"secret-value": 1})


def test_config_maps_beside_no_secret_stay() -> None:
    payload = j({"kind": "ConfigMapList", "items": [{"data": {"mesh": "trustDomain: x"}}], "secret": "Secret"})

    assert REDACTOR.redact(payload) == (payload, {})
