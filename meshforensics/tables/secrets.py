"""Secrets: which certificates and trust bundles proxies hold. Never a key."""

from collections.abc import Iterable

from meshforensics.formats.config_dump import Secret
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._xds import INSTANCE, RESOURCE, Held, distinct, instances


def _rows(reading: Reading) -> Iterable[Row] | None:
    found = distinct(reading, "secret")
    return None if found is None else map(_row, found)


def _row(held: Held) -> Row:
    secret = held.resource.record
    assert isinstance(secret, Secret)
    blocks = sum(pem.text.count("-----BEGIN CERTIFICATE-----") for pem in secret.pems)
    return (held.place, held.resource.id, secret.name, secret.type, blocks, secret.sans)


secrets = Table(
    id="secrets",
    about="Each distinct SDS secret that any proxy holds, once; the certificates are in their own table.",
    of="mesh",
    columns=(
        RESOURCE,
        Column("name", "category", about="Name of the secret.", source="name"),
        Column(
            "type",
            "category",
            about="tls_certificate or validation_context; missing for a secret that was not delivered.",
            source="the field of the secret that is there",
        ),
        Column(
            "certificates",
            "Int64",
            unit="certificates",
            about="Number of PEM blocks with a certificate in it.",
            source="certificate_chain, trusted_ca, trust_domains[].trust_bundle",
        ),
        Column("sans", "object", about="Names that it accepts in a peer, as tuple.", source="match_subject_alt_names"),
    ),
    reads={"envoy.config_dump": _rows},
)

secret_instances = Table(
    id="secret_instances",
    about="Which proxy holds which secret, and which it still waits for.",
    of="pod",
    columns=INSTANCE,
    reads={"envoy.config_dump": instances("secret")},
)
