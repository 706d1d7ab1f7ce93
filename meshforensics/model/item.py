"""Items: what was asked of a mesh, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from meshforensics.model.clock import format_time
from meshforensics.model.errors import DeclarationError


class Status(StrEnum):
    """What became of an item."""

    CAPTURED = "captured"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    ABSENT = "absent"


class Cause(StrEnum):
    """Why an item is not (wholly) there: a closed list."""

    FORBIDDEN = "forbidden"
    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    NOT_THE_FORM = "not-the-form"
    NOT_IN_SOURCE = "not-in-source"
    GONE = "gone"
    OVER_BUDGET = "over-budget"
    NOT_PERMITTED = "not-permitted"
    HAZARDOUS = "hazardous"


MESH = "-"
"""The subject of what belongs to the mesh as a whole."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One piece of evidence of a bundle: bytes as received, or the reason why there are none.

    `sha256` and `bytes` are of the stored raw content (after redaction, before compression), and None
    where nothing was stored. `captured_at` is None where the capture time is unknown.
    """

    kind: str
    subject: str
    status: Status
    captured_at: datetime | None = None
    time_source: str = "unknown"
    cause: Cause | None = None
    detail: str = ""
    path: str | None = None
    base: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    duration_s: float | None = None
    redactions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an item that is not there and does not say why."""
        if self.status not in {Status.CAPTURED, Status.ABSENT} and self.cause is None:
            raise DeclarationError(f"{self.kind} of {self.subject} is {self.status} without a cause")

    @property
    def id(self) -> str:
        """``<kind>:<subject>@<time>``; the time is ``unknown`` where it is."""
        return f"{self.kind}:{self.subject}@{format_time(self.captured_at) or 'unknown'}"

    @property
    def stored(self) -> bool:
        """Whether the bundle holds bytes for this item."""
        return self.path is not None


def pod_of(subject: str) -> tuple[str, str] | None:
    """Namespace and pod of a subject ``namespace/pod``; None for any other subject.

    >>> pod_of("shop/payment-v1-0")
    ('shop', 'payment-v1-0')
    >>> pod_of("VirtualService:shop/user") is None
    True
    """
    namespace, slash, name = subject.partition("/")
    return (namespace, name) if slash and ":" not in subject and name else None
