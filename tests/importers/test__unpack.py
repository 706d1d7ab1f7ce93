import builtins
import gc
import io
from pathlib import Path

import pytest

from meshforensics.importers import _limits
from meshforensics.importers._unpack import Member, Unpacked
from meshforensics.model import SourceError


class _Breaks:
    """A stream that gives three bytes and then is at its end too early."""

    def __init__(self) -> None:
        self._chunks = [b"abc"]

    def read(self, _size: int, /) -> bytes:
        if self._chunks:
            return self._chunks.pop()
        raise EOFError("cut")


def test_a_member_lies_under_a_number() -> None:
    unpacked = Unpacked("x.tar", 100)

    assert unpacked.add("a/config_dump?include_eds", io.BytesIO(b"{}"), None)

    (member,) = unpacked.files
    assert member == Member(name="a/config_dump?include_eds", size=2)
    assert unpacked.files[member].name == "1"
    assert unpacked.files[member].read_bytes() == b"{}"


def test_a_cut_member_is_kept_as_far_as_it_goes() -> None:
    unpacked = Unpacked("x.tar", 100)

    assert not unpacked.add("a", _Breaks(), None)

    assert list(unpacked.files) == [Member(name="a", size=3, cut=True)]
    assert unpacked.damage == "the archive ends or is damaged inside a (cut)"


def test_two_members_of_one_name_are_refused() -> None:
    unpacked = Unpacked("x.tar", 100)
    unpacked.add("a/b", io.BytesIO(b""), None)

    with pytest.raises(SourceError, match="two members are called a/b"):
        unpacked.add("./a//b", io.BytesIO(b""), None)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "ALWAYS_ALLOWED", 1000)
    unpacked = Unpacked("x.tar", 1)
    unpacked.add("a", io.BytesIO(b"x" * 1000), None)

    with pytest.raises(SourceError, match="would unpack to more than 1000 bytes \\(at b\\)"):
        unpacked.add("b", io.BytesIO(b"x"), None)


def test_the_folder_goes_with_it() -> None:
    unpacked = Unpacked("x.tar", 1)
    unpacked.add("a", io.BytesIO(b"x"), None)
    place: Path = next(iter(unpacked.files.values()))

    del unpacked
    gc.collect()

    assert not place.parent.exists()


def test_a_full_disk_is_no_damage_of_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = Unpacked("x.tar", 100)
    monkeypatch.setattr(Path, "open", lambda *_: builtins.open("/dev/full", "wb"))  # noqa: PTH123, SIM115

    with pytest.raises(SourceError, match=r"cannot be unpacked into .*No space left"):
        unpacked.add("a", io.BytesIO(b"x" * 100_000), None)
