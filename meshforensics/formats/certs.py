"""Envoy's ``/certs``: a summary of every certificate of every TLS context, without the certificates.

Envoy's `days_until_expiration` is 0 for less than a day and for what has ended alike, so it is not read;
`expiration_time` is (Envoy admin/v3/certs.proto).
"""

import msgspec

from meshforensics.formats._json import decode_json

_WHAT = "an answer of /certs"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate as ``/certs`` tells it; `serial` is lower-case hex without colons or leading zeros."""

    pointer: str
    path: str
    serial: str
    san: tuple[str, ...]
    not_before: str | None
    not_after: str | None


class TlsContext(msgspec.Struct, frozen=True, kw_only=True):
    """The roots and the chain of one TLS context; either may rightly be empty."""

    roots: tuple[Summary, ...]
    chain: tuple[Summary, ...]


class Certs(msgspec.Struct, frozen=True):
    """``/certs``: one entry per TLS context, so equal ones are normal."""

    contexts: tuple[TlsContext, ...]


class _Details(msgspec.Struct, frozen=True):
    path: str | None = None
    serial_number: str | None = None
    subject_alt_names: tuple[dict[str, str], ...] | None = None
    valid_from: str | None = None
    expiration_time: str | None = None


class _Context(msgspec.Struct, frozen=True):
    ca_cert: tuple[_Details, ...] | None = None
    cert_chain: tuple[_Details, ...] | None = None


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The message has had this one field since 2018; a ztunnel's dump has it among others."""

    certificates: tuple[_Context, ...]


def decode(payload: bytes) -> Certs:
    """The TLS contexts of an answer of ``/certs``.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is something else.
    """
    answer = decode_json(payload, _Answer, what=_WHAT)
    return Certs(tuple(_context(each, f"/certificates/{n}") for n, each in enumerate(answer.certificates)))


def _context(said: _Context, pointer: str) -> TlsContext:
    return TlsContext(
        roots=tuple(_summary(each, f"{pointer}/ca_cert/{n}") for n, each in enumerate(said.ca_cert or ())),
        chain=tuple(_summary(each, f"{pointer}/cert_chain/{n}") for n, each in enumerate(said.cert_chain or ())),
    )


def _summary(said: _Details, pointer: str) -> Summary:
    serial = (said.serial_number or "").replace(":", "").lower()
    return Summary(
        pointer=pointer,
        path=said.path or "",
        serial=serial.lstrip("0") or serial[:1],
        san=tuple(value for name in said.subject_alt_names or () for value in name.values()),
        not_before=said.valid_from,
        not_after=said.expiration_time,
    )
