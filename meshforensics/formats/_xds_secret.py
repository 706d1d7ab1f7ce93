"""Certificates inside xDS resources: SDS secrets and TLS contexts. Key material is never read."""

import base64
import binascii
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from meshforensics.formats._xds_message import Message, extension

_BEGIN = "-----BEGIN "
_TYPES = ("tls_certificate", "validation_context", "session_ticket_keys", "generic_secret")

Role = Literal["cert_chain", "trusted_ca"]


class Pem(NamedTuple):
    """One text of PEM blocks; `pointer` is relative to the resource."""

    pointer: str
    role: Role
    text: str


class Secret(msgspec.Struct, frozen=True, gc=False):
    """One SDS secret: what kind it is and the certificates in it, without any key."""

    name: str | None
    type: str | None
    pems: tuple[Pem, ...]
    sans: tuple[str, ...]


class Tls(NamedTuple):
    """What a TLS context says: who it trusts, and which secrets it waits for."""

    sans: tuple[str, ...]
    sni: str | None
    secrets: tuple[str, ...]
    mutual: bool
    pems: tuple[Pem, ...]


def read_secret(resource: Message) -> Secret:
    """The secret of `envoy.extensions.transport_sockets.tls.v3.Secret` and its ancestors."""
    kinds = [name for name in _TYPES if resource.has(name)]
    validation = resource.message("validation_context")
    return Secret(
        name=resource.text("name"),
        type=kinds[0] if kinds else None,
        pems=(*_chain(resource.message("tls_certificate")), *_trusted(validation)),
        sans=_sans(validation),
    )


def read_tls(context: Message) -> Tls:
    """What an upstream or downstream TLS context says."""
    common = context.message("common_tls_context")
    validations = (
        common.message("validation_context"),
        common.message("combined_validation_context", "default_validation_context"),
    )
    pems = [pem for held in common.messages("tls_certificates") for pem in _chain(held)]
    return Tls(
        sans=tuple(san for validation in validations for san in _sans(validation)),
        sni=context.text("sni"),
        secrets=tuple(_secrets(common)),
        mutual=context.flag("require_client_certificate"),
        pems=(*pems, *(pem for validation in validations for pem in _trusted(validation))),
    )


def _secrets(common: Message) -> Iterator[str]:
    waits = (
        *common.messages("tls_certificate_sds_secret_configs"),
        common.message("validation_context_sds_secret_config"),
        common.message("combined_validation_context", "validation_context_sds_secret_config"),
    )
    for wait in waits:
        name = wait.text("name")
        if name:
            yield name


def _sans(validation: Message) -> tuple[str, ...]:
    matchers = [
        *validation.messages("match_subject_alt_names"),
        *(typed.message("matcher") for typed in validation.messages("match_typed_subject_alt_names")),
    ]
    return (*validation.texts("verify_subject_alt_name"), *(_matched(each) for each in matchers))


def _matched(matcher: Message) -> str:
    regex = matcher.text("safe_regex", "regex")
    if regex is not None:
        return f"regex:{regex}"
    for kind in ("exact", "prefix", "suffix", "contains"):
        value = matcher.text(kind)
        if value is not None:
            return value if kind == "exact" else f"{kind}:{value}"
    return ""


def _chain(certificate: Message) -> Iterator[Pem]:
    yield from _source(certificate.message("certificate_chain"), "cert_chain")


def _trusted(validation: Message) -> Iterator[Pem]:
    """The roots of a validation context, and of the SPIFFE validator that SPIRE puts there."""
    yield from _source(validation.message("trusted_ca"), "trusted_ca")
    validator = validation.message("custom_validator_config")
    if validator.value:
        for domain in extension(validator)[1].messages("trust_domains"):
            yield from _source(domain.message("trust_bundle"), "trusted_ca")


def _source(source: Message, role: Role) -> Iterator[Pem]:
    for name in ("inline_bytes", "inline_string"):
        key, value = source.find(name)
        text = _decoded(value) if name == "inline_bytes" else value
        if isinstance(text, str) and _BEGIN in text:
            yield Pem(f"{source.pointer}/{key}", role, text)


def _decoded(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
