"""Certificates of every place: /certs, SDS secrets, root ConfigMaps, webhooks, ztunnel; one row a place."""

import base64
import binascii
from collections.abc import Iterable, Iterator

from meshforensics.formats import certs, kubernetes, x509
from meshforensics.formats.config_dump import ResourceStore, pems_of
from meshforensics.tables._declare import Column, Reading, Row, Table

_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_ROOT_CONFIG_MAP = "istio-ca-root-cert"


def _from_certs(reading: Reading) -> Iterator[Row]:
    """The summary has no certificates, so neither fingerprint nor key."""
    subject = reading.item.subject
    for index, context in enumerate(reading.decoded(certs.decode).certificates):
        for name, chain in (("ca_cert", context.ca_cert), ("cert_chain", context.cert_chain)):
            for depth, each in enumerate(chain):
                role = "root" if name == "ca_cert" else ("leaf" if depth == 0 else "intermediate")
                yield (
                    f"/certificates/{index}/{name}/{depth}",
                    subject,
                    f"certs:{each.path or '-'}",
                    role,
                    depth,
                    None,
                    None,
                    each.serial,
                    None,
                    None,
                    each.san,
                    each.valid_from,
                    each.expiration_time,
                    *(None,) * 5,
                )


def _from_dump(reading: Reading) -> Iterator[Row]:
    dump = reading.decoded(reading.shared(ResourceStore).decode)
    for placed in pems_of(dump):
        trusted = placed.role == "trusted_ca"
        yield from _rows(reading.item.subject, placed.place, placed.pointer, placed.text, trusted=trusted)


def _from_objects(reading: Reading) -> Iterable[Row] | None:
    """Root ConfigMaps and webhook CA bundles among Kubernetes objects; None where there are neither."""
    rows: list[Row] = []
    found = False
    for one in reading.decoded(kubernetes.decode):
        if one.kind == "ConfigMap" and one.name == _ROOT_CONFIG_MAP:
            found = True
            for key, text in kubernetes.mapping(one.body, "data").items():
                pointer = f"{one.pointer}/data/{_escape(str(key))}"
                rows += _rows(one.object, f"configmap:{one.namespace}/{one.name}", pointer, str(text), trusted=True)
        elif one.kind in _WEBHOOKS:
            found = True
            rows += _webhook(one)
    return rows if found else None


def _webhook(one: kubernetes.KubernetesObject) -> Iterator[Row]:
    hooks = one.body.get("webhooks")
    for index, hook in enumerate(hooks if isinstance(hooks, list) else []):
        client = hook.get("clientConfig") if isinstance(hook, dict) else None
        bundle = client.get("caBundle") if isinstance(client, dict) else None
        if isinstance(bundle, str) and bundle:
            pointer = f"{one.pointer}/webhooks/{index}/clientConfig/caBundle"
            yield from _rows(one.object, f"webhook:{hook.get('name')}", pointer, _unbase64(bundle), trusted=True)


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text).decode("ascii", "replace")
    except (binascii.Error, ValueError):
        return ""


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _rows(subject: str, place: str, pointer: str, text: str, *, trusted: bool) -> Iterator[Row]:
    for depth, each in enumerate(x509.certificates_of(text)[0]):
        yield (
            f"{pointer}#pem{each.number}",
            subject,
            place,
            "root" if trusted else _role(each, depth),
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
            each.subject_key_id,
            each.authority_key_id,
            each.pem,
        )


def _role(each: x509.Certificate, depth: int) -> str:
    """In a chain the first is the leaf; a self-issued CA in it is a root that was sent along."""
    if depth == 0 and not each.is_ca:
        return "leaf"
    return "root-in-chain" if each.is_ca and each.self_issued else "intermediate"


certificates = Table(
    id="certificates",
    about="Every certificate of every place, one row a place; /certs gives summaries without fingerprint.",
    of="pod",
    columns=(
        Column("subject_id", "category", about="Who holds it: namespace/pod, or the object.", source="item"),
        Column(
            "place",
            "category",
            about="What holds it: sds:ROOTCA, certs:<inline>, configmap:…, webhook:…",
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
        Column("key", "category", about="Key type and size.", source="PEM"),
        Column("signature_algorithm", "category", about="Algorithm of the signature.", source="PEM"),
        Column("subject_key_id", "str", about="Subject key identifier, hex.", source="PEM"),
        Column("authority_key_id", "str", about="Key identifier of the issuer, hex.", source="PEM"),
        Column("pem", "str", about="The certificate itself.", source="PEM"),
    ),
    reads={
        "envoy.config_dump": _from_dump,
        "envoy.certs": _from_certs,
        "kubernetes.*": _from_objects,
        "foreign.k8s-resources": _from_objects,
        "foreign.k8s-cluster-resources": _from_objects,
    },
)
