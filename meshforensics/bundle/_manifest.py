"""The manifest of a bundle: what it holds, what is missing and why."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from meshforensics.model import BundleError, Cause, Item, Status, format_time, parse_time

SCHEMA = "meshforensics.bundle/1"


class ItemRecord(msgspec.Struct, kw_only=True):
    """An item as the manifest and the journal write it."""

    id: str
    kind: str
    subject: str
    path: str | None
    base: str | None
    captured_at: str | None
    time_source: str
    duration_s: float | None
    status: Status
    cause: Cause | None
    detail: str
    sha256: str | None
    bytes: int | None
    redactions: dict[str, int]


class Window(msgspec.Struct, kw_only=True):
    """First and last capture time."""

    from_: str | None = msgspec.field(name="from")
    to: str | None


class Layout(msgspec.Struct, kw_only=True):
    """What the bundle was made from."""

    layout: str


class Manifest(msgspec.Struct, kw_only=True):
    """``manifest.json``."""

    schema: str
    id: str
    tool: str
    mesh: str
    at: str | None
    window: Window
    source: Layout
    items: list[ItemRecord]


def identity(items: Iterable[Item]) -> str:
    """The id of a bundle: SHA-256 of its items' lines, sorted.

    A line is ``kind subject captured_at status sha256``, parted by tabs, with ``-`` for what is not there,
    each ended by a newline, in UTF-8. Where the items lie does not count.
    """
    lines = sorted(
        "\t".join(
            (item.kind, item.subject, format_time(item.captured_at) or "-", item.status.value, item.sha256 or "-")
        )
        for item in items
    )
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def to_record(item: Item) -> ItemRecord:
    """The record of an item."""
    return ItemRecord(
        id=item.id,
        kind=item.kind,
        subject=item.subject,
        path=item.path,
        base=item.base,
        captured_at=format_time(item.captured_at),
        time_source=item.time_source,
        duration_s=item.duration_s,
        status=item.status,
        cause=item.cause,
        detail=item.detail,
        sha256=item.sha256,
        bytes=item.bytes,
        redactions=dict(sorted(item.redactions.items())),
    )


def to_item(record: ItemRecord) -> Item:
    """The item of a record."""
    return Item(
        kind=record.kind,
        subject=record.subject,
        status=record.status,
        captured_at=_time(record.captured_at),
        time_source=record.time_source,
        cause=record.cause,
        detail=record.detail,
        path=record.path,
        base=record.base,
        sha256=record.sha256,
        bytes=record.bytes,
        duration_s=record.duration_s,
        redactions=record.redactions,
    )


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def sort_key(item: Item) -> tuple[str, str, str, str]:
    """The order of items in a manifest: kind, subject, capture time, path."""
    return (item.kind, item.subject, format_time(item.captured_at) or "", item.path or "")


def encode(manifest: Manifest) -> bytes:
    """The bytes of ``manifest.json``: each item on a line of its own."""
    head, found, rest = msgspec.json.encode(replace(manifest, items=[])).rpartition(b'"items":[')
    items = b",\n".join(msgspec.json.encode(item) for item in manifest.items)
    return head + found + b"\n" + items + b"\n" + rest + b"\n"


def decode(payload: bytes, where: str) -> Manifest:
    """Read ``manifest.json``.

    Raises:
        BundleError: it is no manifest, or of another schema.
    """
    try:
        refuse_schema(msgspec.json.decode(payload, type=dict[str, Any]).get("schema"), where)
        return msgspec.json.decode(payload, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{where}: manifest.json is damaged: {error}") from error


def refuse_schema(schema: object, where: str) -> None:
    """Refuse a bundle that is not of our schema, in a sentence.

    Raises:
        BundleError: it is not.
    """
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("meshforensics.bundle/"):
        raise BundleError(
            f"{where} is a bundle of schema {schema}; this version reads {SCHEMA}: install a newer meshforensics"
        )
    raise BundleError(f"{where} is no bundle of meshforensics: it says that its schema is {schema!r}")
