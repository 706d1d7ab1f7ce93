"""What an importer is: it recognises a layout, and says what each of its members is."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from meshforensics.importers._mesh import Mesh
from meshforensics.importers._source import Source
from meshforensics.importers._time import Captured
from meshforensics.model import Cause, Status


@dataclass(frozen=True, kw_only=True)
class Found:
    """One item of a foreign source, or the reason why it is not there.

    `load` reads the bytes when they are written, so that a large report is never held whole; None for what
    is not stored. `digest` tells equal bytes apart from others. `mesh` says which mesh the item belongs to,
    where its report tells it; reports of different meshes are not imported together.
    """

    kind: str
    subject: str
    load: Callable[[], bytes] | None
    digest: str
    captured_at: datetime | None
    time_source: str
    status: Status = Status.CAPTURED
    cause: Cause | None = None
    detail: str = ""
    mesh: Mesh | None = None


@dataclass(frozen=True, kw_only=True)
class Importer:
    """One foreign layout.

    Attributes:
        id: name of the layout, kept in the bundle.
        about: one sentence.
        recognises: whether a source has this layout; two importers that both say so are an error.
        read: the items of a source, in the order of its members.
    """

    id: str
    about: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Iterator[Found]]


def missing(kind: str, subject: str, when: Captured, *, status: Status, cause: Cause, detail: str) -> Found:
    """An item of which nothing is stored, and why."""
    return Found(
        kind=kind,
        subject=subject,
        load=None,
        digest="",
        captured_at=when.at,
        time_source=when.source,
        status=status,
        cause=cause,
        detail=detail,
    )


def digest_of(payload: bytes) -> str:
    """What tells equal bytes apart from others."""
    return hashlib.sha256(payload).hexdigest()
