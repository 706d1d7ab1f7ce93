"""Secrets: names and types, never a key."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_secrets_have_no_key_material(upgrade: Investigation) -> None:
    secrets = upgrade.frame("secrets")

    assert {*cells(secrets, "name", "type", "certificates")} == {
        ("default", "tls_certificate", 1),
        ("ROOTCA", "validation_context", 1),
    }
    assert "PRIVATE KEY" not in secrets.to_csv()


def test_secret_instances(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("secret_instances"), "name", "state", pod="web-v1-zbgtfcww9-9ns8s") == [
        ("default", "active"),
        ("ROOTCA", "active"),
    ]
