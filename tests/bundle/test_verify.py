"""verify names every member that is not as it was sealed."""

import zipfile
from pathlib import Path

import pytest

from meshforensics.bundle import Damage, open_bundle, verify
from meshforensics.model import BundleError
from tests.bundle.conftest import Write

LOG = "data/logs/shop/web-1/20261123T184812Z/istio-proxy.log.zst"


def test_a_flipped_byte_costs_one_member(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    content = bytearray((tmp_path / "b" / LOG).read_bytes())
    content[-3] ^= 1
    (tmp_path / "b" / LOG).write_bytes(content)

    bundle = open_bundle(str(tmp_path / "b"))
    readable = [item.kind for item in bundle.items if item.stored and item.path != LOG and bundle.read(item)]

    assert verify(str(tmp_path / "b")) == [Damage(member=LOG, problem="damaged: SHA-256 differs")]
    assert readable == ["envoy.certs", "envoy.certs", "kubernetes.pods"]
    with pytest.raises(BundleError, match=r"istio-proxy\.log"):
        bundle.read(next(item for item in bundle.items if item.path == LOG))


def test_a_flipped_byte_in_a_zip_costs_one_member(write: Write, tmp_path: Path) -> None:
    sealed = tmp_path / "b.zip"
    write(str(sealed))
    with zipfile.ZipFile(sealed) as archive:
        at = archive.getinfo(LOG).header_offset + 30 + len(LOG) + 5
    content = bytearray(sealed.read_bytes())
    content[at] ^= 1
    sealed.write_bytes(content)

    assert [damage.member for damage in verify(str(sealed))] == [LOG]


def test_missing_and_unexpected_members_are_named(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    (tmp_path / "b" / LOG).unlink()
    (tmp_path / "b/data/stray.txt").write_text("hello")

    assert verify(str(tmp_path / "b")) == [
        Damage(member=LOG, problem="missing"),
        Damage(member="data/stray.txt", problem="is not part of the bundle"),
    ]


def test_a_changed_manifest_is_named(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    manifest = tmp_path / "b/manifest.json"
    manifest.write_text(manifest.read_text().replace('"lab"', '"bal"'))

    assert [damage.member for damage in verify(str(tmp_path / "b"))] == ["manifest.json"]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_a_cut_zip_is_refused_by_its_name(write: Write, tmp_path: Path, keep: float) -> None:
    sealed = tmp_path / "b.zip"
    write(str(sealed))
    content = sealed.read_bytes()
    sealed.write_bytes(content[: int(len(content) * keep)])

    with pytest.raises(BundleError, match=r"b\.zip is no whole zip"):
        verify(str(sealed))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "data\\evil"])
def test_a_zip_with_a_hostile_name_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr(zipfile.ZipInfo(name), "x")

    with pytest.raises(BundleError, match="no bundle has"):
        open_bundle(str(tmp_path / "b.zip"))
