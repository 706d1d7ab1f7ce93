"""Certificates of every place: /certs, secrets of proxies, ConfigMaps, webhooks, ztunnel; one row a place."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from meshforensics.formats import certs, kubernetes, x509, ztunnel
from meshforensics.formats.config_dump import ResourceStore, pems_of
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import objects, reads

_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_KINDS = frozenset(("ConfigMap", "Secret", *_WEBHOOKS))
_OF_A_MESH = re.compile(
    r"istio-ca-root-cert|istio-ca-secret|cacerts|istio-ca-.*|linkerd-identity-.*|linkerd-.*-k8s-tls"
)
_TRUSTED_KEY = re.compile(r"(?:root-cert|ca-cert-root|ca-bundle|root|ca)(?:\.(?:pem|crt))?|cacert|trust-anchors.*")


class _Place(NamedTuple):
    """Where a text of PEM blocks stands, and whether what it holds is trusted there."""

    subject: str
    place: str
    pointer: str
    trusted: bool


def _from_certs(reading: Reading) -> Iterator[Row]:
    """The summary has no certificates, so neither fingerprint nor key."""
    for context in reading.decoded(certs.decode).contexts:
        for depth, each in enumerate(context.roots):
            yield _summary(reading.item.subject, each, "root", depth)
        for depth, each in enumerate(context.chain):
            yield _summary(reading.item.subject, each, "leaf" if depth == 0 else "intermediate", depth)


def _summary(subject: str, each: certs.Summary, role: str, depth: int) -> Row:
    place = f"certs:{each.path or '-'}"
    validity = (each.not_before, each.not_after)
    return (
        each.pointer,
        subject,
        place,
        role,
        depth,
        None,
        None,
        each.serial,
        None,
        None,
        each.san,
        *validity,
        *_NONE,
    )


def _from_dump(reading: Reading) -> Iterator[Row]:
    for placed in pems_of(reading.decoded(reading.shared(ResourceStore).decode)):
        place = _Place(reading.item.subject, placed.place, placed.pointer, placed.role == "trusted_ca")
        yield from _rows(place, placed.text)


def _from_ztunnel(reading: Reading) -> Iterator[Row]:
    """A ztunnel holds a chain for each identity of its node; without PEM, what it says itself."""
    for held in reading.decoded(ztunnel.decode).certificates:
        place = _Place(reading.item.subject, f"ztunnel:{held.identity}", held.pointer, held.part == "root")
        if held.pem:
            yield from _rows(place, held.pem, held.depth)
        else:
            role = "root" if place.trusted else ("leaf" if held.depth == 0 else "intermediate")
            said = (held.serial, None, None, (), held.not_before, held.not_after)
            yield (held.pointer, place.subject, place.place, role, held.depth, None, None, *said, *_NONE)


def _from_objects(reading: Reading) -> Iterable[Row] | None:
    """None where no object holds a certificate of the mesh: others say nothing about certificates."""
    asked = reading.item.subject
    return [row for one in objects(reading, _KINDS) or () for row in _object(one, asked)] or None


def _object(one: kubernetes.KubernetesObject, asked: str) -> Iterator[Row]:
    """Certificates of a webhook, of what a mesh made, and of a Secret that was asked for by name."""
    if one.kind in _WEBHOOKS:
        yield from _webhooks(one)
    elif _OF_A_MESH.fullmatch(one.name) or one.object == asked:
        for key, value in kubernetes.mapping(one.body, "data").items():
            text = _unbase64(value) if one.kind == "Secret" else value
            if isinstance(text, str):
                pointer = f"{one.pointer}/data/{_escape(str(key))}"
                name = f"{one.kind.lower()}:{one.namespace}/{one.name}"
                trusted = one.kind == "ConfigMap" or bool(_TRUSTED_KEY.fullmatch(str(key)))
                yield from _rows(_Place(one.object, name, pointer, trusted), text)


def _webhooks(one: kubernetes.KubernetesObject) -> Iterator[Row]:
    hooks = one.body.get("webhooks")
    for index, hook in enumerate(hooks if isinstance(hooks, list) else []):
        client = kubernetes.mapping(hook, "clientConfig") if isinstance(hook, dict) else {}
        pointer = f"{one.pointer}/webhooks/{index}/clientConfig/caBundle"
        place = _Place(one.object, f"webhook:{hook.get('name')}" if client else "", pointer, trusted=True)
        yield from _rows(place, _unbase64(client.get("caBundle")))


def _unbase64(value: Any) -> str:
    """The text; empty for what is none, such as a value that was redacted."""
    try:
        held = "".join(value.split()) if isinstance(value, str) else ""
        return base64.b64decode(held, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _rows(at: _Place, text: str, start: int = 0) -> Iterator[Row]:
    """A row per PEM block, in the order of the text; `start` is the depth of the first."""
    good, bad = x509.certificates_of(text)
    made: list[tuple[int, Row]] = [(each.number, _whole(at, each, depth)) for depth, each in enumerate(good, start)]
    made += [(each.number, _malformed(at, each)) for each in bad]
    for _, row in sorted(made, key=lambda numbered: numbered[0]):
        yield row


def _whole(at: _Place, each: x509.Certificate, depth: int) -> Row:
    return (
        f"{at.pointer}#pem{each.number}",
        at.subject,
        at.place,
        "root" if at.trusted else _role(each, depth),
        depth,
        each.fingerprint,
        each.spki,
        each.serial,
        each.subject,
        each.issuer,
        each.san,
        each.not_before,
        each.not_after,
        each.key,
        each.signature_algorithm,
        each.is_ca,
        each.key_usage,
        each.extended_key_usage,
        each.self_issued,
        each.subject_key_id,
        each.authority_key_id,
        each.pem,
        None,
    )


def _malformed(at: _Place, each: x509.Malformed) -> Row:
    nothing = (None,) * 7
    return (f"{at.pointer}#pem{each.number}", at.subject, at.place, *nothing, (), *(None,) * 11, each.reason)


def _role(each: x509.Certificate, depth: int) -> str:
    """In a chain the first is the leaf; a self-issued CA in it is a root that was sent along."""
    if depth == 0 and not each.is_ca:
        return "leaf"
    return "root-in-chain" if each.is_ca and each.self_issued else "intermediate"


_PEM_ONLY = (
    Column("key", "category", about="Key type and size.", source="PEM"),
    Column("signature_algorithm", "category", about="Algorithm of the signature.", source="PEM"),
    Column("is_ca", "boolean", about="May sign others.", source="basicConstraints"),
    Column("key_usage", "object", about="Usages it is limited to, as tuple; missing for no limit.", source="keyUsage"),
    Column(
        "extended_key_usage",
        "object",
        about="Purposes it is limited to, such as serverAuth, as tuple; missing for no limit.",
        source="extendedKeyUsage",
    ),
    Column("self_issued", "boolean", about="Subject and issuer are one name.", source="PEM"),
    Column("subject_key_id", "str", about="Subject key identifier, hex.", source="PEM"),
    Column("authority_key_id", "str", about="Key identifier of the issuer, hex.", source="PEM"),
    Column("pem", "str", about="The certificate itself.", source="PEM"),
    Column("error", "str", about="Why a block is no readable certificate; its row has nothing else.", source="PEM"),
)
_NONE: Row = (None,) * len(_PEM_ONLY)

certificates = Table(
    id="certificates",
    about="Every certificate of every place, one row a place; /certs gives summaries without fingerprint.",
    of="pod",
    columns=(
        Column("subject_id", "category", about="Who holds it: namespace/pod, or the object.", source="item"),
        Column(
            "place",
            "category",
            about="What holds it: sds:ROOTCA, certs:<inline>, configmap:…, secret:…, webhook:…, ztunnel:<identity>.",
            source="item",
        ),
        Column(
            "role",
            "category",
            about="leaf, intermediate, root (trusted there), root-in-chain (sent along).",
            source="place, basicConstraints",
        ),
        Column("depth", "Int64", about="Position in its chain, the leaf is 0.", source="order"),
        Column("fingerprint", "str", about="SHA-256 of the DER, hex.", source="PEM"),
        Column("spki", "str", about="SHA-256 of the SubjectPublicKeyInfo, hex: the key.", source="PEM"),
        Column("serial", "str", about="Serial, lower-case hex without colons.", source="PEM, or serial_number"),
        Column("subject", "str", about="Subject name, RFC 4514.", source="PEM"),
        Column("issuer", "str", about="Issuer name, RFC 4514.", source="PEM"),
        Column("san", "object", about="Subject alternative names.", source="PEM, or subject_alt_names"),
        Column("not_before", "datetime64[us, UTC]", about="Start of validity.", source="PEM, or valid_from"),
        Column("not_after", "datetime64[us, UTC]", about="End of validity.", source="PEM, or expiration_time"),
        *_PEM_ONLY,
    ),
    reads={
        "envoy.config_dump": _from_dump,
        "envoy.certs": _from_certs,
        "ztunnel.config_dump": _from_ztunnel,
        **reads(
            _from_objects,
            "kubernetes.configmaps",
            "kubernetes.secrets",
            "kubernetes.mutatingwebhookconfigurations*",
            "kubernetes.validatingwebhookconfigurations*",
            "foreign.k8s-resources",
            "foreign.k8s-cluster-resources",
        ),
    },
)
