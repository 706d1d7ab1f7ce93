"""Chains and certificates as such: broken, misused, weak, for another host."""

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.certificates_form import (
    chain_broken,
    gateway_name,
    unreadable,
    weak_key,
    weak_signature,
    wrong_usage,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.pki import Made, certificate

ROOT = certificate("root", ca=True)
MIDDLE = certificate("middle", by=ROOT, ca=True)
OTHER = certificate("other", by=ROOT, ca=True)
LEAF = certificate("web", by=MIDDLE, san="spiffe://td/ns/shop/sa/web")
OWN = certificate("web", by=ROOT, san="spiffe://td/ns/shop/sa/web")


def _chain(*sent: Made, roots: tuple[Made, ...] = ()) -> pd.DataFrame:
    """The rows of a proxy that sends some certificates, the leaf first, and holds some roots."""
    roles = ["leaf", *["intermediate"] * (len(sent) - 1)]
    whole = [*sent, *roots]
    return frame(
        "certificates",
        namespace=["shop"] * len(whole),
        pod=["web-1"] * len(whole),
        place=["sds:default"] * len(sent) + ["sds:ROOTCA"] * len(roots),
        role=roles[: len(sent)] + ["root"] * len(roots),
        depth=[*range(len(sent)), *range(len(roots))],
        serial=[format(each.certificate.serial_number, "x") for each in whole],
        pem=[each.pem for each in whole],
        pointer=[f"/chain#pem{number + 1}" for number in range(len(sent))] + ["/roots#pem1"] * len(roots),
    )


@pytest.mark.parametrize(
    ("certificates", "found"),
    [
        pytest.param(_chain(LEAF, MIDDLE, roots=(ROOT,)), 0, id="whole"),
        pytest.param(_chain(LEAF, MIDDLE), 0, id="whole-without-a-known-root"),
        pytest.param(_chain(LEAF, ROOT, MIDDLE), 0, id="in-another-order"),
        pytest.param(_chain(LEAF, OTHER), 1, id="an-issuer-is-missing"),
        pytest.param(_chain(LEAF, OTHER, roots=(ROOT,)), 1, id="an-issuer-is-missing-below-a-known-root"),
        pytest.param(_chain(LEAF, OTHER, roots=(MIDDLE,)), 0, id="the-issuer-is-trusted-as-it-is"),
        pytest.param(_chain(OWN, MIDDLE, roots=(ROOT,)), 0, id="more-is-sent-than-is-needed"),
        pytest.param(_chain(LEAF), 0, id="a-leaf-alone-tells-nothing"),
    ],
)
def test_a_broken_chain(certificates: pd.DataFrame, found: int) -> None:
    said = outcome(chain_broken, certificates=certificates)

    assert [(each.subjects, each.severity) for each in said.findings] == [(("shop/web-1",), Severity.ERROR)] * found


SPIFFE, HOST = ("spiffe://td/ns/shop/sa/web",), ("shop.example.com",)
BOTH = ("serverAuth", "clientAuth")


def _used(role: str, *, san: tuple[str, ...] = (), **values: object) -> pd.DataFrame:
    given = {"is_ca": role != "leaf", "key_usage": None, "extended_key_usage": None, "place": "sds:default", **values}
    return frame(
        "certificates",
        namespace=["shop"],
        pod=["web-1"],
        role=[role],
        san=[san],
        fingerprint=["f"],
        issuer=["O=ca"],
        **{name: [value] for name, value in given.items()},
    )


@pytest.mark.parametrize(
    ("certificates", "found"),
    [
        pytest.param(_used("leaf", san=SPIFFE, extended_key_usage=BOTH), 0, id="a-workloads"),
        pytest.param(_used("leaf", san=SPIFFE), 0, id="without-limits"),
        pytest.param(_used("leaf", san=SPIFFE, extended_key_usage=("serverAuth",)), 1, id="not-for-clients"),
        pytest.param(_used("leaf", san=SPIFFE, extended_key_usage=("anyExtendedKeyUsage",)), 0, id="for-any-purpose"),
        pytest.param(_used("leaf", san=HOST, extended_key_usage=("serverAuth",)), 0, id="a-gateways"),
        pytest.param(_used("leaf", san=HOST, extended_key_usage=("clientAuth",)), 0, id="a-clients-credential"),
        pytest.param(_used("leaf", san=HOST, extended_key_usage=("codeSigning",)), 1, id="for-something-else"),
        pytest.param(_used("intermediate", is_ca=False), 1, id="an-issuer-that-is-no-ca"),
        pytest.param(_used("root", key_usage=("digital_signature",)), 1, id="a-ca-that-may-not-sign"),
        pytest.param(_used("root", key_usage=("key_cert_sign", "crl_sign")), 0, id="a-ca"),
        pytest.param(_used("root", is_ca=False), 0, id="a-peer-trusted-as-it-is"),
    ],
)
def test_usage(certificates: pd.DataFrame, found: int) -> None:
    assert len(outcome(wrong_usage, certificates=certificates).findings) == found


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("rsa 2048", 0),
        ("rsa 2047", 1),
        ("rsa 1024", 1),
        ("dsa 1024", 1),
        ("ec secp256r1", 0),
        ("ec secp192r1", 1),
        ("ec secp224r1", 0),
        ("ed25519", 0),
        ("1.2.3.4", 0),
        ("unknown", 0),
    ],
)
def test_a_weak_key(key: str, found: int) -> None:
    said = outcome(weak_key, certificates=_used("leaf").assign(key=key))

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    ("algorithm", "self_issued", "found"),
    [
        ("sha1WithRSAEncryption", False, 1),
        ("md5WithRSAEncryption", False, 1),
        ("ecdsa-with-SHA1", False, 1),
        ("dsa-with-sha1", False, 1),
        ("sha256WithRSAEncryption", False, 0),
        ("ecdsa-with-SHA256", False, 0),
        ("RSASSA-PSS", False, 0),
        ("sha1WithRSAEncryption", True, 0),
    ],
)
def test_a_weak_signature(algorithm: str, self_issued: bool, found: int) -> None:
    made = _used("leaf").assign(signature_algorithm=algorithm, self_issued=self_issued)

    assert len(outcome(weak_signature, certificates=made).findings) == found


@pytest.mark.parametrize(("error", "found"), [("no readable certificate: x", 1), (None, 0)])
def test_an_unreadable_block(error: str | None, found: int) -> None:
    assert len(outcome(unreadable, certificates=_used("leaf").assign(error=error)).findings) == found


@pytest.mark.parametrize(
    ("names", "host", "found"),
    [
        (("shop.example.com",), "shop.example.com", 0),
        (("*.example.com",), "shop.example.com", 0),
        (("*.example.com",), "a.shop.example.com", 1),
        (("*.example.com",), "example.com", 1),
        (("SHOP.example.com",), "shop.example.com", 0),
        (("*.example.com",), "*.example.com", 0),
        (("pay.example.com",), "shop.example.com", 1),
        ((), "shop.example.com", 0),
    ],
)
def test_the_name_of_a_gateways_certificate(names: tuple[str, ...], host: str, found: int) -> None:
    secret = "kubernetes://shop-cert"
    said = outcome(
        gateway_name,
        certificates=_used("leaf", san=names, place=f"sds:{secret}"),
        filter_chains=frame("filter_chains", resource=["l"], secrets=[(secret,)], server_names=[(host,)]),
        listener_instances=frame(
            "listener_instances", namespace=["shop"], pod=["web-1"], resource=["l"], state=["active"]
        ),
    )

    assert [each.severity for each in said.findings] == [Severity.WARNING] * found


@pytest.mark.parametrize("check", [chain_broken, wrong_usage, weak_key, weak_signature, unreadable])
def test_without_certificates_it_is_not_evaluated(check: Check) -> None:
    assert outcome(check).not_evaluated == "not captured: certificates"


def test_without_listeners_no_host_is_known() -> None:
    said = outcome(gateway_name, certificates=_used("leaf"))

    assert said.not_evaluated == "not captured: filter_chains; not captured: listener_instances"
