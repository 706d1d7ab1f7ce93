"""The door of the room: sources in, one bundle out."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from meshforensics.bundle import open_bundle, verify
from meshforensics.importers import declared_importers, import_evidence, importer_of, open_source, recognise
from meshforensics.model import BundleError, SourceError, UsageError
from tests.importers.reports import LOG, PROXY, data, imported, report, tar, write


def test_every_importer_is_found_and_says_what_it_reads() -> None:
    said = declared_importers()

    assert list(said) == ["admin-files", "istioctl-bug-report"]
    assert all(each.about.endswith(".") for each in said.values())


def test_two_importers_that_recognise_one_source_are_an_error_that_names_both(tmp_path: Path) -> None:
    source = open_source(str(write(tmp_path, report())))
    one = declared_importers()["istioctl-bug-report"]

    with pytest.raises(SourceError, match="is recognised by also and istioctl-bug-report"):
        importer_of(source, {"a": replace(one, id="also"), "b": one})


def test_a_bundle_names_its_mesh_and_layout_and_is_whole(tmp_path: Path) -> None:
    lines: list[str] = []

    bundle = import_evidence([tar(tmp_path / "x.tar.gz", report())], str(tmp_path / "out"), progress=lines.append)

    assert (bundle.mesh, bundle.layout, str(bundle.at)) == (
        "lab",
        "istioctl-bug-report",
        "2026-11-23 18:48:12.500000+00:00",
    )
    assert verify(str(tmp_path / "out")) == []
    assert lines == [f"reading {tmp_path}/x.tar.gz"]


def test_directory_zip_and_memory_have_one_id(tmp_path: Path) -> None:
    source = tar(tmp_path / "x.tar.gz", {**report(), "note.txt": b"Bearer abcdefghijklmnop1234"})

    ids = {
        import_evidence([source], into).id
        for into in (str(tmp_path / "out"), str(tmp_path / "out.zip"), "memory://tests-importers/one-id")
    }

    assert len(ids) == 1
    assert zipfile.is_zipfile(tmp_path / "out.zip")


def test_where_the_source_lies_does_not_matter(tmp_path: Path) -> None:
    members = {name: payload for name, payload in report().items() if not name.endswith("certs")}
    for place in ("a", "b/c"):
        (tmp_path / place).mkdir(parents=True)
        import_evidence([tar(tmp_path / place / "x.tar.gz", members)], str(tmp_path / place / "out"))

    manifests = {(tmp_path / place / "out" / "manifest.json").read_bytes() for place in ("a", "b/c")}
    assert len(manifests) == 1
    assert str(tmp_path).encode() not in manifests.pop()


def test_several_sources_are_one_series(tmp_path: Path) -> None:
    first = tar(tmp_path / "1.tar.gz", report())
    second = tar(tmp_path / "2.tar.gz", {**report(), "bug-report.log": LOG.replace(b"T18", b"T19")})
    admin = write(tmp_path / "loose", {"shop/web-2/memory": data("admin-1.40/memory")})

    items = imported(first, second, admin)

    assert len([item for item in items if item.kind == "envoy.memory"]) == 3


def test_a_folder_of_bundles_is_those_bundles(tmp_path: Path) -> None:
    first = tar(tmp_path / "1.tar.gz", report())
    second = tar(tmp_path / "2.tar.gz", {**report(), "bug-report.log": LOG.replace(b"T18", b"T19")})
    for name, source in (("before", first), ("during", second)):
        import_evidence([source], str(tmp_path / "case" / name))
    (tmp_path / "case" / "truth.json").write_text("{}")

    assert imported(tmp_path / "case") == imported(first, second)


def test_the_same_report_twice_is_one(tmp_path: Path) -> None:
    first, again = tar(tmp_path / "1.tar.gz", report()), tar(tmp_path / "again.tar.gz", report(), prefix="")

    assert imported(first, again, first) == imported(first)


def test_two_halves_of_one_report_are_whole(tmp_path: Path) -> None:
    names = sorted(report())
    halves = [
        tar(tmp_path / f"{half}.tar.gz", {name: report()[name] for name in ["bug-report.log", *part]})
        for half, part in enumerate((names[1:12], names[12:]))
    ]

    assert {str(item.status) for item in imported(*halves)} == {"captured"}


def test_a_bundle_of_ours_is_a_source_and_changes_nothing(tmp_path: Path) -> None:
    import_evidence([tar(tmp_path / "x.tar.gz", report())], str(tmp_path / "bundle"))

    bundle = import_evidence([tmp_path / "bundle"], "memory://tests-importers/again")
    both = import_evidence([tmp_path / "bundle", tmp_path / "x.tar.gz"], "memory://tests-importers/both")

    assert bundle.id == both.id == open_bundle(str(tmp_path / "bundle")).id
    assert bundle.mesh == "lab"


def test_a_bundle_of_another_mesh_is_refused(tmp_path: Path) -> None:
    import_evidence([write(tmp_path / "a", report())], str(tmp_path / "bundle"))
    other = write(tmp_path / "b", {**report(), "cluster/cluster-context": b"prod https://10.9.9.9\n"})

    with pytest.raises(SourceError, match=r"bundle \(lab at https://10\.0\.0\.1:6443\) and .*b \(prod at"):
        imported(tmp_path / "bundle", other)


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        pytest.param("empty.tar.gz", b"", "is empty: nothing was captured into it", id="empty"),
        pytest.param("latin.json", b'{"caf\xe9": 1}', "is no evidence of a mesh", id="latin-1"),
        pytest.param("cut.json", b'{"configs": [', "can be used: envoy.config_dump is partial", id="cut"),
        pytest.param("error.txt", b"404 page not found", "404 page not found", id="error-text"),
        pytest.param("random.bin", bytes(range(256)), "binary, it begins", id="binary"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, name: str, payload: bytes, said: str) -> None:
    write(tmp_path, {name: payload})

    with pytest.raises(SourceError) as caught:
        imported(tmp_path / name)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_overwritten_and_nothing_is_written_of_a_refused_source(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good", report()), write(tmp_path / "bad", {"a.txt": b"x"})

    with pytest.raises(SourceError):
        import_evidence([good, bad], str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    import_evidence([good], str(tmp_path / "out"))
    with pytest.raises(BundleError, match="exists already"):
        import_evidence([good], str(tmp_path / "out"))


def test_no_source_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="no source given"):
        import_evidence([], "memory://tests-importers/none")


def test_a_source_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not there"):
        recognise(tmp_path / "nowhere")


def test_addresses_become_pseudonyms_where_asked(tmp_path: Path) -> None:
    source = write(tmp_path, {"bug-report.log": LOG, f"{PROXY}/listeners": b"a::10.1.2.3:80\n"})

    bundle = import_evidence([source], "memory://tests-importers/hosts", redact_hosts=True)

    (item,) = [item for item in bundle.items if item.kind == "envoy.listeners" and item.stored]
    assert b"10.1.2.3" not in bundle.read(item)


def test_pseudonyms_follow_the_evidence_or_the_key_that_is_given(tmp_path: Path) -> None:
    one = write(tmp_path / "a", {"bug-report.log": LOG, f"{PROXY}/listeners": b"a::10.1.2.3:80\n"})
    other = write(tmp_path / "b", {"bug-report.log": LOG + b"\n", f"{PROXY}/listeners": b"a::10.1.2.3:80\n"})

    def listeners(source: Path, key: bytes) -> bytes:
        into = f"memory://tests-importers/key-{source.name}-{len(key)}"
        bundle = import_evidence([source], into, redact_hosts=True, pseudonym_key=key)
        return next(bundle.read(item) for item in bundle.items if item.kind == "envoy.listeners" and item.stored)

    assert listeners(one, b"") != listeners(other, b"")
    assert listeners(one, b"key") == listeners(other, b"key")
