import gzip
import os
from pathlib import Path

import pytest

from meshforensics.importers import _limits
from meshforensics.importers._source import open_source
from meshforensics.model import SourceError
from tests.importers.reports import tar, write, zipped


def _said(path: Path) -> dict[str, bytes]:
    source = open_source(str(path))
    return {member.name: source.read(member) for member in source.members}


def test_a_folder_an_archive_and_a_file_read_alike(tmp_path: Path) -> None:
    members = {"a/config_dump?include_eds": b"{}", "b": b"text"}

    assert _said(write(tmp_path / "folder", members)) == members
    assert _said(tar(tmp_path / "x.tgz", members, prefix="")) == members
    assert _said(zipped(tmp_path / "x.zip", members, prefix="")) == members
    assert _said(tmp_path / "folder" / "b") == {"b": b"text"}


def test_a_file_that_was_compressed_alone(tmp_path: Path) -> None:
    (tmp_path / "config_dump.json.gz").write_bytes(gzip.compress(b'{"configs": []}'))

    assert _said(tmp_path / "config_dump.json.gz") == {"config_dump.json": b'{"configs": []}'}


def test_archives_in_a_folder_are_unpacked_where_they_lie(tmp_path: Path) -> None:
    write(tmp_path / "mesh", {"notes.txt": b"n"})
    for when in ("before", "during"):
        (tmp_path / "mesh" / when).mkdir()
        tar(tmp_path / "mesh" / when / "bug-report.tar.gz", {"versions": when.encode()})

    assert _said(tmp_path / "mesh") == {
        "before/bug-report/bug-report/versions": b"before",
        "during/bug-report/bug-report/versions": b"during",
        "notes.txt": b"n",
    }


def test_damage_is_said_of_the_archive_that_has_it(tmp_path: Path) -> None:
    whole = tar(tmp_path / "x.tar", {"a": bytes(5000), "b": bytes(5000)}, prefix="", mode="w").read_bytes()
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "cut.tar").write_bytes(whole[:6000])

    source = open_source(str(tmp_path / "mesh"))

    assert list(source.damage) == ["cut"]
    assert [(member.name, member.cut) for member in source.members] == [("cut/a", False)]


def test_only_archives_say_when_members_were_made(tmp_path: Path) -> None:
    folder = open_source(str(write(tmp_path / "folder", {"a": b"x"})))
    archive = open_source(str(tar(tmp_path / "x.tar", {"a": b"x"}, mode="w")))

    assert [member.modified for member in folder.members] == [None]
    assert [str(member.modified) for member in archive.members] == ["2026-11-23 18:48:12+00:00"]


@pytest.mark.parametrize("directory", [False, True])
def test_a_link_that_leads_out_of_the_folder_is_refused_by_name(tmp_path: Path, directory: bool) -> None:
    (tmp_path / "secret").mkdir()
    write(tmp_path / "mesh", {"memory": b"{}"})
    (tmp_path / "mesh" / "out").symlink_to(tmp_path / "secret" if directory else tmp_path)

    with pytest.raises(SourceError, match="out is a link that leads out of the folder"):
        open_source(str(tmp_path / "mesh"))


def test_a_link_that_stays_inside_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "mesh", {"a/memory": b"{}"})
    (tmp_path / "mesh" / "again").symlink_to("a")
    (tmp_path / "mesh" / "loop").symlink_to(".")

    assert _said(tmp_path / "mesh") == {"a/memory": b"{}"}


def test_a_pipe_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "mesh", {"memory": b"{}"})
    os.mkfifo(tmp_path / "mesh" / "pipe")

    with pytest.raises(SourceError, match="pipe is a device or pipe"):
        open_source(str(tmp_path / "mesh"))
    with pytest.raises(SourceError, match="pipe is a device or pipe; save what it gives"):
        open_source(str(tmp_path / "mesh" / "pipe"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "LARGEST_MEMBER", 3)
    write(tmp_path / "mesh", {"memory": b"{  }"})

    with pytest.raises(SourceError, match="memory is larger than 3 bytes"):
        open_source(str(tmp_path / "mesh"))
    with pytest.raises(SourceError, match="memory is larger than 3 bytes"):
        open_source(str(tmp_path / "mesh" / "memory"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda _: None, "is not there", id="nothing"),
        pytest.param(lambda path: path.write_bytes(b""), "is empty: nothing was captured", id="empty-file"),
        pytest.param(lambda path: path.mkdir(), "is an empty folder", id="empty-folder"),
        pytest.param(lambda path: path.write_bytes(b"PK\x03\x04 no zip"), "without any readable file", id="no-zip"),
        pytest.param(lambda path: path.write_bytes(b"\x1f\x8b\x08"), "", id="three-bytes-of-gzip"),
    ],
)
def test_what_is_no_source_is_said_in_one_sentence(tmp_path: Path, make: object, said: str) -> None:
    assert callable(make)
    make(tmp_path / "x.tar.gz")

    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path / "x.tar.gz"))

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_no_file_system_takes() -> None:
    with pytest.raises(SourceError, match="is not there"):
        open_source("a\0b")


def test_names_in_latin_1_are_spelled_out(tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/caf\xe9.json"
    with open(place, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
        file.write(b"{}")

    assert _said(tmp_path) == {"caf\ufffd.json": b"{}"}


def test_a_source_may_be_a_file_url(tmp_path: Path) -> None:
    write(tmp_path / "mesh", {"a/memory": b"{}"})

    assert [member.name for member in open_source(f"file://{tmp_path}/mesh").members] == ["a/memory"]


def test_an_archive_inside_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    inner = tar(tmp_path / "inner.tar.gz", {"memory": b"{}"}).read_bytes()
    inmost = zipped(tmp_path / "in.zip", {"x.tar.gz": inner}).read_bytes()

    source = open_source(str(zipped(tmp_path / "x.zip", {"a.tar.gz": inner, "b.zip": inmost}, prefix="")))

    assert [member.name for member in source.members] == ["a/bug-report/memory", "b/bug-report/x.tar.gz"]


def test_archives_that_together_are_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "LARGEST_TOTAL", 5)
    (tmp_path / "mesh").mkdir()
    for name in ("a", "b"):
        tar(tmp_path / "mesh" / f"{name}.tar.gz", {"memory": b"{ }"})

    with pytest.raises(SourceError, match="would unpack to more than 5 bytes; refused as a bomb"):
        open_source(str(tmp_path / "mesh"))


def test_names_are_printable_whatever_the_file_system_holds(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9\n.json").write_bytes(b"{}")

    (member,) = open_source(str(tmp_path)).members

    assert member.name == "caf\ufffd\ufffd.json"
    assert open_source(str(tmp_path / "caf\udce9\n.json")).path.endswith("caf\ufffd\ufffd.json")
