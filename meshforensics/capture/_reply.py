"""What came back for one question, and what it means for the item."""

from dataclasses import dataclass

import msgspec

from meshforensics.formats.worth import Worth, worth
from meshforensics.model import Cause, Status

LARGEST = 256 * 1024**2
"""No body is read further than this."""
AGAIN = frozenset((429, 500, 502, 503, 504))
"""Answers that a second attempt may better."""
_REFUSED = (401, 403)
_SAID = 300


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        status: the HTTP status.
        body: the body, as received.
        broken: why the body is not whole; empty when it is.
        retry_after: seconds that the server asks to wait; None when it does not say.
        date: the server's own clock, as it wrote it.
    """

    status: int
    body: bytes = b""
    broken: str = ""
    retry_after: float | None = None
    date: str = ""


class TroubleError(Exception):
    """No answer came: the cause, and what is known about it."""

    def __init__(self, cause: Cause, detail: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        """Whether the API server does not permit it."""
        return self.cause is Cause.FORBIDDEN


class ClosedPortError(TroubleError):
    """Nobody listens on that port of the pod: to ask for its other pages is in vain."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of an item: its bytes where there are any, and why not where there are none."""

    status: Status
    cause: Cause | None = None
    detail: str = ""
    payload: bytes | None = None


def outcome_of(kind: str, reply: Reply) -> Outcome:
    """The outcome of an answer; an error text is never taken for evidence."""
    if reply.status == 200:
        return _received(kind, reply)
    status, cause = _refusal(reply.status)
    return Outcome(status=status, cause=cause, detail=f"HTTP {reply.status}: {message(reply.body)}")


def outcome_of_trouble(trouble: TroubleError) -> Outcome:
    """The outcome where no answer came."""
    return Outcome(status=Status.FAILED, cause=trouble.cause, detail=trouble.detail)


def _received(kind: str, reply: Reply) -> Outcome:
    status, cause, detail = _worth(kind, reply)
    if not reply.body:
        return Outcome(status=status, cause=cause, detail=reply.broken or detail)
    return Outcome(status=status, cause=cause, detail=detail, payload=reply.body)


def _worth(kind: str, reply: Reply) -> Worth:
    if reply.broken and reply.body:
        return Status.PARTIAL, Cause.TRUNCATED, f"{reply.broken}, after {len(reply.body)} bytes"
    return worth(kind, reply.body)


def _refusal(status: int) -> tuple[Status, Cause | None]:
    if status in _REFUSED:
        return Status.FAILED, Cause.FORBIDDEN
    if status == 404:
        return Status.ABSENT, None
    if status == 410:
        return Status.FAILED, Cause.GONE
    if status == 504:
        return Status.FAILED, Cause.TIMEOUT
    return Status.FAILED, Cause.NOT_THE_FORM


def message(body: bytes) -> str:
    """What an error body says, short: the message of a Status object, else its text.

    >>> message(b'{"kind": "Status", "message": "no such pod"}')
    'no such pod'
    """
    try:
        said = msgspec.json.decode(body, type=dict[str, object]).get("message")
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    text = said if isinstance(said, str) else body[:_SAID].decode("utf-8", "replace")
    return " ".join(text.split())[:_SAID]
