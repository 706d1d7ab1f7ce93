"""Certificates out of PEM text, and whether a leaf verifies under a set of roots, by key (RFC 5280)."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

_BEGIN = "-----BEGIN "
_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for a block or an extension that it cannot read; the last four are no ValueError."""

_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

NOT_TRUSTED = "its issuer is not trusted"
OTHER_KEY = "a root of the issuer's name is trusted, with another key"
BAD_SIGNATURE = "an intermediate of the issuer's name is there, with another key"
NOT_A_CA = "its issuer is there, and is no CA"
UNREADABLE = "a certificate of the chain cannot be read"


class Certificate(NamedTuple):
    """One certificate. `number` is its place among the PEM blocks of the text, from 1.

    Serials are lower-case hex without colons, fingerprints SHA-256 hex of the DER, `spki` that of the
    SubjectPublicKeyInfo, None for a key of an unknown kind. Times are aware and UTC. Usages are None where
    the certificate does not limit them.
    """

    number: int
    pem: str
    fingerprint: str
    spki: str | None
    serial: str
    subject: str
    issuer: str
    san: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    is_ca: bool
    key_usage: tuple[str, ...] | None
    extended_key_usage: tuple[str, ...] | None
    self_issued: bool
    key: str
    signature_algorithm: str
    subject_key_id: str | None
    authority_key_id: str | None


class Malformed(NamedTuple):
    """A PEM block that says it is a certificate and is no readable one, and why."""

    number: int
    reason: str


class Verdict(NamedTuple):
    """Whether a leaf verifies, the root (fingerprint) that it ends in, and why not."""

    verified: bool
    root: str
    reason: str


def certificates_of(text: str) -> tuple[tuple[Certificate, ...], tuple[Malformed, ...]]:
    """Every certificate of a text of PEM blocks, and the blocks that claim to be one and are none.

    Blocks of other things (a key, a revocation list) are counted in `number` and passed over.
    """
    good: list[Certificate] = []
    bad: list[Malformed] = []
    for number, pem in _blocks(text):
        if not pem:
            bad.append(Malformed(number, "a PEM block that does not end"))
            continue
        try:
            good.append(_certificate(pem)._replace(number=number))
        except _UNREADABLE as error:
            bad.append(Malformed(number, f"no readable certificate: {_first_line(error)}"))
    return tuple(good), tuple(bad)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120] or type(error).__name__


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each block of a certificate; an empty text for one that does not end."""
    for number, chunk in enumerate(text.split(_BEGIN)[1:], start=1):
        label, dashes, _ = chunk.partition("-----")
        if dashes and label in _LABELS:
            end = f"-----END {label}-----"
            at = chunk.find(end)
            yield number, _BEGIN + chunk[: at + len(end)] if at >= 0 else ""


@lru_cache(maxsize=8192)
def _certificate(pem: str) -> Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd serials and key sizes are evidence here, no one's mistake
        return _read(pem, _load(pem))


def _read(pem: str, loaded: x509.Certificate) -> Certificate:
    spki, key = _key(loaded)
    return Certificate(
        number=0,
        pem=pem,
        fingerprint=loaded.fingerprint(hashes.SHA256()).hex(),
        spki=spki,
        serial=format(loaded.serial_number, "x"),
        subject=loaded.subject.rfc4514_string(),
        issuer=loaded.issuer.rfc4514_string(),
        san=_names(loaded),
        not_before=loaded.not_valid_before_utc,
        not_after=loaded.not_valid_after_utc,
        is_ca=_is_ca(loaded),
        key_usage=_key_usage(loaded),
        extended_key_usage=_extended_key_usage(loaded),
        self_issued=loaded.subject == loaded.issuer and bool(list(loaded.subject)),
        key=key,
        signature_algorithm=loaded.signature_algorithm_oid._name,
        subject_key_id=_key_id(loaded, x509.SubjectKeyIdentifier),
        authority_key_id=_key_id(loaded, x509.AuthorityKeyIdentifier),
    )


@lru_cache(maxsize=8192)
def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _key(loaded: x509.Certificate) -> tuple[str | None, str]:
    """Hash and kind of the public key; without hash where the kind is unknown."""
    try:
        public = loaded.public_key()
    except _UNREADABLE:
        return None, loaded.public_key_algorithm_oid.dotted_string
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(encoded)
    return digest.finalize().hex(), _kind(public)


def _kind(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        return f"rsa {public.key_size}"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"ec {public.curve.name}"
    if isinstance(public, dsa.DSAPublicKey):
        return f"dsa {public.key_size}"
    if isinstance(public, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return "ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "ed448"
    return "unknown"


def _names(loaded: x509.Certificate) -> tuple[str, ...]:
    try:
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    return tuple(_name(name) for name in names)


def _name(name: x509.GeneralName) -> str:
    value = name.value
    if isinstance(value, x509.Name):
        return value.rfc4514_string()
    if isinstance(value, x509.ObjectIdentifier):
        return value.dotted_string
    return value.hex() if isinstance(value, bytes) else str(value)


def _is_ca(loaded: x509.Certificate) -> bool:
    try:
        return bool(loaded.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return False


def _key_usage(loaded: x509.Certificate) -> tuple[str, ...] | None:
    """The usages that are set, in the order of RFC 5280 §4.2.1.3."""
    try:
        said = loaded.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None
    return tuple(name for name in _KEY_USAGES if getattr(said, name))


def _extended_key_usage(loaded: x509.Certificate) -> tuple[str, ...] | None:
    try:
        said = loaded.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None
    return tuple(each._name if each._name != "Unknown OID" else each.dotted_string for each in said)


def _key_id(
    loaded: x509.Certificate, kind: type[x509.SubjectKeyIdentifier] | type[x509.AuthorityKeyIdentifier]
) -> str | None:
    try:
        found = loaded.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None
    identifier = found.digest if isinstance(found, x509.SubjectKeyIdentifier) else found.key_identifier
    return identifier.hex() if identifier else None


def verify_chain(leaf: str, intermediates: Sequence[str], roots: Iterable[str], at: datetime | None = None) -> Verdict:
    """Whether a leaf verifies under some roots, through its intermediates; all are PEM texts of one block.

    By key and name, as RFC 5280 §6.1 builds paths: two roots with one name and key verify the same leaves.
    A trusted intermediate ends a path, as in Envoy since 1.22. Names, key usage and revocation are not
    judged.

    Args:
        leaf: what is shown by the one side.
        intermediates: what it sends along.
        roots: what the other side trusts.
        at: the instant for which every certificate of the path must be valid; None judges no times,
            because a certificate that has ended is a finding of its own.
    """
    try:
        asked = _Asked([_load(root) for root in roots], [_load(each) for each in intermediates], at)
        return _verdict(_load(leaf), asked)
    except _UNREADABLE:
        return Verdict(verified=False, root="", reason=UNREADABLE)


def stray_of(leaf: str, sent: Sequence[str], roots: Iterable[str]) -> str:
    """The serial of the issuer-less end of a chain that is sent with certificates which do not continue it.

    Empty where every certificate that is sent leads on from the leaf, where the chain ends in one of `roots`,
    and where something cannot be read.
    """
    try:
        below, waiting = _load(leaf), [_load(each) for each in sent]
        trusted = [_load(root) for root in roots]
    except _UNREADABLE:
        return ""
    path = below
    while True:
        if path in trusted or any(_issued(path, root) for root in trusted):
            return ""
        above = next((each for each in waiting if each not in (path, below) and _issued(path, each)), None)
        if above is None:
            break
        waiting.remove(above)
        path = above
    rest = [each for each in waiting if each != below]
    return format(path.serial_number, "x") if rest and path.subject != path.issuer else ""


class _Asked(NamedTuple):
    """What a path may be made of, and the instant for which it must be valid."""

    anchors: list[x509.Certificate]
    between: list[x509.Certificate]
    at: datetime | None


def _verdict(leaf: x509.Certificate, asked: _Asked) -> Verdict:
    """Breadth first, each certificate once: the shortest valid path, else why the first one fails."""
    waiting = [(leaf, 0)]
    seen = {leaf}
    refusals: list[str] = []
    for below, depth in waiting:
        late = _untimely(below, depth, asked.at)
        if late:
            refusals.append(late)
            continue
        issuers = [root for root in asked.anchors if root == below or _issued(below, root)]
        for root in issuers:
            late = _untimely(root, depth + (root != below), asked.at)
            if not late:
                return Verdict(verified=True, root=root.fingerprint(hashes.SHA256()).hex(), reason="")
            refusals.append(late)
        nexts = [each for each in asked.between if each not in seen and _is_ca(each) and _issued(below, each)]
        waiting += [(each, depth + 1) for each in nexts]
        seen.update(nexts)
        if not issuers and not nexts:
            refusals.append(_unknown(below, asked))
    return Verdict(verified=False, root="", reason=refusals[0])


def _untimely(each: x509.Certificate, depth: int, at: datetime | None) -> str:
    """Why a certificate is not valid at the instant; empty when it is, both ends included."""
    if at is None:
        return ""
    if at < each.not_valid_before_utc:
        return f"not yet valid at depth {depth}"
    return f"expired at depth {depth}" if at > each.not_valid_after_utc else ""


def _unknown(below: x509.Certificate, asked: _Asked) -> str:
    if any(root.subject == below.issuer for root in asked.anchors):
        return OTHER_KEY
    named = [each for each in asked.between if each != below and each.subject == below.issuer]
    if any(not _is_ca(each) and _issued(below, each) for each in named):
        return NOT_A_CA
    return BAD_SIGNATURE if named else NOT_TRUSTED


@lru_cache(maxsize=65536)
def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True
