"""Hostile zips, each of its sort, and zips that were cut."""

import io
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from meshforensics.importers import _limits
from meshforensics.importers._zip import unix_time, unpack_zip
from meshforensics.model import SourceError
from tests.importers.reports import AT, zipped


def _with(path: Path, info: zipfile.ZipInfo, payload: bytes = b"x") -> str:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bug-report/versions", b"")
        archive.writestr(info, payload)
    return str(path)


def _info(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


@pytest.mark.parametrize(
    ("info", "said"),
    [
        pytest.param(_info("../out"), "member '../out' leads out of the archive", id="traversal"),
        pytest.param(_info("/etc/passwd"), "member '/etc/passwd' leads out", id="absolute"),
        pytest.param(_info("a", 0o120777), "member a is a link", id="symlink"),
        pytest.param(_info("a", 0o010644), "member a is a device or pipe", id="pipe"),
        pytest.param(_info("./bug-report/versions"), "two members are called bug-report/versions", id="one-name-twice"),
    ],
)
def test_a_hostile_member_is_refused_by_name(tmp_path: Path, info: zipfile.ZipInfo, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        unpack_zip(_with(tmp_path / "x.zip", info))

    assert said in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["x.zip"]


def test_an_encrypted_member_is_refused_with_the_cure(tmp_path: Path) -> None:
    raw = bytearray(zipped(tmp_path / "x.zip", {"memory": b"{}"}, prefix="").read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(bytes(raw))

    with pytest.raises(SourceError, match="member memory is encrypted; unpack the archive first and give the folder"):
        unpack_zip(str(tmp_path / "x.zip"))


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "ALWAYS_ALLOWED", 100_000)

    with pytest.raises(SourceError, match="at bug-report/zeros\\); refused as a bomb"):
        unpack_zip(str(zipped(tmp_path / "x.zip", {"zeros": bytes(2_000_000)})))


def test_a_member_that_says_less_than_it_unpacks_to_is_cut(tmp_path: Path) -> None:
    raw = zipped(tmp_path / "x.zip", {"a": b"y" * 5000, "b": b"fine"}, prefix="").read_bytes()
    (tmp_path / "x.zip").write_bytes(raw.replace(struct.pack("<I", 5000), struct.pack("<I", 50)))

    unpacked = unpack_zip(str(tmp_path / "x.zip"))

    assert [(member.name, member.size <= 50, member.cut) for member in unpacked.files][-1] == ("b", True, False)
    assert unpacked.damage


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), streamed=st.booleans(), stored=st.booleans())
@example(share=0.508991471986567, streamed=False, stored=False)  # cut inside a name
def test_wherever_a_zip_is_cut_what_is_whole_is_read(
    tmp_path: Path, share: float, streamed: bool, stored: bool
) -> None:
    members = {f"m{each}": bytes(range(256)) * 20 * each for each in range(1, 6)}
    file = _Streamed() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, payload in members.items():
            archive.writestr(name, payload)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(file.getvalue()[: int(len(file.getvalue()) * share)])

    try:
        unpacked = unpack_zip(str(cut))
    except SourceError:
        return

    for member, place in unpacked.files.items():
        content = place.read_bytes()
        assert content == members[member.name] if not member.cut else members[member.name].startswith(content)
    if len(unpacked.files) < len(members):
        assert unpacked.damage


class _Streamed(io.BytesIO):
    """A file in which nothing can be sought: sizes come after the members."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def test_a_zip_that_is_cut_inside_a_name_has_no_member_of_half_a_name(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("certs", b"first")
        archive.writestr("clusters", b"second")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(file.getvalue()[: file.getvalue().index(b"clusters") + 4])

    unpacked = unpack_zip(str(cut))

    assert [member.name for member in unpacked.files] == ["certs"]
    assert unpacked.damage


def test_of_a_cut_zip_the_first_members_are_read(tmp_path: Path) -> None:
    raw = zipped(tmp_path / "x.zip", {"a": b"first" * 99, "b": b"second" * 99}, prefix="").read_bytes()
    (tmp_path / "x.zip").write_bytes(raw[: raw.index(b"PK\x01\x02") + 10])

    unpacked = unpack_zip(str(tmp_path / "x.zip"))

    assert [(member.name, place.read_bytes()) for member, place in unpacked.files.items()] == [
        ("a", b"first" * 99),
        ("b", b"second" * 99),
    ]
    assert unpacked.damage.startswith("the archive ends early")


def test_only_a_time_in_utc_counts() -> None:
    field = struct.pack("<HHBI", 0x5455, 5, 1, AT)

    assert unix_time(b"") is None
    assert unix_time(struct.pack("<HH", 1, 2) + b"ab" + field) == datetime.fromtimestamp(AT, UTC)
    assert unix_time(field[:-1]) is None
