"""Envoy's ``/certs``: a summary of every certificate of every TLS context, without the certificates."""

import msgspec

from meshforensics.formats._json import decode_json


class CertificateDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate as ``/certs`` tells it; ``days_until_expiration`` is 0 for a day and less, so not kept."""

    path: str = ""
    serial_number: str = ""
    subject_alt_names: tuple[dict[str, str], ...] = ()
    valid_from: str | None = None
    expiration_time: str | None = None

    @property
    def san(self) -> tuple[str, ...]:
        """Names, whatever their kind."""
        return tuple(value for name in self.subject_alt_names for value in name.values())

    @property
    def serial(self) -> str:
        """Lower-case hex without colons or leading zeros."""
        return self.serial_number.replace(":", "").lower().lstrip("0") or "0"


class TlsContext(msgspec.Struct, frozen=True, kw_only=True):
    """The roots and the chain of one TLS context; either may rightly be empty."""

    ca_cert: tuple[CertificateDetails, ...] = ()
    cert_chain: tuple[CertificateDetails, ...] = ()


class Certs(msgspec.Struct, frozen=True, kw_only=True):
    """``/certs``: one entry per TLS context, so equal ones are normal."""

    certificates: tuple[TlsContext, ...]


def decode(payload: bytes) -> Certs:
    """Decode ``/certs``.

    Raises:
        NotTheFormError: the bytes are no such answer.
        TruncatedError: they end in the middle of one.
    """
    return decode_json(payload, Certs, what="Envoy's /certs")
