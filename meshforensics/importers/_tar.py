"""Tar archives, plain or compressed: read once from beginning to end, what is whole of a cut one too."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from meshforensics.importers._limits import LARGEST_HEADER, refuse_large, refuse_many, safe_name
from meshforensics.importers._unpack import BROKEN, Stream, Unpacked
from meshforensics.model import SourceError

_BLOCK = 512
_YEAR_3000 = 32503680000
_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


def compression(head: bytes) -> bytes:
    """The magic of the compression that a file begins with; empty for none."""
    return next((magic for magic in _OPENERS if head.startswith(magic)), b"")


def is_tar(head: bytes) -> bool:
    """Whether a plain tar begins so."""
    return head[257:262] == b"ustar"


def open_plain(path: Path) -> io.BufferedReader:
    """The file, decompressed on the way where it is compressed."""
    with path.open("rb") as file:
        magic = compression(file.read(8))
    return cast("io.BufferedReader", _OPENERS[magic](path)) if magic else path.open("rb")


def unpack_tar(path: str, place: Path | None = None) -> Unpacked:
    """Every file of the archive at `place`, which the user knows as `path`, on disk.

    Raises:
        SourceError: it is no archive, holds no file, or could do harm.
    """
    place = place or Path(path)
    unpacked = Unpacked(path, place.stat().st_size)
    with open_plain(place) as file:
        metered = _Metered(path, file)
        try:
            with tarfile.open(fileobj=metered, mode="r|") as archive:  # type: ignore[call-overload]
                _unpack(path, archive, metered, unpacked)
        except BROKEN as error:
            if not unpacked.files:
                raise SourceError(f"{path} is no whole archive ({error}); copy it again") from error
            unpacked.damage = unpacked.damage or f"the archive ends early ({error})"
    if not unpacked.files:
        raise SourceError(f"{path} is an archive without any file")
    if not unpacked.damage and (metered.cut or metered.tail.strip(b"\0")):
        unpacked.damage = f"the archive ends early ({metered.cut or 'no end mark'})"
    return unpacked


def _unpack(path: str, archive: tarfile.TarFile, metered: "_Metered", unpacked: Unpacked) -> None:
    for info in _entries(path, archive, metered):
        stream = _regular(path, archive, info)
        if stream is None:
            continue
        metered.allow(info.size)
        modified = datetime.fromtimestamp(info.mtime, UTC) if 0 < info.mtime < _YEAR_3000 else None
        if not unpacked.add(info.name, stream, modified):
            return


def _entries(path: str, archive: tarfile.TarFile, metered: "_Metered") -> Iterator[tarfile.TarInfo]:
    """Each member's header, none of which may be larger than a name and its attributes need."""
    metered.allow(LARGEST_HEADER)
    count = 0
    while (info := archive.next()) is not None:
        count += 1
        refuse_many(path, count)
        yield info
        metered.allow(LARGEST_HEADER)


class _Metered:
    """A file of which only so much may be read as was allowed: a header cannot unpack without end."""

    def __init__(self, path: str, file: io.BufferedReader) -> None:
        self.tail = b""
        self.cut = ""
        self._path = path
        self._file = file
        self._left = 0

    def allow(self, size: int) -> None:
        """Allow `size` bytes more, and what the tar reader reads ahead."""
        self._left = size + 2 * tarfile.RECORDSIZE

    def read(self, size: int) -> bytes:
        """The next bytes, none where the file is cut; `tail` keeps the last block of them."""
        if self._left < 0:
            raise SourceError(f"{self._path}: a header of more than {LARGEST_HEADER} bytes; refused as a bomb")
        try:
            chunk = self._file.read1(size)
        except BROKEN as error:
            self.cut = self.cut or str(error)
            return b""
        self._left -= len(chunk)
        self.tail = (self.tail + chunk)[-_BLOCK:]
        return chunk


def _regular(path: str, archive: tarfile.TarFile, info: tarfile.TarInfo) -> Stream | None:
    """The stream of a file member; None for a folder; anything else is refused by name."""
    if info.isdir():
        return None
    name = safe_name(path, info.name)
    if info.issym() or info.islnk():
        raise SourceError(f"{path}: member {name} is a link (to {info.linkname!r}); such archives are refused")
    if not info.isreg() or info.issparse():
        raise SourceError(f"{path}: member {name} is a device, a pipe or sparse; such archives are refused")
    refuse_large(path, name, info.size)
    return archive.extractfile(info)
