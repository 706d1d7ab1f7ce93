"""Items of several sources as one series: each once, and none missing that another source has."""

from collections.abc import Iterable, Iterator

from meshforensics.importers._declare import Found
from meshforensics.model import Cause

_OF_THE_SOURCE = {Cause.NOT_IN_SOURCE, Cause.TRUNCATED}


def merge(items: Iterable[Found]) -> list[Found]:
    """The items, each once; what one copy of a report lacks and another holds is not missing."""
    once = list(_once(items))
    held = {_key(found) for found in once if found.load is not None}
    return [found for found in once if not (_lacks(found) and _key(found) in held)]


def _once(items: Iterable[Found]) -> Iterator[Found]:
    seen: set[tuple[object, ...]] = set()
    for found in items:
        detail = "" if found.load else found.detail
        key = (*_key(found), found.status, found.digest, detail if found.kind == "unknown" else "")
        if key not in seen:
            seen.add(key)
            yield found


def _key(found: Found) -> tuple[object, ...]:
    return found.kind, found.subject, found.captured_at


def _lacks(found: Found) -> bool:
    return found.load is None and found.cause in _OF_THE_SOURCE
