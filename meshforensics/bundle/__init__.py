"""Bundles: evidence in a hashed, redacted BagIt bag that says what is missing and why."""

from meshforensics.bundle._manifest import SCHEMA
from meshforensics.bundle._reader import Bundle, is_bundle, open_bundle
from meshforensics.bundle._verify import Damage, verify
from meshforensics.bundle._writer import BundleWriter

__all__ = ["SCHEMA", "Bundle", "BundleWriter", "Damage", "is_bundle", "open_bundle", "verify"]
