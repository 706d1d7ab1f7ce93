"""Zip archives; of a cut one, whose list of members is lost, what its members' own headers tell."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from meshforensics.importers._limits import refuse_large, refuse_many, safe_name
from meshforensics.importers._unpack import BROKEN, Unpacked
from meshforensics.model import SourceError

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL = struct.Struct("<4s5H3I2H")
_CHUNK = 64 * 1024
_ENCRYPTED, _SIZES_AFTER = 0x1, 0x8
_UNIX_TIME = 0x5455


def unpack_zip(path: str, place: Path | None = None) -> Unpacked:
    """Every file of the archive at `place`, which the user knows as `path`, on disk.

    Raises:
        SourceError: it is no archive, holds no file that can be read, is encrypted, or could do harm.
    """
    place = place or Path(path)
    unpacked = Unpacked(path, place.stat().st_size)
    try:
        with zipfile.ZipFile(place) as archive:
            refuse_many(path, len(archive.infolist()))
            for info in archive.infolist():
                if not info.is_dir():
                    _add(path, archive, info, unpacked)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        unpacked.damage = f"the archive ends early ({error})"
        _salvage(path, place, unpacked)
    if not unpacked.files:
        why = unpacked.damage or "it holds no file"
        raise SourceError(f"{path} is a zip archive without any readable file ({why}); copy it again")
    return unpacked


def _add(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, unpacked: Unpacked) -> None:
    name = safe_name(path, info.filename)
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in {0, stat.S_IFREG}:
        kind = "link" if mode == stat.S_IFLNK else "device or pipe"
        raise SourceError(f"{path}: member {name} is a {kind}; such archives are refused")
    _refuse_encrypted(path, name, info.flag_bits)
    refuse_large(path, name, info.file_size)
    try:
        with archive.open(info) as stream:
            unpacked.add(info.filename, stream, unix_time(info.extra))
    except (*BROKEN, NotImplementedError) as error:
        unpacked.damage = f"{name} cannot be unpacked ({error})"


def _refuse_encrypted(path: str, name: str, flags: int) -> None:
    if flags & _ENCRYPTED:
        raise SourceError(f"{path}: member {name} is encrypted; unpack the archive first and give the folder")


def unix_time(extra: bytes) -> datetime | None:
    """The time in UTC of a member, where it has one; the plain time of a zip is local to nobody knows where."""
    while len(extra) >= 4:
        field, length = struct.unpack_from("<2H", extra)
        if field == _UNIX_TIME and length >= 5 and len(extra) >= 9 and extra[4] & 1:
            return datetime.fromtimestamp(struct.unpack_from("<I", extra, 5)[0], UTC)
        extra = extra[4 + length :]
    return None


class _Header(NamedTuple):
    """A member as its own header tells it."""

    name: str
    flags: int
    method: int
    size: int
    modified: datetime | None


def _salvage(path: str, place: Path, unpacked: Unpacked) -> None:
    """Unpack member after member, until one is not whole."""
    if unpacked.files:
        return
    with place.open("rb") as file:
        for header in _headers(file):
            if header.name.endswith("/"):
                continue
            _refuse_encrypted(path, header.name, header.flags)
            stored = header.method == zipfile.ZIP_STORED
            if not stored and header.method != zipfile.ZIP_DEFLATED:
                return
            if stored and header.flags & _SIZES_AFTER:
                return  # its end cannot be known
            stream = _Stored(file, header.size) if stored else _Deflated(file)
            if not unpacked.add(header.name, stream, header.modified):
                return


def _headers(file: IO[bytes]) -> Iterator[_Header]:
    while len(head := file.read(_LOCAL.size)) == _LOCAL.size:
        magic, _, flags, method, _, _, _, packed, _, name_length, extra_length = _LOCAL.unpack(head)
        if magic != MAGICS[0]:
            return
        rest = file.read(name_length + extra_length)
        if len(rest) < name_length + extra_length:
            return  # cut inside the header: a part of the name is another name
        name = rest[:name_length].decode("utf-8" if flags & 0x800 else "cp437", "replace")
        start = file.tell()
        yield _Header(name, flags, method, packed, unix_time(rest[name_length:]))
        if flags & _SIZES_AFTER:
            _skip_sizes(file)
        else:
            file.seek(start + packed)


def _skip_sizes(file: IO[bytes]) -> None:
    """Go to the next header: after the sizes that follow a member."""
    start = file.tell()
    ahead = file.read(24)
    for length in (16, 12, 24, 20):
        if ahead[length : length + 2] == b"PK":
            file.seek(start + length)
            return
    file.seek(start + len(ahead))


class _Stored:
    """A member that is stored as it is."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int, /) -> bytes:
        chunk = self._file.read(min(size, self._left))
        if not chunk and self._left:
            raise EOFError("the archive ends")
        self._left -= len(chunk)
        return chunk


class _Deflated:
    """A member that is deflated; it tells itself where it ends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int, /) -> bytes:
        while not self._inflate.eof:
            ahead = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            if not ahead:
                raise EOFError("the archive ends")
            chunk = self._inflate.decompress(ahead, size)
            if self._inflate.eof:
                self._file.seek(-len(self._inflate.unused_data), 1)
            if chunk:
                return chunk
        return b""
