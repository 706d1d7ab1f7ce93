"""Read the members of a bundle: a directory or a zip, on disk or behind any fsspec URL."""

import os
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import IO, Any, Protocol, cast

import fsspec
import zstandard

from meshforensics.model import BundleError

LARGEST = 2 * 1024**3
"""No member may decompress to more bytes than this."""


class Store(Protocol):
    """The members of one bundle."""

    @property
    def url(self) -> str:
        """Where the bundle is."""

    def names(self) -> list[str]:
        """Every member, sorted."""

    def raw(self, name: str) -> bytes:
        """The bytes of a member as they lie there. Raises BundleError when it is not there or damaged."""


class Folder:
    """A bundle that is a directory."""

    def __init__(self, filesystem: Any, root: str, url: str) -> None:
        self._filesystem = filesystem
        self._root = root.rstrip("/")
        self.url = url

    def names(self) -> list[str]:
        """Every member, sorted."""
        found = cast("list[str]", self._filesystem.find(self._root))
        start = len(self._filesystem._strip_protocol(self._root).rstrip("/")) + 1
        return sorted(name[start:] for name in found)

    def raw(self, name: str) -> bytes:
        """The bytes of a member."""
        refuse_names(self.url, [name])
        try:
            return cast("bytes", self._filesystem.cat_file(f"{self._root}/{name}"))
        except OSError as error:
            why = (
                "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror or error})"
            )
            raise BundleError(f"{self.url}: member {name} {why}") from error


class Zip:
    """A sealed bundle."""

    def __init__(self, file: IO[bytes], url: str) -> None:
        self.url = url
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError) as error:
            raise BundleError(_no_zip(file, url, error)) from error
        refuse_names(url, self._zip.namelist())

    def names(self) -> list[str]:
        """Every member, sorted."""
        return sorted(self._zip.namelist())

    def raw(self, name: str) -> bytes:
        """The bytes of a member."""
        try:
            if self._zip.getinfo(name).file_size > LARGEST:
                raise BundleError(f"{self.url}: member {name} is larger than {LARGEST} bytes; it is not read")
            return self._zip.read(name)
        except _DAMAGED as error:
            raise BundleError(f"{self.url}: member {name} is missing or damaged ({error})") from error


_DAMAGED = (KeyError, zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error)
"""What the zip reader raises for a member that is not there, is damaged, or is stored in a way unknown to it."""


def _no_zip(file: IO[bytes], url: str, why: Exception) -> str:
    file.seek(0)
    if file.read(2) == b"PK":
        return f"{url} is no whole zip archive ({why}); copy it again"
    return f"{url} is no bundle, neither a folder nor a zip; `meshforensics import` makes one of other evidence"


def refuse_names(url: str, names: Iterable[str]) -> None:
    """Refuse members that lead out of the bundle, and two of one name."""
    seen: set[str] = set()
    for name in names:
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or name in seen:
            raise BundleError(f"{url}: member {name!r} has a name that no bundle has; it is not read")
        seen.add(name)


def file_system(url: str) -> tuple[Any, str]:
    """The file system behind a path or an fsspec URL, and the path in it.

    Raises:
        BundleError: nothing here reads such URLs.
    """
    try:
        if "://" not in url:
            return fsspec.filesystem("file"), os.path.abspath(url)  # noqa: PTH100 - keeps what Path would normalise
        return cast("tuple[Any, str]", fsspec.core.url_to_fs(url))
    except (ImportError, ValueError, OSError) as error:
        raise BundleError(f"{url} cannot be opened: {error}") from error


def store_at(url: str) -> Store:
    """The store at `url`.

    Raises:
        BundleError: there is nothing, or nothing that could be a bundle.
    """
    try:
        filesystem, root = file_system(url)
        if filesystem.isdir(root):
            return Folder(filesystem, root, url)
        if filesystem.isfile(root):
            with ExitStack() as stack:
                opened: AbstractContextManager[IO[bytes]] = filesystem.open(root, "rb")
                file = stack.enter_context(opened)
                made = Zip(file, url)
                stack.pop_all()
                return made
    except (OSError, ValueError) as error:
        raise BundleError(f"{url} cannot be opened: {error}") from error
    raise BundleError(f"{url} is not there; give the path of a bundle")


def decompress(compressed: bytes, where: str) -> bytes:
    """The content of a ``.zst`` member.

    Raises:
        BundleError: it is damaged, or larger than any evidence.
    """
    try:
        size = zstandard.frame_content_size(compressed)
        if size > LARGEST:
            raise BundleError(f"{where} would be larger than {LARGEST} bytes; it is not read")
        return zstandard.ZstdDecompressor().decompress(compressed, max_output_size=LARGEST if size < 0 else 0)
    except zstandard.ZstdError as error:
        raise BundleError(f"{where} is damaged: {error}") from error
