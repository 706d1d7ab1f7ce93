"""Read the members of a bundle: a directory or a zip, on disk or behind any fsspec URL."""

import zipfile
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
        try:
            return cast("bytes", self._filesystem.cat_file(f"{self._root}/{name}"))
        except OSError as error:
            raise BundleError(f"{self.url}: member {name} is missing; `meshforensics verify` names all") from error


class Zip:
    """A sealed bundle."""

    def __init__(self, file: IO[bytes], url: str) -> None:
        self.url = url
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError) as error:
            raise BundleError(f"{url} is no whole zip archive ({error}); copy it again") from error
        names = self._zip.namelist()
        for name in names:
            parts = name.split("/")
            if name.startswith("/") or ".." in parts or "\\" in name or names.count(name) > 1:
                raise BundleError(f"{url}: member {name!r} has a name that no bundle has; it is not read")

    def names(self) -> list[str]:
        """Every member, sorted."""
        return sorted(self._zip.namelist())

    def raw(self, name: str) -> bytes:
        """The bytes of a member."""
        try:
            if self._zip.getinfo(name).file_size > LARGEST:
                raise BundleError(f"{self.url}: member {name} is larger than {LARGEST} bytes; it is not read")
            return self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
            raise BundleError(f"{self.url}: member {name} is missing or damaged ({error})") from error


def store_at(url: str) -> Store:
    """The store at `url`.

    Raises:
        BundleError: there is nothing, or nothing that could be a bundle.
    """
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
        if filesystem.isdir(root):
            return Folder(filesystem, root, url)
        if filesystem.isfile(root):
            with ExitStack() as stack:
                opened: AbstractContextManager[IO[bytes]] = filesystem.open(root, "rb")
                file = stack.enter_context(opened)
                made = Zip(file, url)
                stack.pop_all()
                return made
    except (OSError, ValueError, ImportError) as error:
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
