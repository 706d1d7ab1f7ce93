"""The mesh configuration, as istiod's ``/debug/mesh`` prints it or the ``istio`` ConfigMap holds it.

Source: Istio mesh/v1alpha1/config.proto.
"""

from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._yaml import documents
from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.model import NotTheFormError

_WHAT = "a mesh configuration"
_TELLING = {
    "accessLogFile",
    "defaultConfig",
    "enableAutoMtls",
    "enablePrometheusMerge",
    "outboundTrafficPolicy",
    "rootNamespace",
    "trustDomain",
}


class MeshConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What diagnosis reads of the mesh configuration; `body` is the whole of it.

    Attributes:
        root_namespace: of istiod; None where it is the default, ``istio-system``.
        trust_domain_aliases: identities that count as of this mesh too.
        access_log_format: None for the default format.
        outbound_policy: ``ALLOW_ANY`` or ``REGISTRY_ONLY``.
        provider_names: of extension providers, in order.
    """

    root_namespace: str | None
    trust_domain: str | None
    trust_domain_aliases: tuple[str, ...]
    access_log_file: str | None
    access_log_format: str | None
    access_log_encoding: str | None
    outbound_policy: str | None
    auto_mtls: bool | None
    provider_names: tuple[str, ...]
    pointer: str
    body: dict[str, Any]


def decode(payload: bytes) -> MeshConfig:
    """Read a mesh configuration, in JSON or YAML.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it has none of the fields that every mesh configuration has.
    """
    if payload.lstrip()[:1] == b"{":
        said = decode_json(payload, what=_WHAT)
    else:
        said = next(documents(payload, what=_WHAT), None)
    if not isinstance(said, dict) or _TELLING.isdisjoint(said):
        raise NotTheFormError(f"not {_WHAT}: none of the fields of one, such as rootNamespace")
    return read_mesh(said, "")


def read_mesh(said: dict[str, Any], pointer: str) -> MeshConfig:
    """The mesh configuration that a mapping is."""
    auto = said.get("enableAutoMtls")
    return MeshConfig(
        root_namespace=text(said, "rootNamespace"),
        trust_domain=text(said, "trustDomain"),
        trust_domain_aliases=_texts(said.get("trustDomainAliases")),
        access_log_file=text(said, "accessLogFile"),
        access_log_format=text(said, "accessLogFormat"),
        access_log_encoding=text(said, "accessLogEncoding"),
        outbound_policy=text(mapping(said, "outboundTrafficPolicy"), "mode"),
        auto_mtls=auto if isinstance(auto, bool) else None,
        provider_names=_texts([provider.get("name") for provider in members(said, "extensionProviders")]),
        pointer=pointer,
        body=said,
    )


def _texts(values: object) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
