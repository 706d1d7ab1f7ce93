"""Certificates out of PEM text, and chains judged by key. All are made here; those of the corpus are Linkerd's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.formats.x509 import (
    BAD_SIGNATURE,
    NOT_A_CA,
    NOT_TRUSTED,
    OTHER_KEY,
    UNREADABLE,
    Malformed,
    Verdict,
    certificates_of,
    stray_of,
    verify_chain,
)
from tests.pki import BEGIN, END, NOON, Made, certificate, key

SECOND = timedelta(seconds=1)
SAN = "spiffe://cluster.local/ns/shop/sa/web"
ROOT = certificate("cluster.local", ca=True, serial=0xABC)
MIDDLE = certificate("middle", by=ROOT, ca=True)
LEAF = certificate("", by=ROOT, key_name="web", san=SAN, serial=0x0A1B)
FAR = certificate("", by=MIDDLE, key_name="web", san=SAN)
SAME_NAME = certificate("cluster.local", key_name="other", ca=True)
SAME_KEY = certificate("cluster.local", ca=True, begin=BEGIN + SECOND)
STRANGER = certificate("stranger", ca=True)
REVOKED = "-----BEGIN X509 CRL-----\nMA==\n-----END X509 CRL-----"


def good(made: Made) -> Verdict:
    return Verdict(verified=True, root=made.fingerprint, reason="")


def bad(reason: str) -> Verdict:
    return Verdict(verified=False, root="", reason=reason)


def test_everything_that_a_certificate_says() -> None:
    (made,), malformed = certificates_of(f"a text before\n{LEAF.pem}\nand one after")
    spki = (
        key("web")
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)

    assert malformed == ()
    assert made._asdict() == {
        "number": 1,
        "pem": LEAF.pem,
        "fingerprint": LEAF.fingerprint,
        "spki": digest.finalize().hex(),
        "serial": "a1b",
        "subject": "",
        "issuer": "O=cluster.local",
        "san": (SAN,),
        "not_before": BEGIN,
        "not_after": END,
        "is_ca": False,
        "key_usage": None,
        "extended_key_usage": None,
        "self_issued": False,
        "key": "ec secp256r1",
        "signature_algorithm": "ecdsa-with-SHA256",
        "subject_key_id": made.subject_key_id,
        "authority_key_id": certificates_of(ROOT.pem)[0][0].subject_key_id,
    }


def test_a_root_is_self_issued_and_two_certificates_may_share_its_key() -> None:
    (one, other), _ = certificates_of(ROOT.pem + "\n" + SAME_KEY.pem)

    assert (one.is_ca, one.self_issued, one.authority_key_id) == (True, True, None)
    assert (one.spki == other.spki, one.fingerprint == other.fingerprint) == (True, False)


def test_the_end_of_time_is_a_time() -> None:
    forever = certificate("forever", end=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))

    assert certificates_of(forever.pem)[0][0].not_after == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_blocks_are_numbered_whatever_they_hold() -> None:
    text = "\r\n".join((REVOKED, ROOT.pem.replace("\n", "\r\n"), "-----BEGIN CERTIFICATE-----\r\nAAAA", LEAF.pem))

    made, malformed = certificates_of(text)

    assert [(each.number, each.serial) for each in made] == [(2, "abc"), (4, "a1b")]
    assert malformed == (Malformed(3, "a PEM block that does not end"),)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", id="empty"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", id="no-certificate"),
        pytest.param("-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----", id="no-base64"),
        pytest.param(LEAF.pem.replace("\n", "\n\0", 3), id="nul"),
        pytest.param(LEAF.pem[:200] + "\n-----END CERTIFICATE-----", id="cut-and-closed"),
    ],
)
def test_a_malformed_block_is_listed_and_the_others_are_read(block: str) -> None:
    made, malformed = certificates_of(f"{block}\n{ROOT.pem}")

    assert [each.number for each in malformed] == [1]
    assert [each.number for each in made] == [2]


@pytest.mark.parametrize("text", ["", "no certificate", REVOKED])
def test_a_text_without_certificates_holds_none(text: str) -> None:
    assert certificates_of(text) == ((), ())


@pytest.mark.parametrize(
    ("leaf", "between", "roots", "verdict"),
    [
        pytest.param(LEAF, [], [ROOT], good(ROOT), id="direct"),
        pytest.param(LEAF, [], [STRANGER, SAME_NAME, ROOT], good(ROOT), id="one-of-several"),
        pytest.param(LEAF, [], [SAME_KEY], good(SAME_KEY), id="another-certificate-with-the-key-and-name"),
        pytest.param(FAR, [MIDDLE], [ROOT], good(ROOT), id="through-an-intermediate"),
        pytest.param(FAR, [ROOT, MIDDLE], [ROOT], good(ROOT), id="root-sent-along-order-free"),
        pytest.param(FAR, [], [MIDDLE], good(MIDDLE), id="a-trusted-intermediate-ends-the-path"),
        pytest.param(ROOT, [], [ROOT], good(ROOT), id="what-is-trusted-itself"),
        pytest.param(LEAF, [], [], bad(NOT_TRUSTED), id="nothing-trusted"),
        pytest.param(LEAF, [], [STRANGER], bad(NOT_TRUSTED), id="another-name"),
        pytest.param(LEAF, [], [SAME_NAME], bad(OTHER_KEY), id="same-name-other-key"),
        pytest.param(FAR, [], [ROOT], bad(NOT_TRUSTED), id="intermediate-not-sent"),
        pytest.param(FAR, [MIDDLE], [SAME_NAME], bad(OTHER_KEY), id="other-key-above-the-intermediate"),
        pytest.param(LEAF, [SAME_NAME], [STRANGER], bad(BAD_SIGNATURE), id="an-intermediate-with-another-key"),
    ],
)
def test_verify_by_key(leaf: Made, between: list[Made], roots: list[Made], verdict: Verdict) -> None:
    said = verify_chain(leaf.pem, [each.pem for each in between], [each.pem for each in roots])

    assert said == verdict


def test_who_may_not_sign_is_no_intermediate() -> None:
    workload = certificate("workload", by=ROOT)
    below = certificate("below", by=workload)

    said = verify_chain(below.pem, [workload.pem], [ROOT.pem])

    assert said == bad(NOT_A_CA)


def test_a_root_of_version_1_style_without_constraints_is_trusted() -> None:
    plain = certificate("plain", constraints=False)
    leaf = certificate("leaf", by=plain)

    assert verify_chain(leaf.pem, [], [plain.pem]) == good(plain)


def test_two_that_sign_each_other_lead_nowhere() -> None:
    one = certificate("one", ca=True)
    two = certificate("two", ca=True)
    crossed = [certificate("one", by=two, ca=True), certificate("two", by=one, ca=True)]
    leaf = certificate("leaf", by=one)

    said = verify_chain(leaf.pem, [each.pem for each in crossed], [STRANGER.pem])

    assert said == bad(BAD_SIGNATURE)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        pytest.param(NOON, "", id="inside"),
        pytest.param(BEGIN, "", id="begins-this-instant"),
        pytest.param(END, "", id="ends-this-instant"),
        pytest.param(BEGIN - SECOND, "not yet valid at depth 0", id="one-second-early"),
        pytest.param(END + SECOND, "expired at depth 0", id="one-second-late"),
    ],
)
def test_verify_for_an_instant(at: datetime, reason: str) -> None:
    assert verify_chain(LEAF.pem, [], [ROOT.pem], at).reason == reason


@pytest.mark.parametrize(
    ("middle_end", "root_end", "reason"),
    [
        pytest.param(BEGIN + SECOND, END, "expired at depth 1", id="intermediate"),
        pytest.param(END, BEGIN + SECOND, "expired at depth 2", id="root"),
    ],
)
def test_the_depth_of_what_has_ended_is_named(middle_end: datetime, root_end: datetime, reason: str) -> None:
    root = certificate("ends", ca=True, end=root_end)
    middle = certificate("between", by=root, ca=True, end=middle_end)
    leaf = certificate("leaf", by=middle)

    assert verify_chain(leaf.pem, [middle.pem], [root.pem], NOON).reason == reason
    assert verify_chain(leaf.pem, [middle.pem], [root.pem]).verified


def test_an_expired_root_is_no_matter_beside_a_valid_one_with_its_key() -> None:
    ended = certificate("cluster.local", ca=True, end=BEGIN + SECOND)

    assert verify_chain(LEAF.pem, [], [ended.pem, ROOT.pem], NOON) == good(ROOT)


def test_what_cannot_be_read_does_not_verify() -> None:
    assert verify_chain("nothing", [], [ROOT.pem]) == bad(UNREADABLE)


@given(st.text("-BEGIN CERTFA\n=", max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_has_certificates_or_none(text: str) -> None:
    made, malformed = certificates_of(text + "\n" + ROOT.pem)

    assert [each.serial for each in made if each.pem == ROOT.pem] == ["abc"]
    assert all(each.reason for each in malformed)


@settings(max_examples=200)
@given(st.integers(30, len(LEAF.pem) - 30), st.sampled_from("ABCD/+=\n -\0é"))
def test_one_wrong_character_is_no_trouble(place: int, wrong: str) -> None:
    text = LEAF.pem[:place] + wrong + LEAF.pem[place + 1 :]

    made, malformed = certificates_of(text)

    assert len(made) + len(malformed) == 1


@pytest.mark.parametrize(
    ("name", "purposes"),
    [pytest.param("valid", None, id="no-limit"), pytest.param("expired", ("serverAuth", "clientAuth"), id="limited")],
)
def test_what_a_certificate_may_be_used_for(corpus: Path, name: str, purposes: tuple[str, ...] | None) -> None:
    ((made,), _) = certificates_of((corpus / f"linkerd/certs/{name}-crt.pem").read_text())

    assert (made.key_usage, made.extended_key_usage) == (("key_cert_sign", "crl_sign"), purposes)


@pytest.mark.parametrize(
    ("leaf", "sent", "roots", "end"),
    [
        pytest.param(FAR, (MIDDLE,), (), "", id="leads-on"),
        pytest.param(FAR, (ROOT, MIDDLE), (), "", id="in-another-order"),
        pytest.param(FAR, (FAR, MIDDLE), (), "", id="the-leaf-twice"),
        pytest.param(LEAF, (MIDDLE,), (ROOT,), "", id="ends-in-a-root"),
        pytest.param(LEAF, (STRANGER,), (), "a1b", id="ends-before"),
        pytest.param(LEAF, (), (), "", id="nothing-is-sent-along"),
        pytest.param(ROOT, (STRANGER,), (), "", id="a-root-shows-itself"),
    ],
)
def test_where_a_chain_ends(leaf: Made, sent: tuple[Made, ...], roots: tuple[Made, ...], end: str) -> None:
    assert stray_of(leaf.pem, [each.pem for each in sent], [each.pem for each in roots]) == end


def test_a_chain_that_cannot_be_read_ends_nowhere() -> None:
    assert stray_of("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", [ROOT.pem], []) == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("valid", "", id="valid"),
        pytest.param("valid-with-rsa-anchor", "", id="rsa-signs-ec"),
        pytest.param("wrong-algo", "", id="p-521"),
        pytest.param("expired", "expired at depth 0", id="expired"),
        pytest.param("not-valid-yet", "not yet valid at depth 0", id="not-yet"),
    ],
)
def test_certificates_of_linkerd(corpus: Path, name: str, reason: str) -> None:
    texts = [(corpus / f"linkerd/certs/{name}-{part}.pem").read_text() for part in ("crt", "trust-anchors")]
    (leaf, *between), roots = ([each.pem for each in certificates_of(text)[0]] for text in texts)

    assert verify_chain(leaf, between, roots).verified
    assert verify_chain(leaf, between, roots, NOON).reason == reason
