"""Hostile tars, each of its sort, and tars that were cut."""

import gzip
import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshforensics.importers import _limits, _tar
from meshforensics.importers._tar import unpack_tar
from meshforensics.model import SourceError
from tests.importers.reports import AT, tar


def _with(path: Path, info: tarfile.TarInfo, payload: bytes = b"") -> str:
    with tarfile.open(path, "w:gz") as archive:
        good = tarfile.TarInfo("bug-report/versions")
        archive.addfile(good)
        info.size = len(payload)
        archive.addfile(info, io.BytesIO(payload))
    return str(path)


def _info(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    ("info", "said"),
    [
        pytest.param(_info("../out", tarfile.REGTYPE), "member '../out' leads out of the archive", id="traversal"),
        pytest.param(_info("/etc/passwd", tarfile.REGTYPE), "member '/etc/passwd' leads out", id="absolute"),
        pytest.param(_info("a", tarfile.SYMTYPE, "/etc"), "member a is a link (to '/etc')", id="symlink"),
        pytest.param(_info("a", tarfile.SYMTYPE, "versions"), "member a is a link (to 'versions')", id="inner-symlink"),
        pytest.param(_info("a", tarfile.LNKTYPE, "../x"), "member a is a link (to '../x')", id="hard-link"),
        pytest.param(_info("a", tarfile.CHRTYPE), "member a is a device, a pipe or sparse", id="character-device"),
        pytest.param(_info("a", tarfile.BLKTYPE), "member a is a device, a pipe or sparse", id="block-device"),
        pytest.param(_info("a", tarfile.FIFOTYPE), "member a is a device, a pipe or sparse", id="pipe"),
        pytest.param(_info("./bug-report/versions", tarfile.REGTYPE), "two members are called bug-report/versions",
                     id="one-name-twice"),
    ],
)  # fmt: skip
def test_a_hostile_member_is_refused_by_name(tmp_path: Path, info: tarfile.TarInfo, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        unpack_tar(_with(tmp_path / "x.tar.gz", info))

    assert said in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["x.tar.gz"]


def test_a_member_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("core")
    info.size = 2 * 1024**3
    (tmp_path / "x.tar").write_bytes(info.tobuf() + b"\0" * 1024)

    with pytest.raises(SourceError, match="core is larger than"):
        unpack_tar(str(tmp_path / "x.tar"))


def test_a_bomb_of_one_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "ALWAYS_ALLOWED", 100_000)
    tar(tmp_path / "x.tar.gz", {"zeros": bytes(2_000_000)})

    with pytest.raises(SourceError, match="at bug-report/zeros\\); refused as a bomb"):
        unpack_tar(str(tmp_path / "x.tar.gz"))


def test_a_bomb_in_a_header_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tar, "LARGEST_HEADER", 10_000)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * 1_000_000}
        archive.addfile(info)

    with pytest.raises(SourceError, match="a header of more than 10000 bytes; refused as a bomb"):
        unpack_tar(str(tmp_path / "x.tar.gz"))


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "MOST_MEMBERS", 3)

    with pytest.raises(SourceError, match="more than 3 files"):
        unpack_tar(str(tar(tmp_path / "x.tar", {str(each): b"" for each in range(4)}, mode="w")))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_and_their_times(tmp_path: Path, mode: str) -> None:
    unpacked = unpack_tar(str(tar(tmp_path / "x.tar.any", {"a/memory": b"{}", "b": b"text"}, mode=mode)))

    said = [(member.name, member.size, member.modified, member.cut) for member in unpacked.files]
    at = datetime.fromtimestamp(AT, UTC)
    assert said == [("bug-report/a/memory", 2, at, False), ("bug-report/b", 4, at, False)]
    assert unpacked.damage == ""


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_wherever_a_tar_is_cut_what_is_whole_is_read(tmp_path: Path, mode: str, share: float) -> None:
    members = {f"m{each}": bytes(range(256)) * 20 * each for each in range(1, 6)}
    whole = tar(tmp_path / "whole", members, prefix="", mode=mode).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: int(len(whole) * share)])

    try:
        unpacked = unpack_tar(str(cut))
    except SourceError:
        return

    for member, place in unpacked.files.items():
        content = place.read_bytes()
        assert content == members[member.name] if not member.cut else members[member.name].startswith(content)
    if len(unpacked.files) < len(members):
        assert unpacked.damage


def test_a_damaged_byte_costs_what_comes_after(tmp_path: Path) -> None:
    path = tar(tmp_path / "x.tar.gz", {f"m{each}": bytes(range(256)) * 400 for each in range(9)}, prefix="")
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[110_000 : 110_000 + 2_000] = b"\xff" * 2_000
    path.write_bytes(gzip.compress(bytes(raw)))

    unpacked = unpack_tar(str(path))

    assert 1 <= len(unpacked.files) <= 9


def test_no_archive_and_an_archive_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "text.tar.gz").write_bytes(b"\x1f\x8b not at all")
    with pytest.raises(SourceError, match="no whole archive"):
        unpack_tar(str(tmp_path / "text.tar.gz"))

    with pytest.raises(SourceError, match="archive without any file"):
        unpack_tar(str(tar(tmp_path / "none.tar.gz", {})))
