"""Write a bundle: journal first, member by member, so that it opens whenever the writer is stopped."""

import secrets
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
import zstandard
from fsspec.implementations.local import LocalFileSystem

from meshforensics.bundle import _bag
from meshforensics.bundle._layout import path_of
from meshforensics.bundle._manifest import SCHEMA, Layout, Manifest, Window, encode, identity, sort_key, to_record
from meshforensics.bundle._reader import Bundle, open_bundle
from meshforensics.bundle._redaction import Redactor
from meshforensics.bundle._store import Folder, file_system
from meshforensics.model import BundleError, Cause, Item, Status, UsageError, format_time
from meshforensics.model.version import __version__

TOOL = f"meshforensics {__version__}"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class BundleWriter:
    """Writes one bundle to a directory or a zip, on disk or behind any fsspec URL.

    Everything is written to a directory first (a zip is written from it at the end): the journal with the
    plan, each member under a temporary name and then renamed. Killed at any moment, the directory opens and
    says what is missing. Content is redacted before it is hashed, compressed or written.
    """

    def __init__(
        self,
        url: str,
        *,
        mesh: str = "-",
        layout: str = "",
        window: tuple[datetime | None, datetime | None] = (None, None),
        redact_hosts: bool = False,
        pseudonym_key: bytes | Callable[[], bytes] | None = None,
        level: int = 3,
    ) -> None:
        self.url = url
        self.layout = layout
        self._window = window
        self._sealed = url.endswith(".zip")
        self._filesystem, root = file_system(url)
        self._root = f"{root}.partial" if self._sealed else root.rstrip("/")
        self._redactor = Redactor(pseudonym_key or secrets.token_bytes(32), hosts=redact_hosts)
        self.mesh = self._redactor.name(mesh)
        self._compress = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
        self._items: list[Item] = []
        self._details: dict[str, str] = {}
        self._paths: set[str] = set()
        self._stored: dict[str, tuple[str, int]] = {}
        self._prepare(root)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do: what was written stays, sealed or not."""

    def plan(self, entries: Iterable[tuple[str, str, datetime | None]]) -> None:
        """Record kind, subject and, where it is known, time of what is going to be asked, before anything is."""
        self._note(
            *(
                {"planned": {"kind": kind, "subject": self._redactor.name(subject), "captured_at": format_time(at)}}
                for kind, subject, at in entries
            )
        )

    def add(
        self,
        kind: str,
        subject: str,
        payload: bytes,
        *,
        captured_at: datetime | None,
        time_source: str,
        status: Status = Status.CAPTURED,
        cause: Cause | None = None,
        detail: str = "",
        duration_s: float | None = None,
    ) -> Item:
        """Redact, hash, compress and write one item; returns it as the manifest will say it."""
        content, redactions = self._redactor.redact(payload)
        subject = self._redactor.name(subject)
        path = path_of(kind, subject, captured_at, self._paths)
        self._paths.add(path.lower())
        self._write(path, self._compress.compress(content))
        return self._done(
            Item(
                kind=kind,
                subject=subject,
                status=status,
                captured_at=captured_at,
                time_source=time_source,
                cause=cause,
                detail=detail,
                path=path,
                sha256=_bag.digest(content),
                bytes=len(content),
                duration_s=duration_s,
                redactions=redactions,
            )
        )

    def miss(
        self,
        kind: str,
        subject: str,
        *,
        status: Status,
        cause: Cause | None,
        detail: str = "",
        captured_at: datetime | None = None,
        time_source: str = "unknown",
    ) -> Item:
        """Record an item that is not there, and why."""
        return self._done(
            Item(
                kind=kind,
                subject=self._redactor.name(subject),
                status=status,
                cause=cause,
                detail=detail,
                captured_at=captured_at,
                time_source=time_source,
            )
        )

    def miss_all(self, items: Iterable[Item]) -> None:
        """Record many items that are not there, in one write: what did not fit may be most of a plan."""
        kept = [self._without_secrets(self._named(item)) for item in items]
        self._items += kept
        self._note(*({"item": msgspec.to_builtins(to_record(item))} for item in kept))

    def seal(self, at: datetime | None = None) -> Bundle:
        """Write manifest and tag files (and the zip, where one was asked for); returns the bundle, opened."""
        payload = dict(self._stored)
        items = sorted(self._items, key=sort_key)
        times = [item.captured_at for item in items if item.captured_at]
        start, end = self._window
        start, end = start or min(times, default=None), end or max(times, default=None)
        manifest = Manifest(
            schema=SCHEMA,
            id=identity(items),
            tool=TOOL,
            mesh=self.mesh,
            at=format_time(at or end),
            window=Window(from_=format_time(start), to=format_time(end)),
            source=Layout(layout=self.layout),
            items=[to_record(item) for item in items],
        )
        self._tags(manifest, payload, end)
        if self._sealed:
            self._zip()
        return open_bundle(self.url)

    def _tags(self, manifest: Manifest, payload: dict[str, tuple[str, int]], end: datetime | None) -> None:
        octets = sum(size for _, size in payload.values())
        date = end.date().isoformat() if end else "1970-01-01"
        tags = {
            "bagit.txt": _bag.DECLARATION,
            "bag-info.txt": _bag.info(tool=TOOL, date=date, octets=octets, files=len(payload), mesh=self.mesh),
            "manifest.json": encode(manifest),
            _bag.MANIFEST: _bag.sums({name: digest for name, (digest, _) in payload.items()}),
        }
        for name, content in tags.items():
            self._write_file(name, content)
        self._write_file(_bag.TAGS, _bag.sums({name: _bag.digest(content) for name, content in tags.items()}))
        self._filesystem.rm_file(f"{self._root}/journal.jsonl")

    def _prepare(self, target: str) -> None:
        if not self.url:
            raise UsageError("no name given for the bundle; give one, as incident.zip")
        if self._filesystem.exists(target) and (self._sealed or self._filesystem.ls(target)):
            raise BundleError(f"{self.url} exists already; give another name, nothing is overwritten")
        if self._filesystem.exists(self._root) and self._filesystem.ls(self._root):
            raise BundleError(f"{self._root} is left from a run that was stopped; open it, or delete it")
        with self._writing():
            self._filesystem.makedirs(self._root, exist_ok=True)
        self._note({"schema": SCHEMA, "tool": TOOL, "mesh": self.mesh, "layout": self.layout})

    def _done(self, item: Item) -> Item:
        item = self._without_secrets(item)
        self._items.append(item)
        self._note({"item": msgspec.to_builtins(to_record(item))})
        return item

    def _without_secrets(self, item: Item) -> Item:
        """The item with its detail redacted: it may quote what was captured."""
        if item.detail not in self._details:
            self._details[item.detail] = self._redactor.redact(item.detail.encode())[0].decode()
        detail = self._details[item.detail]
        return item if detail == item.detail else replace(item, detail=detail)

    def _named(self, item: Item) -> Item:
        """The item with a subject that names no host, where hosts are replaced."""
        subject = self._redactor.name(item.subject)
        return item if subject == item.subject else replace(item, subject=subject)

    def _note(self, *records: dict[str, Any]) -> None:
        """Append records to the journal, in one write."""
        with self._writing(), self._filesystem.open(f"{self._root}/journal.jsonl", "ab") as journal:
            journal.write(b"".join(msgspec.json.encode(record) + b"\n" for record in records))

    def _write(self, path: str, compressed: bytes) -> None:
        self._stored[path] = (_bag.digest(compressed), len(compressed))
        self._write_file(path, compressed)

    def _write_file(self, name: str, content: bytes) -> None:
        """Whole or not at all: on disk under a temporary name first; elsewhere one call writes a whole object."""
        target = f"{self._root}/{name}"
        with self._writing():
            if not isinstance(self._filesystem, LocalFileSystem):
                self._filesystem.pipe_file(target, content)
                return
            self._filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._filesystem.pipe_file(f"{target}.tmp", content)
            self._filesystem.mv(f"{target}.tmp", target)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say of which bundle it is when it cannot be written."""
        try:
            yield
        except OSError as error:
            raise BundleError(
                f"{self.url} cannot be written ({error.strerror or error}); make room or give another place"
            ) from error

    def _zip(self) -> None:
        """Write the zip from the directory: stored members, sorted, with one fixed time."""
        folder = Folder(self._filesystem, self._root, self.url)
        target = self._root.removesuffix(".partial")
        with self._writing():
            with self._filesystem.open(f"{target}.tmp", "wb") as file, zipfile.ZipFile(file, "w") as archive:
                for name in folder.names():
                    archive.writestr(zipfile.ZipInfo(name, _EPOCH), folder.raw(name))
            self._filesystem.mv(f"{target}.tmp", target)
            self._filesystem.rm(self._root, recursive=True)
