"""Certificates for tests, made when a test asks: no key is ever committed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2036, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of that name, the same for the whole run of the tests."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate with what is needed to sign another one by it."""

    certificate: x509.Certificate
    key_name: str

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode().rstrip("\n")

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def certificate(
    name: str,
    *,
    by: Made | None = None,
    key_name: str = "",
    ca: bool = False,
    san: str = "",
    serial: int = 0,
    begin: datetime = BEGIN,
    end: datetime = END,
    constraints: bool = True,
) -> Made:
    """A certificate for O=`name`, signed by `by` or by itself.

    Args:
        name: the organisation, which is the whole subject; empty for an empty subject.
        by: the issuer; None for a self-signed one.
        key_name: of its key; `name` when not given.
        ca: whether it may sign others.
        san: a SPIFFE URI; none when empty.
        serial: 0 for a random one.
        begin: start of validity.
        end: end of validity.
        constraints: whether it says at all if it may sign others.
    """
    own = key_name or name
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)] if name else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key(own).public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(own).public_key()), critical=False)
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if san:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(san)]), critical=not name
        )
    if by:
        signer = key(by.key_name).public_key()
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    return Made(certificate=builder.sign(key(by.key_name if by else own), hashes.SHA256()), key_name=own)
