"""Members of an archive on disk, under numbers, so that no archive chooses a path."""

import lzma
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from meshforensics.importers._limits import most_unpacked, refuse_large, refuse_many, safe_name
from meshforensics.model import SourceError

_CHUNK = 16 * 1024
"""Bytes read at once: of a cut member so many may be lost."""
BROKEN = (EOFError, OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What the readers of archives raise where an archive is cut or damaged."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a source.

    Attributes:
        name: path inside the source, with ``/``; never absolute, never with ``..``.
        size: bytes, unpacked.
        modified: from the archive; None for extracted folders, whose times say nothing of the capture.
        cut: the archive ended, or is damaged, inside this member.
    """

    name: str
    size: int
    modified: datetime | None = None
    cut: bool = False


class Stream(Protocol):
    """What gives the bytes of a member."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class Unpacked:
    """The members of one archive in a folder of their own, which goes when this goes.

    Attributes:
        path: what the user named, for messages.
        files: where each member is.
        damage: what is wrong with the archive; empty when nothing is.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.files: dict[Member, Path] = {}
        self.damage = ""
        self._folder = Path(tempfile.mkdtemp(prefix="meshforensics-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._names: set[str] = set()
        self._total = 0
        self._most = most_unpacked(size)

    def add(self, name: str, stream: Stream, modified: datetime | None) -> bool:
        """Unpack one member; False when it is cut or damaged, and then `damage` says so.

        Raises:
            SourceError: its name, its size, or what it would unpack to is not to be trusted.
        """
        safe = safe_name(self.path, name)
        if safe in self._names:
            raise SourceError(f"{self.path}: two members are called {safe}; such archives are refused")
        self._names.add(safe)
        refuse_many(self.path, len(self._names))
        target = self._folder / str(len(self._names))
        size, trouble = self._copy(safe, stream, target)
        self.files[Member(name=safe, size=size, modified=modified, cut=bool(trouble))] = target
        self.damage = f"the archive ends or is damaged inside {safe} ({trouble})" if trouble else self.damage
        return not trouble

    def _copy(self, name: str, stream: Stream, target: Path) -> tuple[int, str]:
        """Bytes written, and why the member is not whole. What cannot be written is no fault of the archive."""
        try:
            with target.open("wb") as file:
                return self._pour(name, stream, file)
        except OSError as error:
            raise SourceError(
                f"{self.path} cannot be unpacked into {self._folder.parent} ({error.strerror or error});"
                " make room there, or set TMPDIR"
            ) from error

    def _pour(self, name: str, stream: Stream, file: BinaryIO) -> tuple[int, str]:
        size = 0
        while True:
            try:
                chunk = stream.read(_CHUNK)
            except BROKEN as error:
                return size, str(error) or type(error).__name__
            if not chunk:
                return size, ""
            size += len(chunk)
            self._total += len(chunk)
            refuse_large(self.path, name, size)
            if self._total > self._most:
                raise SourceError(
                    f"{self.path} would unpack to more than {self._most} bytes (at {name}); refused as a bomb"
                )
            file.write(chunk)
