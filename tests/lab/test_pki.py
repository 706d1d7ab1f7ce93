"""Roots sign leaves that verify under them, and not under another root of the same name."""

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from meshforensics.lab._pki import authority, sign
from meshforensics.model import now


def test_a_leaf_verifies_under_its_root_alone() -> None:
    at = now()
    root, other = authority("acme", at), authority("acme", at)
    leaf = x509.load_pem_x509_certificate(sign(root, "spiffe://acme/ns/a/sa/b", at).chain.encode())

    leaf.verify_directly_issued_by(root.certificate)
    with pytest.raises(InvalidSignature):
        leaf.verify_directly_issued_by(other.certificate)


def test_a_leaf_ends_when_it_is_told_to() -> None:
    at = now().replace(microsecond=0)
    leaf = sign(authority("acme", at), "spiffe://acme/ns/a/sa/b", at, ends=at)

    assert x509.load_pem_x509_certificate(leaf.chain.encode()).not_valid_after_utc == at
