"""What a source may at most be, and the refusals by name of what could do harm."""

import re

from meshforensics.model import SourceError

LARGEST_MEMBER = 1024**3
"""No member may be larger, unpacked, in bytes."""
LARGEST_TOTAL = 8 * 1024**3
"""All members of an archive together may not be larger, unpacked, in bytes."""
LARGEST_RATIO = 250
"""No archive may unpack to more than so many times its size; real reports reach about 15, their logs 60."""
ALWAYS_ALLOWED = 256 * 1024**2
"""An archive may unpack to so many bytes whatever its ratio."""
LARGEST_HEADER = 1024**2
"""Bytes of headers that one member of a tar may have: long names, extended attributes."""
MOST_MEMBERS = 200_000
"""No source may have more files."""

_CONTROL = re.compile("[\x00-\x1f\x7f]")


def printable(name: str) -> str:
    """`name` as text that can be shown and written: in UTF-8, without control characters."""
    return _CONTROL.sub("\ufffd", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def safe_name(path: str, name: str) -> str:
    """`name` as a clean relative path, printable; a backslash parts folders, as some zips of Windows have it.

    Raises:
        SourceError: it is absolute, leads out of the archive, or is empty.
    """
    clean = printable(name).replace("\\", "/")
    parts = [part for part in clean.split("/") if part not in {"", "."}]
    drive = len(name) > 1 and name[1] == ":"
    if clean.startswith("/") or ".." in parts or drive or not parts:
        raise SourceError(f"{path}: member {printable(name)!r} leads out of the archive; such archives are refused")
    return "/".join(parts)


def refuse_large(path: str, name: str, size: int) -> None:
    """Refuse a member that is larger than any evidence."""
    if size > LARGEST_MEMBER:
        raise SourceError(f"{path}: {name} is larger than {LARGEST_MEMBER} bytes; refused")


def refuse_many(path: str, count: int) -> None:
    """Refuse a source of more files than any report has."""
    if count > MOST_MEMBERS:
        raise SourceError(f"{path} has more than {MOST_MEMBERS} files; refused")


def refuse_total(path: str, size: int) -> None:
    """Refuse a source whose archives together unpack to more than any report has."""
    if size > LARGEST_TOTAL:
        raise SourceError(f"{path} would unpack to more than {LARGEST_TOTAL} bytes; refused as a bomb")


def most_unpacked(size: int) -> int:
    """Bytes that an archive of `size` bytes may unpack to."""
    return min(LARGEST_TOTAL, max(ALWAYS_ALLOWED, LARGEST_RATIO * size))
