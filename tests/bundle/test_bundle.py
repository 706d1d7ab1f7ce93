"""A bundle is the same evidence as a directory, a zip or in memory, and says what is missing."""

import json
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import bagit
import jsonschema
import pytest
import zstandard

from meshforensics.bundle import Bundle, BundleWriter, is_bundle, open_bundle, verify
from meshforensics.model import BundleError, Cause, Status
from tests.bundle.conftest import AT, BEFORE, Write, fill


def test_the_same_evidence_has_one_id_in_every_form(write: Write, tmp_path: Path) -> None:
    made = [write(str(tmp_path / "b")), write(str(tmp_path / "b.zip")), write(f"memory://test/{tmp_path.name}")]

    assert len({bundle.id for bundle in made}) == 1
    assert made[0].items == made[1].items == made[2].items
    assert all(verify(bundle.url) == [] for bundle in made)


def test_two_zips_of_the_same_evidence_are_equal_byte_for_byte(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "one.zip"))
    write(str(tmp_path / "two.zip"))

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_items_are_read_as_they_were_captured(write: Write, tmp_path: Path) -> None:
    bundle = write(str(tmp_path / "b.zip"))

    assert [(item.id, item.status, item.cause, _read(bundle, number)) for number, item in enumerate(bundle.items)] == [
        ("envoy.certs:shop/web-1@2026-11-23T18:47:41Z", Status.CAPTURED, None, b'{"certificates": []}\n'),
        ("envoy.certs:shop/web-1@2026-11-23T18:48:12.500000Z", Status.CAPTURED, None, b'{"certificates": [{}]}\n'),
        ("envoy.memory:shop/web-1@2026-11-23T18:48:12.500000Z", Status.FAILED, Cause.TIMEOUT, None),
        ("istiod.syncz:istio-system/istiod-1@unknown", Status.ABSENT, None, None),
        ("kubernetes.pods:-@2026-11-23T18:48:12.500000Z", Status.PARTIAL, Cause.TRUNCATED, b'{"items": ['),
        ("log.istio-proxy:shop/web-1@2026-11-23T18:48:12.500000Z", Status.CAPTURED, None, b"one\ntwo\n"),
    ]
    assert (bundle.at, bundle.window, bundle.mesh, bundle.layout) == (AT, (BEFORE, AT), "lab", "test")


def _read(bundle: Bundle, number: int) -> bytes | None:
    item = bundle.items[number]
    return bundle.read(item) if item.stored else None


def test_what_is_not_stored_cannot_be_read(write: Write, tmp_path: Path) -> None:
    bundle = write(str(tmp_path / "b"))
    absent = next(item for item in bundle.items if item.status is Status.FAILED)

    with pytest.raises(BundleError, match="timeout"):
        bundle.read(absent)


def test_it_is_a_bag_that_others_check(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))

    assert bagit.Bag(str(tmp_path / "b")).validate()
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--check", "--strict", manifest], cwd=tmp_path / "b", check=True)


def test_members_open_with_common_tools(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b.zip"))

    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        name = next(name for name in archive.namelist() if "istio-proxy" in name)
        (tmp_path / "log.zst").write_bytes(archive.read(name))
    said = subprocess.run(["zstd", "-dc", tmp_path / "log.zst"], capture_output=True, check=True)

    assert (name, said.stdout) == (
        "data/logs/shop/web-1/20261123T184812Z/istio-proxy.log.zst",
        b"one\ntwo\n",
    )


def test_the_manifest_has_its_schema(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    schema = json.loads(files("meshforensics.bundle").joinpath("schemas/bundle-1.schema.json").read_text())

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((tmp_path / "b/manifest.json").read_text()), schema)


def test_a_newer_schema_is_refused_with_a_sentence(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b"))
    manifest = tmp_path / "b/manifest.json"
    manifest.write_text(manifest.read_text().replace("bundle/1", "bundle/2"))

    with pytest.raises(BundleError, match="install a newer meshforensics"):
        open_bundle(str(tmp_path / "b"))


def test_nothing_is_overwritten(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path / "b.zip"))

    with pytest.raises(BundleError, match="exists already"):
        write(str(tmp_path / "b.zip"))


@pytest.mark.parametrize("text", ["", "no zip", "{}"])
def test_what_is_no_bundle_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.zip").write_text(text)

    assert not is_bundle(str(tmp_path / "b.zip"))
    with pytest.raises(BundleError, match=r"b\.zip"):
        open_bundle(str(tmp_path / "b.zip"))


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    assert not is_bundle(str(tmp_path))
    with pytest.raises(BundleError, match="neither manifest"):
        open_bundle(str(tmp_path))


def test_two_items_of_one_second_do_not_collide(tmp_path: Path) -> None:
    with BundleWriter(str(tmp_path / "b")) as writer:
        fill(writer, AT)
        writer.add("envoy.certs", "shop/web-1", b"{}", captured_at=AT.replace(microsecond=1), time_source="Date")
        bundle = writer.seal()

    assert len({item.path for item in bundle.items if item.stored}) == 5
    assert verify(bundle.url) == []


_KILLED = """
import sys, time
from meshforensics.bundle import BundleWriter
from tests.bundle.conftest import AT, fill
with BundleWriter(sys.argv[1]) as writer:
    writer.plan(("envoy.stats", "shop/web-9", at) for at in (AT, None))
    writer.plan([("envoy.certs", "shop/web-1", AT)])
    fill(writer, AT)
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_writer_that_is_killed_leaves_a_bundle_that_says_what_is_missing(tmp_path: Path) -> None:
    target = tmp_path / "b"
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(target)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
        writer.wait()
    with (target / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"item": {"kind": "cut')

    bundle = open_bundle(str(target))

    missing = [(item.kind, item.subject, item.cause) for item in bundle.items if item.status is Status.FAILED]
    assert missing.count(("envoy.stats", "shop/web-9", Cause.RESET)) == 2
    assert len(bundle.items) == 8
    assert [damage.member for damage in verify(str(target))] == ["tagmanifest-sha256.txt"]


def test_of_a_writer_that_was_stopped_each_member_is_verified(tmp_path: Path) -> None:
    writer = BundleWriter(str(tmp_path / "b"))
    items = [
        writer.add(kind, "shop/web-1", b"{}", captured_at=AT, time_source="Date")
        for kind in ("envoy.certs", "envoy.memory", "envoy.runtime")
    ]
    before = verify(str(tmp_path / "b"))
    (tmp_path / "b" / str(items[1].path)).write_bytes(zstandard.compress(b"[]"))

    after = verify(str(tmp_path / "b"))

    assert [damage.member for damage in before] == ["tagmanifest-sha256.txt"]
    assert [damage.member for damage in after] == ["tagmanifest-sha256.txt", items[1].path]


def test_no_two_members_differ_by_case_alone(tmp_path: Path) -> None:
    with BundleWriter(str(tmp_path / "b")) as writer:
        for kind in ("foreign.Notes", "foreign.notes"):
            writer.add(kind, "-", b"x", captured_at=AT, time_source="Date")
        bundle = writer.seal()

    assert len({(item.path or "").lower() for item in bundle.items}) == 2


def test_what_a_detail_quotes_is_redacted(tmp_path: Path) -> None:
    with BundleWriter(str(tmp_path / "b")) as writer:
        said = "it begins 'Bearer abcdefghijklmnop1234'"
        writer.miss("envoy.certs", "shop/web-1", status=Status.FAILED, cause=Cause.NOT_THE_FORM, detail=said)
        bundle = writer.seal()

    assert bundle.items[0].detail.startswith("it begins 'Bearer [redacted:bearer-token:")
    assert b"abcdefghijklmnop" not in (tmp_path / "b/manifest.json").read_bytes()


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_survives_writing(tmp_path: Path, cause: Cause) -> None:
    with BundleWriter(str(tmp_path / "b")) as writer:
        for status in (Status.PARTIAL, Status.FAILED, Status.SKIPPED):
            writer.miss("envoy.certs", "shop/web-1", status=status, cause=cause)
        writer.seal()
    schema = json.loads(files("meshforensics.bundle").joinpath("schemas/bundle-1.schema.json").read_text())

    jsonschema.validate(json.loads((tmp_path / "b/manifest.json").read_text()), schema)
    assert {(item.status, item.cause) for item in open_bundle(str(tmp_path / "b")).items} == {
        (Status.PARTIAL, cause),
        (Status.FAILED, cause),
        (Status.SKIPPED, cause),
    }
