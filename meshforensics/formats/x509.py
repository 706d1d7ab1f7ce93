"""Certificates out of PEM text, and whether a leaf verifies under a set of roots, by key."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

_BLOCK = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----", re.DOTALL
)
_LONGEST_CHAIN = 10


class Certificate(NamedTuple):
    """One certificate. `number` is its place among the PEM blocks of the text, from 1.

    Serials are lower-case hex without colons, fingerprints SHA-256 hex of the DER, `spki` that of the
    SubjectPublicKeyInfo. Times are aware and UTC.
    """

    number: int
    pem: str
    fingerprint: str
    spki: str
    serial: str
    subject: str
    issuer: str
    san: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    is_ca: bool
    self_issued: bool
    key: str
    signature_algorithm: str
    subject_key_id: str | None
    authority_key_id: str | None


class Malformed(NamedTuple):
    """A PEM block that is no readable certificate, and why."""

    number: int
    reason: str


class Verdict(NamedTuple):
    """Whether a leaf verifies, the root (fingerprint) that it ends in, and why not."""

    verified: bool
    root: str
    reason: str


def certificates_of(text: str) -> tuple[tuple[Certificate, ...], tuple[Malformed, ...]]:
    """Every certificate of a text of PEM blocks, and the blocks that are none."""
    good: list[Certificate] = []
    bad: list[Malformed] = []
    for number, found in enumerate(_BLOCK.finditer(text), start=1):
        try:
            good.append(_certificate(number, found.group(0)))
        except (ValueError, UnsupportedAlgorithm, TypeError) as error:
            bad.append(Malformed(number, f"no readable certificate: {error}"))
    return tuple(good), tuple(bad)


@lru_cache(maxsize=8192)
def _certificate(number: int, pem: str) -> Certificate:
    loaded = _load(pem)
    public = loaded.public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        number=number,
        pem=pem,
        fingerprint=loaded.fingerprint(hashes.SHA256()).hex(),
        spki=_sha256(encoded),
        serial=format(loaded.serial_number, "x"),
        subject=loaded.subject.rfc4514_string(),
        issuer=loaded.issuer.rfc4514_string(),
        san=_names(loaded),
        not_before=loaded.not_valid_before_utc,
        not_after=loaded.not_valid_after_utc,
        is_ca=_is_ca(loaded),
        self_issued=loaded.subject == loaded.issuer and bool(list(loaded.subject)),
        key=_key(public),
        signature_algorithm=loaded.signature_algorithm_oid._name,
        subject_key_id=_key_id(loaded, x509.SubjectKeyIdentifier),
        authority_key_id=_key_id(loaded, x509.AuthorityKeyIdentifier),
    )


@lru_cache(maxsize=8192)
def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _sha256(payload: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(payload)
    return digest.finalize().hex()


def _names(loaded: x509.Certificate) -> tuple[str, ...]:
    try:
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(str(name.value) for name in names)


def _is_ca(loaded: x509.Certificate) -> bool:
    try:
        return bool(loaded.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False


def _key_id(
    loaded: x509.Certificate, kind: type[x509.SubjectKeyIdentifier] | type[x509.AuthorityKeyIdentifier]
) -> str | None:
    try:
        found = loaded.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    identifier = found.digest if isinstance(found, x509.SubjectKeyIdentifier) else found.key_identifier
    return identifier.hex() if identifier else None


def _key(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        return f"rsa {public.key_size}"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"ec {public.curve.name}"
    if isinstance(public, dsa.DSAPublicKey):
        return f"dsa {public.key_size}"
    if isinstance(public, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return type(public).__name__.removesuffix("PublicKey").lower()
    return "unknown"


def verify_chain(leaf: str, intermediates: Sequence[str], roots: Iterable[str]) -> Verdict:
    """Whether a leaf verifies under some roots, through its intermediates; all are PEM texts.

    By key and name, as RFC 5280 §6.1 builds paths, and without times: a certificate that has ended is a
    finding of its own. Two roots with one key verify the same leaves.
    """
    anchors = [_load(root) for root in roots]
    between = [_load(each) for each in intermediates]
    at = _load(leaf)
    for _ in range(_LONGEST_CHAIN):
        anchor = next((root for root in anchors if root == at or _issued(at, root)), None)
        if anchor is not None:
            return Verdict(verified=True, root=anchor.fingerprint(hashes.SHA256()).hex(), reason="")
        issuer = next((each for each in between if each != at and _issued(at, each)), None)
        if issuer is None:
            named = any(root.subject == at.issuer for root in anchors)
            why = "a root of the issuer's name is trusted, with another key" if named else "its issuer is not trusted"
            return Verdict(verified=False, root="", reason=why)
        at = issuer
    return Verdict(verified=False, root="", reason="the chain does not end")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
