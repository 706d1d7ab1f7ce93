"""Open a bundle and read its items."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from meshforensics.bundle import _bag
from meshforensics.bundle._manifest import (
    SCHEMA,
    ItemRecord,
    Layout,
    Manifest,
    Window,
    decode,
    identity,
    refuse_schema,
    sort_key,
    to_item,
    to_record,
)
from meshforensics.bundle._store import Store, decompress, file_system, store_at
from meshforensics.model import (
    BundleError,
    Cause,
    DeclarationError,
    Item,
    Status,
    UsageError,
    facts_html,
    format_time,
    parse_time,
)

STOPPED = "the writer was stopped before it came to this item"


class Bundle:
    """A bundle, opened for reading.

    Attributes:
        store: its members.
        items: every item, sorted by kind, subject and capture time.
    """

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self.store = store
        self._manifest = manifest
        self.items: tuple[Item, ...] = tuple(sorted((to_item(each) for each in manifest.items), key=sort_key))

    @property
    def url(self) -> str:
        """Where the bundle is."""
        return self.store.url

    @property
    def id(self) -> str:
        """SHA-256 of what the bundle says; the same for a directory, a zip and an import of the same evidence."""
        return self._manifest.id

    @property
    def at(self) -> datetime | None:
        """The end of the capture window; None when the capture time is unknown."""
        return _time(self._manifest.at)

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """First and last capture time."""
        return _time(self._manifest.window.from_), _time(self._manifest.window.to)

    @property
    def mesh(self) -> str:
        """Name of the mesh or cluster; ``-`` when unknown."""
        return self._manifest.mesh

    @property
    def tool(self) -> str:
        """What wrote the bundle."""
        return self._manifest.tool

    @property
    def layout(self) -> str:
        """What it was made from: a capture, or a foreign layout."""
        return self._manifest.source.layout

    def read(self, item: Item) -> bytes:
        """The raw bytes of an item.

        Raises:
            BundleError: nothing is stored for it, or what is stored is damaged.
        """
        if item.path is None:
            raise BundleError(f"{self.url}: nothing is stored for {item.id} ({item.status}: {item.cause})")
        content = decompress(self.store.raw(item.path), f"{self.url}: member {item.path}")
        if item.sha256 and _bag.digest(content) != item.sha256:
            raise BundleError(f"{self.url}: member {item.path} is not what was captured (SHA-256 differs)")
        return content

    def _repr_html_(self) -> str:
        held = Counter(item.status for item in self.items)
        facts = (
            ("id", self.id),
            ("mesh", self.mesh),
            ("captured", " to ".join(format_time(at) or "unknown" for at in self.window)),
            ("layout", self.layout),
            ("items", ", ".join(f"{number:,} {status}" for status, number in sorted(held.items()))),
        )
        return facts_html(self.url, facts)


def open_bundle(url: str) -> Bundle:
    """Open a bundle: a directory, a zip, or any fsspec URL of one.

    Raises:
        BundleError: it is no bundle, is damaged, or is of a newer schema.
    """
    store = store_at(url)
    names = set(store.names())
    if "manifest.json" not in names and "journal.jsonl" not in names:
        raise BundleError(f"{url} is no bundle of meshforensics: it has neither manifest.json nor journal.jsonl")
    try:
        if "manifest.json" in names:
            return Bundle(store, decode(store.raw("manifest.json"), url))
        return Bundle(store, _from_journal(store, names))
    except (UsageError, DeclarationError) as error:
        raise BundleError(f"{url}: its list of items is damaged: {error}") from error


def is_bundle(url: str) -> bool:
    """Whether `url` holds a bundle of ours, whole or not."""
    try:
        filesystem, root = file_system(url)
        if filesystem.isdir(root):
            return any(filesystem.exists(f"{root.rstrip('/')}/{name}") for name in _MARKS)
        return url.endswith(".zip") and not _MARKS.isdisjoint(store_at(url).names())
    except (BundleError, OSError, ValueError):
        return False


_MARKS = {"bagit.txt", "tagmanifest-sha256.txt", "journal.jsonl"}
"""Any of them tells a bundle, so that one which lost a member is still opened, and verified."""


def _from_journal(store: Store, names: set[str]) -> Manifest:
    """What a writer that was stopped had done, and what it had planned and not done."""
    head: dict[str, Any] = {}
    planned: Counter[_Planned] = Counter()
    records: list[ItemRecord] = []
    for line in store.raw("journal.jsonl").splitlines():
        try:
            note = msgspec.json.decode(line, type=dict[str, Any])
            if "item" in note:
                records.append(msgspec.convert(note["item"], ItemRecord))
            elif "planned" in note:
                planned[msgspec.convert(note["planned"], _Planned)] += 1
            else:
                head = note
        except msgspec.DecodeError:
            continue  # the last line may be cut: the writer was stopped in it
    refuse_schema(head.get("schema", SCHEMA), store.url)
    items = [to_item(record) for record in records if record.path is None or record.path in names]
    return _manifest_of([*items, *_not_done(planned, items)], head)


class _Planned(msgspec.Struct, frozen=True):
    """What was going to be asked; the time is known where it is a foreign source that is read."""

    kind: str
    subject: str
    captured_at: str | None = None


def _not_done(planned: "Counter[_Planned]", items: list[Item]) -> Iterator[Item]:
    """What was planned and is not among `items`."""
    for item in items:
        timed = _Planned(item.kind, item.subject, format_time(item.captured_at))
        planned[timed if planned[timed] else _Planned(item.kind, item.subject)] -= 1
    for plan in (+planned).elements():
        at = _time(plan.captured_at)
        source = "plan" if at else "unknown"
        yield Item(
            kind=plan.kind, subject=plan.subject, captured_at=at, time_source=source,
            status=Status.FAILED, cause=Cause.RESET, detail=STOPPED,
        )  # fmt: skip


def _manifest_of(items: list[Item], head: dict[str, Any]) -> Manifest:
    times = [item.captured_at for item in items if item.captured_at]
    end = format_time(max(times, default=None))
    return Manifest(
        schema=SCHEMA,
        id=identity(items),
        tool=str(head.get("tool", "")),
        mesh=str(head.get("mesh", "-")),
        at=end,
        window=Window(from_=format_time(min(times, default=None)), to=end),
        source=Layout(layout=str(head.get("layout", ""))),
        items=[to_record(item) for item in items],
    )


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
