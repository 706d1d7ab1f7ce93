"""A certificate authority as istiod has it, and the certificates that it signs for workloads."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A root that signs: its key never leaves the process."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate."""
        return pem_of(self.certificate)

    @property
    def serial(self) -> str:
        """Its serial number, in lower-case hex."""
        return f"{self.certificate.serial_number:x}"

    @property
    def ends(self) -> datetime:
        """When it is valid no more."""
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A workload's certificate and its key, in PEM."""

    key: str
    chain: str
    serial: str


def authority(name: str, at: datetime, *, ends: datetime | None = None, age: timedelta = 40 * _DAY) -> Authority:
    """A self-signed root that began `age` before `at`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
    builder = _builder(subject, subject, key.public_key(), (at - age, ends or at + 3600 * _DAY))
    signed = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key=key, certificate=signed)


def sign(root: Authority, spiffe: str, begins: datetime, *, ends: datetime | None = None) -> Leaf:
    """A certificate for a workload, valid for 24 hours where nothing else is said."""
    key = ec.generate_private_key(ec.SECP256R1())
    span = (begins, ends or begins + 24 * _HOUR)
    builder = _builder(x509.Name([]), root.certificate.subject, key.public_key(), span)
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    signed = (
        builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(spiffe)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False)
        .sign(root.key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Leaf(key=private.decode(), chain=pem_of(signed), serial=f"{signed.serial_number:x}")


def pem_of(certificate: x509.Certificate) -> str:
    """A certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=span[0],
        not_valid_after=span[1],
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
