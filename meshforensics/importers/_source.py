"""A source of evidence as a safe, read-only list of members: a folder, an archive, or one file.

Nothing of an archive is ever written under a name that the archive chose. What could do harm (a path that
leaves the archive, a link, a device, two members of one name, a bomb) is refused by name.
"""

import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from meshforensics.model import SourceError

LARGEST_MEMBER = 1024**3
"""No member may be larger, unpacked, in bytes."""
LARGEST_TOTAL = 8 * 1024**3
"""All members together may not be larger, unpacked, in bytes."""
LARGEST_RATIO = 1000
"""No archive may unpack to more than so many times its size (over 256 MiB); evidence reaches about 100."""
MOST_MEMBERS = 200_000
"""No source may have more members."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a source.

    Attributes:
        name: path inside the source, with ``/``; never absolute, never with ``..``.
        modified: from the archive; None for extracted folders, whose times say nothing of the capture.
        cut: the archive ended inside this member.
    """

    name: str
    size: int
    modified: datetime | None = None
    cut: bool = False


class Source:
    """Members of one source and their bytes.

    Attributes:
        path: what the user named.
        members: every file, sorted by name.
        damage: what is wrong with the archive as a whole; empty when nothing is.
    """

    def __init__(self, path: str, files: dict[Member, Path], *, damage: str = "", keep: object = None) -> None:
        self.path = path
        self.members = tuple(sorted(files, key=lambda member: member.name))
        self.damage = damage
        self._files = files
        self._keep = keep

    def read(self, member: Member) -> bytes:
        """The bytes of a member.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            return self._files[member].read_bytes()
        except OSError as error:
            raise SourceError(f"{self.path}: {member.name} cannot be read: {error.strerror or error}") from error


def open_source(path: str) -> Source:
    """Open a folder, a ``.tar``, ``.tar.gz`` or ``.zip``, or one file.

    Raises:
        SourceError: it is not there, is empty, cannot be read, or could do harm.
    """
    place = Path(path)
    if not place.exists():
        raise SourceError(f"{path} is not there; give a bundle, a bug-report or an admin file")
    if place.is_dir():
        return _folder(path, place)
    if not place.is_file():
        raise SourceError(f"{path} is neither a file nor a folder")
    if place.stat().st_size == 0:
        raise SourceError(f"{path} is empty: nothing was captured into it")
    with place.open("rb") as file:
        head = file.read(512)
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return _zip(path)
    if head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar" or head[:3] == b"BZh" or head[:6] == b"\xfd7zXZ\x00":
        return _tar(path)
    _refuse_large(path, place.name, place.stat().st_size)
    member = Member(name=place.name, size=place.stat().st_size)
    return Source(path, {member: place})


def _folder(path: str, place: Path) -> Source:
    files: dict[Member, Path] = {}
    for folder, _, names in os.walk(place, followlinks=False):
        for name in names:
            file = Path(folder) / name
            about = file.lstat()
            if stat.S_ISLNK(about.st_mode):
                if not file.resolve().is_relative_to(place.resolve()):
                    raise SourceError(f"{path}: {file.relative_to(place)} is a link that leads out of the folder")
                continue
            if not stat.S_ISREG(about.st_mode):
                raise SourceError(f"{path}: {file.relative_to(place)} is a device or pipe, not a file")
            relative = file.relative_to(place).as_posix()
            _refuse_large(path, relative, about.st_size)
            files[Member(name=relative, size=about.st_size)] = file
            _refuse_many(path, len(files))
    if not files:
        raise SourceError(f"{path} is an empty folder: nothing was captured into it")
    return Source(path, files)


class _Unpacked:
    """A folder for unpacked members, under numbers, so that no archive chooses a path."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.files: dict[Member, Path] = {}
        self.keep = tempfile.TemporaryDirectory(prefix="meshforensics-")
        self._names: set[str] = set()
        self._total = 0
        self._most = min(LARGEST_TOTAL, max(256 * 1024**2, LARGEST_RATIO * Path(path).stat().st_size))

    def add(self, name: str, stream: IO[bytes], modified: datetime | None) -> bool:
        """Unpack one member; False when the archive ended inside it."""
        safe = _safe_name(self.path, name)
        if safe in self._names:
            raise SourceError(f"{self.path}: two members are called {safe}")
        self._names.add(safe)
        _refuse_many(self.path, len(self._names))
        target = Path(self.keep.name) / str(len(self._names))
        size, whole = self._copy(safe, stream, target)
        self.files[Member(name=safe, size=size, modified=modified, cut=not whole)] = target
        return whole

    def _copy(self, name: str, stream: IO[bytes], target: Path) -> tuple[int, bool]:
        size = 0
        with target.open("wb") as file:
            while True:
                try:
                    chunk = stream.read(_CHUNK)
                except (EOFError, tarfile.TarError, zlib.error, lzma.LZMAError, OSError, zipfile.BadZipFile):
                    return size, False
                if not chunk:
                    return size, True
                size += len(chunk)
                self._total += len(chunk)
                _refuse_large(self.path, name, size)
                if self._total > self._most:
                    raise SourceError(f"{self.path} unpacks to more than {self._most} bytes (at {name}); refused")
                file.write(chunk)


def _tar(path: str) -> Source:
    unpacked = _Unpacked(path)
    damage = ""
    try:
        with tarfile.open(path, "r|*") as archive:
            for info in _entries(archive):
                stream = _regular(path, archive, info)
                modified = datetime.fromtimestamp(info.mtime, UTC) if 0 < info.mtime < 32503680000 else None
                if stream is not None and not unpacked.add(info.name, stream, modified):
                    damage = f"the archive ends inside {info.name}"
                    break
    except _Cut as error:
        damage = str(error)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if not unpacked.files:
            raise SourceError(f"{path} is no readable archive: {error}") from error
        damage = f"the archive ends early: {error}"
    if not unpacked.files:
        raise SourceError(f"{path} is an archive without any file" + (f" ({damage})" if damage else ""))
    return Source(path, unpacked.files, damage=damage, keep=unpacked.keep)


class _Cut(Exception):  # noqa: N818 - control flow of this module
    """The archive ended between two members."""


def _entries(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while True:
        try:
            info = archive.next()
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise _Cut(f"the archive ends early: {error}") from error
        if info is None:
            return
        yield info


def _regular(path: str, archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes] | None:
    """The stream of a file member; None for a folder; anything else is refused by name."""
    _safe_name(path, info.name)
    if info.isdir():
        return None
    if info.issym() or info.islnk():
        raise SourceError(f"{path}: member {info.name} is a link (to {info.linkname}); such archives are refused")
    if not info.isreg():
        raise SourceError(f"{path}: member {info.name} is a device or pipe; such archives are refused")
    _refuse_large(path, info.name, info.size)
    return archive.extractfile(info)


def _zip(path: str) -> Source:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{path} is no whole zip archive ({error}); copy it again") from error
    unpacked = _Unpacked(path)
    damage = ""
    with archive:
        for info in archive.infolist():
            _safe_name(path, info.filename)
            if info.is_dir():
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                raise SourceError(f"{path}: member {info.filename} is a link; such archives are refused")
            if info.flag_bits & 1:
                raise SourceError(f"{path}: member {info.filename} is encrypted; unpack it first")
            _refuse_large(path, info.filename, info.file_size)
            try:
                with archive.open(info) as stream:
                    whole = unpacked.add(info.filename, stream, datetime(*info.date_time, tzinfo=UTC))
            except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
                damage = f"member {info.filename} cannot be unpacked: {error}"
                continue
            damage = damage if whole else f"member {info.filename} is damaged"
    if not unpacked.files:
        raise SourceError(f"{path} is an archive without any readable file" + (f" ({damage})" if damage else ""))
    return Source(path, unpacked.files, damage=damage, keep=unpacked.keep)


def _safe_name(path: str, name: str) -> str:
    """`name` as a clean relative path.

    Raises:
        SourceError: it leads out of the archive.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or "\\" in name or ".." in parts or (len(name) > 1 and name[1] == ":"):
        raise SourceError(f"{path}: member {name!r} leads out of the archive; such archives are refused")
    return "/".join(parts)


def _refuse_large(path: str, name: str, size: int) -> None:
    if size > LARGEST_MEMBER:
        raise SourceError(f"{path}: {name} is larger than {LARGEST_MEMBER} bytes; refused")


def _refuse_many(path: str, count: int) -> None:
    if count > MOST_MEMBERS:
        raise SourceError(f"{path} has more than {MOST_MEMBERS} files; refused")
