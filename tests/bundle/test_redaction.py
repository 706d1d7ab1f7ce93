"""What must never reach the disk does not; everything else stays as received."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.bundle._redaction import Redactor

REDACTOR = Redactor(b"k" * 32)
JWT = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzcGlmZmUifQ.c2lnbmF0dXJl"


def _key(form: serialization.PrivateFormat, *, old: bool = False) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()) if old else ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


KEYS = [
    pytest.param(_key(serialization.PrivateFormat.PKCS8), id="pkcs8"),
    pytest.param(_key(serialization.PrivateFormat.TraditionalOpenSSL, old=True), id="ec"),
    pytest.param(_key(serialization.PrivateFormat.OpenSSH), id="openssh"),
]


@pytest.mark.parametrize("pem", KEYS)
def test_private_keys_are_replaced_wherever_they_stand(pem: bytes) -> None:
    secret = b"".join(pem.split(b"\n")[1:-2])
    encoded = base64.b64encode(pem)
    places = [pem, json.dumps({"inline": pem.decode()}).encode(), b'{"inline_bytes": "' + encoded + b'"}']

    said = [REDACTOR.redact(place)[0] for place in places]

    assert [secret in one or encoded[:60] in one or _lines(pem)[1] in one for one in said] == [False] * 3
    assert [one.count(b"\n") for one in said] == [place.count(b"\n") for place in places]


def _lines(pem: bytes) -> list[bytes]:
    return pem.split(b"\n")


@pytest.mark.parametrize(
    ("payload", "secret", "rule"),
    [
        pytest.param(b"Authorization: Bearer abcdefghijklmnop1234", b"abcdefghijklmnop", "bearer-token", id="bearer"),
        pytest.param(b'{"token": "' + JWT + b'"}', JWT, "jwt", id="jwt"),
        pytest.param(b"authorization: Basic dXNlcjpodW50ZXIy", b"dXNlcjpodW50ZXIy", "basic-auth", id="basic"),
        pytest.param(b"    DB_PASSWORD:  hunter22\n", b"hunter22", "credential-assigned", id="kubectl-describe"),
        pytest.param(b'["API_TOKEN=hunter22"]', b"hunter22", "credential-assigned", id="assigned"),
        pytest.param(b'{"DB_PASSWORD": "hunter22"}', b"hunter22", "credential-assigned", id="json-field"),
        pytest.param(
            b"- name: DB_PASSWORD\n  value: /9j4AAQhunter22==\n", b"hunter22", "credential-env", id="base64-like-a-path"
        ),
        pytest.param(b"Cookie: session=abcdef123456; x=1\n", b"abcdef123456", "cookie", id="cookie"),
        pytest.param(b"- name: DB_PASSWORD\n  value: hunter22\n", b"hunter22", "credential-env", id="env-yaml"),
        pytest.param(b'{"name": "API_TOKEN", "value": "hunter22"}', b"hunter22", "credential-env", id="env-json"),
        pytest.param(
            b'{"name":"API_TOKEN","value":"hunter22"}', b"hunter22", "credential-env", id="env-json-of-an-api-server"
        ),
        pytest.param(
            rb'{"name":"API_TOKEN","value":"q\"hunter22\"\\"}', b"hunter22", "credential-env", id="env-json-with-quotes"
        ),
        pytest.param(
            rb'{"last-applied":"{\"name\":\"API_TOKEN\",\"value\":\"q\\\"hunter22\\\"\"},{\"x\":\"y\"}"}',
            b"hunter22",
            "credential-applied",
            id="env-in-an-annotation",
        ),
        pytest.param(
            b"apiVersion: v1\ndata:\n  password: aHVudGVyMjI=\nkind: Secret\n",
            b"aHVudGVyMjI=",
            "secret-value",
            id="yaml",
        ),
        pytest.param(
            b'{"apiVersion":"v1","data":{"password":"aHVudGVyMjI="},"kind":"Secret"}',
            b"aHVudGVyMjI=",
            "secret-value",
            id="json",
        ),
        pytest.param(
            b"items:\n- apiVersion: v1\n  data:\n    password: aHVudGVyMjI=\n  kind: Secret\n",
            b"aHVudGVyMjI=",
            "secret-value",
            id="list",
        ),
    ],
)
def test_credentials_are_replaced_and_counted(payload: bytes, secret: bytes, rule: str) -> None:
    said, counts = REDACTOR.redact(payload)

    assert secret not in said
    assert counts == {rule: 1}
    assert REDACTOR.redact(said) == (said, {})


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", id="certificate"),
        pytest.param(b'{"inline_bytes": "W3JlZGFjdGVkXQ=="}', id="envoys-own-redaction"),
        pytest.param(b"data:\n  mesh: aHVudGVyMjI=\nkind: ConfigMap\n", id="config-map"),
        pytest.param(b'"GET /token?x=1 HTTP/1.1" 200 - via_upstream', id="log-line"),
        pytest.param(b"name: ISTIO_META_MESH_ID\nvalue: cluster.local\n", id="harmless-variable"),
        pytest.param(b"- name: TOKEN_FILE\n  value: /var/run/secrets/token\n", id="path-of-a-token"),
        pytest.param(b"    API_TOKEN:  <set to the key 'a' in secret 'b'>  Optional: false\n", id="reference"),
        pytest.param(b"SECRET_TTL: 24h0m0s\nTOKEN_REVIEW: false\n", id="spans-and-switches"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_public_stays_as_received(payload: bytes) -> None:
    assert REDACTOR.redact(payload) == (payload, {})


def test_certificates_in_a_secret_stay() -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    payload = b"data:\n  ca-cert.pem: " + base64.b64encode(pem) + b"\n  ca-key.pem: aHVudGVyMjI=\nkind: Secret\n"

    said, counts = REDACTOR.redact(payload)

    assert base64.b64encode(pem) in said
    assert (b"aHVudGVyMjI=" in said, counts) == (False, {"secret-value": 1})


def test_equal_secrets_have_equal_pseudonyms_under_one_key_only() -> None:
    payload = b"Bearer abcdefghijklmnop1234 and Bearer abcdefghijklmnop1234"

    said = REDACTOR.redact(payload)[0].split(b" and ")

    assert said[0] == said[1]
    assert Redactor(b"x" * 32).redact(payload)[0] != REDACTOR.redact(payload)[0]


def test_addresses_are_replaced_where_asked() -> None:
    said, counts = Redactor(b"k" * 32, hosts=True).redact(b"10.1.2.3 calls 10.1.2.3, not 127.0.0.1")

    first, rest = said.split(b" calls ")
    assert rest == first + b", not 127.0.0.1"
    assert counts == {"host": 2}
    assert Redactor(b"k" * 32, hosts=True).redact(said) == (said, {})


@pytest.mark.parametrize(
    ("payload", "counts"),
    [
        pytest.param(b"dial tcp 10.1.2.3.", {"host": 1}, id="end-of-a-sentence"),
        pytest.param(b'"address": "fd00:10:244::5"', {"host": 1}, id="ipv6"),
        pytest.param(b"a::[fd00::5]:80::cx_active::0", {"host": 1}, id="clusters"),
        pytest.param(b"::ffff:10.1.2.3", {"host": 1}, id="mapped"),
        pytest.param(b"18:48:12 ::1 :: cafe::added_via_api::true aa:bb:cc:dd:ee:ff", {}, id="no-address"),
        pytest.param(b"1.2.840.10045.2.1 and 1.31.0", {}, id="no-ipv4"),
    ],
)
def test_every_form_of_an_address(payload: bytes, counts: dict[str, int]) -> None:
    redactor = Redactor(b"k" * 32, hosts=True)

    said, found = redactor.redact(payload)

    assert found == counts
    assert (b"10.1.2.3" in said, b"fd00" in said) == (False, False)
    assert redactor.redact(said) == (said, {})


_PIECES = st.sampled_from(
    [
        JWT,
        b"Bearer abcdefghijklmnop1234",
        b"Cookie: a=bcdefgh",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----",
        b"-----BEGIN RSA PRIVATE KEY-----",
        base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----"),
        b"kind: Secret\n",
        b"data:\n",
        b"  password: aHVudGVyMjI=\n",
        b'{"data":{"x":"aHVudGVyMjI="},"kind":"Secret"}',
        b"\n",
        b" ",
        b'"',
        b"[redacted:",
        b"[redacted:url-password:0123456789ab]",
        b"--api-token hunter22",
        b"authorization: Token hunter22\n",
        b"'x-api-key', 'hunter22'\n",
        b'"name":"DB_PASSWORD","value":"hunter22"',
        b"password=",
        b"?token=hunter22&",
        b"://me:hunter22@",
        b'{"secret":{"inline_string":"hunter22"}}',
    ]
)


@given(st.lists(_PIECES | st.binary(max_size=12), max_size=12))
def test_redacting_twice_changes_nothing(pieces: list[bytes]) -> None:
    once, _ = REDACTOR.redact(b"".join(pieces))

    assert REDACTOR.redact(once) == (once, {})


@given(st.lists(_PIECES | st.binary(max_size=12), max_size=12))
def test_lines_stay_where_they_were(pieces: list[bytes]) -> None:
    payload = b"".join(pieces)

    assert REDACTOR.redact(payload)[0].count(b"\n") == payload.count(b"\n")
