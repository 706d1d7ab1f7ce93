"""What a page of a pod says, and why it says nothing."""

from collections.abc import Callable
from dataclasses import dataclass

JSON = "application/json"
TEXT = "text/plain; charset=UTF-8"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a page says.

    Attributes:
        note: how far it may differ from what the captured proxy would have said; empty where it does not.
    """

    status: int
    body: bytes
    content_type: str = TEXT
    note: str = ""


class NoAnswerError(Exception):
    """A question that is answered by an error: one that the proxy itself would give, or that bytes cannot answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def cannot(why: str) -> NoAnswerError:
    """The captured bytes do not tell what was asked."""
    return NoAnswerError(501, f"replay cannot do this with captured evidence: {why}\n")


Query = dict[str, str]
"""Parameters of a page by name; the first value of each counts, as in Envoy."""
Shape = Callable[[bytes, Query], Answer]
"""Makes of captured bytes what a query asks of them."""
