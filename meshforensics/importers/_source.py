"""A source of evidence as a safe, read-only list of members: a folder, an archive, or one file.

Nothing of an archive is ever written under a name that the archive chose. What could do harm (a path that
leaves the archive, a link, a device, two members of one name, a bomb) is refused by name. Bytes are read
when they are wanted, so a report of many gigabytes is never held whole.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from meshforensics.importers._limits import printable, refuse_large, refuse_many, refuse_total
from meshforensics.importers._tar import compression, is_tar, open_plain, unpack_tar
from meshforensics.importers._unpack import BROKEN, Member, Unpacked
from meshforensics.importers._zip import MAGICS, unpack_zip
from meshforensics.model import SourceError

__all__ = ["Member", "Source", "open_source"]

_ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip")
"""Names of archives that are unpacked where they lie in a folder."""
_TARS = _ENDINGS[:-1]


class Source:
    """Members of one source and their bytes.

    Attributes:
        path: what the user named.
        members: every file, sorted by name.
        damage: folder inside the source (empty: all of it) to what is wrong with the archive behind it.
    """

    def __init__(
        self,
        path: str,
        files: Mapping[Member, Path],
        *,
        damage: Mapping[str, str] | None = None,
        keep: tuple[Unpacked, ...] = (),
    ) -> None:
        self.path = path
        self.members = tuple(sorted(files, key=lambda member: member.name))
        self.damage = dict(damage or {})
        self._files = dict(files)
        self._keep = keep

    def read(self, member: Member) -> bytes:
        """The bytes of a member.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            return self._files[member].read_bytes()
        except OSError as error:
            raise SourceError(
                f"{self.path}: {member.name} cannot be read: {error.strerror or error}; let it be read, or take it out"
            ) from error


def open_source(path: str) -> Source:
    """Open a folder, a ``.tar``, ``.tar.gz`` or ``.zip``, or one file (gzipped, too); archives inside are unpacked.

    Raises:
        SourceError: it is not there, is empty, cannot be read, or could do harm.
    """
    place = Path(path.removeprefix("file://"))
    shown = printable(path)
    try:
        if not path or not place.exists():
            raise SourceError(f"{shown or 'an empty path'} is not there; give a bundle, a bug-report or an admin file")
        if place.is_dir():
            return _folder(shown, place)
        if not place.is_file():
            raise SourceError(f"{shown} is a device or pipe; save what it gives to a file, and give that")
        if place.stat().st_size == 0:
            raise SourceError(f"{shown} is empty: nothing was captured into it; capture it again")
        return _file(shown, place)
    except OSError as error:
        name = printable(str(error.filename or path))
        raise SourceError(f"{name} cannot be read: {error.strerror or error}; let it be read, or copy it") from error
    except ValueError as error:
        raise SourceError(f"{shown} cannot be read: {error}") from error


def _file(path: str, place: Path) -> Source:
    unpacked = _archive(path, place)
    if unpacked is not None:
        return _source(path, unpacked.files, _damage("", unpacked), [unpacked])
    return Source(path, {_member(path, place.name, place): place})


def _damage(folder: str, unpacked: Unpacked) -> dict[str, str]:
    return {folder: unpacked.damage} if unpacked.damage else {}


def _archive(path: str, place: Path) -> Unpacked | None:
    """The members of an archive; None when the file is none."""
    with place.open("rb") as file:
        head = file.read(512)
    if head.startswith(MAGICS):
        return unpack_zip(path, place)
    if is_tar(head):
        return unpack_tar(path, place)
    if not compression(head):
        return None
    if path.lower().endswith(_TARS) or _holds_tar(place):
        return unpack_tar(path, place)
    return _one_compressed(path, place)


def _holds_tar(place: Path) -> bool:
    try:
        with open_plain(place) as file:
            return is_tar(file.read(512))
    except BROKEN:
        return False


def _one_compressed(path: str, place: Path) -> Unpacked:
    """One file that was compressed alone, as ``config_dump.json.gz``."""
    unpacked = Unpacked(path, place.stat().st_size)
    with open_plain(place) as file:
        unpacked.add(place.stem, file, None)
    return unpacked


def _folder(path: str, place: Path) -> Source:
    files = {}
    for file in _files(path, place):
        files[_member(path, file.relative_to(place).as_posix(), file)] = file
        refuse_many(path, len(files))
    if not files:
        raise SourceError(f"{path} is an empty folder: nothing was captured into it; capture again")
    return _source(path, files, {}, [])


def _source(path: str, files: Mapping[Member, Path], damage: dict[str, str], keep: list[Unpacked]) -> Source:
    """The source of some files; the archives among them are unpacked where they lie, not those inside these."""
    held: dict[Member, Path] = {}
    for member, place in files.items():
        unpacked = _archive(f"{path}/{member.name}", place) if member.name.lower().endswith(_ENDINGS) else None
        if unpacked is None:
            held[member] = place
            continue
        folder = _without_ending(member.name)
        damage |= _damage(folder, unpacked)
        keep.append(unpacked)
        for inside, where in unpacked.files.items():
            held[replace(inside, name=f"{folder}/{inside.name}")] = where
        refuse_many(path, len(held))
        refuse_total(path, sum(each.size for each in held))
    return Source(path, held, damage=damage, keep=tuple(keep))


def _member(path: str, relative: str, file: Path) -> Member:
    size = file.stat().st_size
    refuse_large(path, relative, size)
    return Member(name=printable(relative), size=size)


def _without_ending(name: str) -> str:
    ending = next(ending for ending in _ENDINGS if name.lower().endswith(ending))
    return name[: -len(ending)] or name


def _files(path: str, place: Path) -> list[Path]:
    """Every file below a folder, sorted; links are not followed, and refused where they lead out of it."""
    found = []
    for folder, folders, names in os.walk(place, followlinks=False, onerror=_raise):
        for name in sorted([*folders, *names]):
            file = Path(folder) / name
            mode = file.lstat().st_mode
            if stat.S_ISLNK(mode):
                if not file.resolve().is_relative_to(place.resolve()):
                    raise SourceError(
                        f"{path}: {file.relative_to(place)} is a link that leads out of the folder; refused"
                    )
            elif stat.S_ISREG(mode):
                found.append(file)
            elif not stat.S_ISDIR(mode):
                raise SourceError(f"{path}: {file.relative_to(place)} is a device or pipe, not a file; refused")
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error
