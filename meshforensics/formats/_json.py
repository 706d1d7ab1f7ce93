"""Read JSON that others wrote: strict in form, tolerant of unknown fields."""

import json
import re
from typing import Any, TypeVar, overload

import msgspec

from meshforensics.model import NotTheFormError, TruncatedError

T = TypeVar("T")
_BOM = b"\xef\xbb\xbf"
_CUT = ("Input data was truncated",)
_BLANK = re.compile(r"\s*")


@overload
def decode_json(payload: bytes, *, what: str) -> Any: ...
@overload
def decode_json(payload: bytes, type: type[T], *, what: str) -> T: ...
def decode_json(payload: bytes, type: Any = Any, *, what: str) -> Any:  # noqa: A002
    """Decode one JSON document as `type`.

    Args:
        payload: the bytes as captured; a byte order mark is skipped.
        type: what msgspec shall make of it.
        what: the form that was expected, for the message: ``"a config dump"``.

    Raises:
        TruncatedError: the document ends before it is complete.
        NotTheFormError: it is empty, no JSON, or JSON of another shape.
    """
    body = payload.removeprefix(_BOM).strip()
    if not body:
        raise NotTheFormError(f"empty, where {what} was expected")
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise NotTheFormError(f"not {what}: {error}") from error
    except msgspec.DecodeError as error:
        if str(error).startswith(_CUT):
            raise TruncatedError(f"{what} that ends in the middle, after {len(payload)} bytes") from error
        raise NotTheFormError(f"not {what}: {error}; it begins {_beginning(body)}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise NotTheFormError(f"not {what}: {error}") from error


def several_json(payload: bytes) -> list[tuple[int, bytes]] | None:
    """The JSON documents that stand one after the other, each with its first byte; None when it is something else."""
    decoder = json.JSONDecoder()
    made: list[tuple[int, bytes]] = []
    try:
        rest = payload.decode()
        end = len(_blank(rest, 0))
        place = len(rest[:end].encode())
        while end < len(rest):
            start = end
            _, end = decoder.raw_decode(rest, start)
            made.append((place, rest[start:end].encode()))
            between = _blank(rest, end)
            place += len(made[-1][1]) + len(between.encode())
            end += len(between)
    except (ValueError, RecursionError):
        return None
    return made


def _blank(text: str, start: int) -> str:
    found = _BLANK.match(text, start)
    return found.group() if found else ""


def _beginning(body: bytes) -> str:
    return repr(body[:40].decode("utf-8", "replace"))
