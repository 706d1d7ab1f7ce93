"""Copy items of a bundle into another, changed or not."""

from collections.abc import Callable
from datetime import datetime

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.model import Item


def copy_item(
    writer: BundleWriter,
    source: Bundle,
    item: Item,
    change: Callable[[bytes], bytes] = bytes,
    *,
    times: bool = True,
) -> None:
    """Write `item` as it is, or with its bytes changed; without `times` its capture time is unknown."""
    at: datetime | None = item.captured_at if times else None
    if item.stored:
        payload = change(source.read(item))
        writer.add(item.kind, item.subject, payload, captured_at=at, time_source=item.time_source)
    else:
        writer.miss(item.kind, item.subject, status=item.status, cause=item.cause, captured_at=at)
