"""verify names every member that is not as it was sealed."""

import zipfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from meshforensics.bundle import Damage, is_bundle, open_bundle, verify
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


def _reseal(folder: Path) -> None:
    """Make the sums hold again, as one who changes a bundle on purpose would."""
    for manifest, names in (
        ("manifest-sha256.txt", sorted((folder / "data").rglob("*.*"))),
        ("tagmanifest-sha256.txt", sorted(folder.glob("[bm]*"))),
    ):
        files = [path for path in names if path.is_file()]
        lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
        (folder / manifest).write_text("".join(lines))


@pytest.mark.parametrize("gone", ["tagmanifest-sha256.txt", "manifest-sha256.txt", "manifest.json", "bagit.txt"])
def test_a_tag_file_that_is_gone_is_named_alone(write: Write, tmp_path: Path, gone: str) -> None:
    write(str(tmp_path / "b"))
    (tmp_path / "b" / gone).unlink()

    assert is_bundle(str(tmp_path / "b"))
    assert verify(str(tmp_path / "b")) == [Damage(member=gone, problem="missing")]


def test_a_damaged_list_of_sums_is_named(write: Write, tmp_path: Path) -> None:
    sealed = tmp_path / "b.zip"
    write(str(sealed))
    content = sealed.read_bytes()
    for name in (b"manifest-sha256.txt", b"tagmanifest-sha256.txt"):
        damaged = bytearray(content)
        damaged[content.index(name) + len(name) + 70] ^= 1
        sealed.write_bytes(damaged)

        assert name.decode() in [damage.member for damage in verify(str(sealed))]


def test_a_change_that_was_sealed_again_is_named(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    manifest = tmp_path / "b/manifest.json"
    manifest.write_text(manifest.read_text().replace('"failed"', '"absent"'))
    (tmp_path / "b" / LOG).write_bytes(zstandard.compress(b"another\n"))
    _reseal(tmp_path / "b")

    assert [damage.member for damage in verify(str(tmp_path / "b"))] == [LOG, "manifest.json"]


def test_an_item_whose_member_the_bag_does_not_know_is_named(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    (tmp_path / "b" / LOG).unlink()
    _reseal(tmp_path / "b")

    assert verify(str(tmp_path / "b")) == [Damage(member=LOG, problem="missing")]


def test_a_manifest_that_leads_out_of_the_bundle_is_not_followed(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    (tmp_path / "out.zst").write_bytes(zstandard.compress(b"one\ntwo\n"))
    manifest = tmp_path / "b/manifest.json"
    manifest.write_text(manifest.read_text().replace(LOG, "data/../../out.zst"))

    bundle = open_bundle(str(tmp_path / "b"))

    with pytest.raises(BundleError, match="has a name that no bundle has"):
        bundle.read(next(item for item in bundle.items if item.kind == "log.istio-proxy"))


@pytest.mark.parametrize(
    ("said", "instead"),
    [('"failed"', '"lost"'), ('"2026-11-23T18:47:41Z"', '"noon"'), ('"timeout"', "null"), ('"items"', '"itemz"')],
)
def test_a_damaged_list_of_items_is_one_sentence(write: Write, tmp_path: Path, said: str, instead: str) -> None:
    write(str(tmp_path / "b"))
    manifest = tmp_path / "b/manifest.json"
    manifest.write_text(manifest.read_text().replace(said, instead))

    with pytest.raises(BundleError, match=f"{tmp_path}/b: .* is damaged"):
        open_bundle(str(tmp_path / "b"))


def test_of_a_damaged_zip_nothing_but_our_error_is_raised(write: Write, tmp_path: Path) -> None:
    sealed = tmp_path / "b.zip"
    write(str(sealed))
    content = sealed.read_bytes()
    for at in range(7, len(content), 41):
        damaged = bytearray(content)
        damaged[at] ^= 0x10
        sealed.write_bytes(damaged)
        with suppress(BundleError):
            verify(str(sealed))
        with suppress(BundleError):
            open_bundle(str(sealed))
