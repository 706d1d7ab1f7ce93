"""Envoy's ``/listeners``: the addresses that are really bound, as text or JSON (Envoy admin.rst)."""

import re
from collections.abc import Iterator

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._text_lines import shown, whole_lines
from meshforensics.formats._xds_message import Message, address_of
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /listeners"
_LINE = re.compile(r"(?P<name>\S+)::(?P<address>(?:\[[^\]\s]*\]|[\d.]+):\d+|(?:/|@|envoy://)\S*)\Z")


class BoundListener(msgspec.Struct, frozen=True):
    """One listener with one of its addresses; a nameless static listener has a random name."""

    pointer: str
    name: str
    address: str | None


class BoundListeners(msgspec.Struct, frozen=True):
    """The listeners of an answer, in its order; `unread` are lines of another form, from 1."""

    listeners: tuple[BoundListener, ...]
    unread: tuple[int, ...] = ()


def decode(payload: bytes) -> BoundListeners:
    """The listeners of an answer of ``/listeners``.

    Raises:
        TruncatedError: JSON that ends in the middle; text is read to its last whole line.
        NotTheFormError: it is something else.
    """
    if payload.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        document = decode_json(payload, what=_WHAT)
        if not isinstance(document, dict) or not {"listener_statuses", "listenerStatuses"} & set(document):
            raise NotTheFormError(f"not {_WHAT}: JSON without listener_statuses")
        return BoundListeners(tuple(_of_json(Message(document, ""))))
    return _of_text(payload)


def _of_text(payload: bytes) -> BoundListeners:
    found: list[BoundListener] = []
    unread: list[tuple[int, str]] = []
    for number, line in whole_lines(payload, what=_WHAT):
        bound = _LINE.match(line)
        if bound:
            found.append(BoundListener(f"L{number}", bound["name"], bound["address"]))
        elif line.strip():
            unread.append((number, line))
    if len(unread) > len(found) or not found:
        raise NotTheFormError(f"not {_WHAT}: line {unread[0][0]} is {shown(unread[0][1])}")
    return BoundListeners(tuple(found), tuple(number for number, _ in unread))


def _of_json(top: Message) -> Iterator[BoundListener]:
    for status in top.messages("listener_statuses"):
        name = status.text("name") or ""
        yield BoundListener(status.pointer, name, address_of(status.message("local_address")))
        for more in status.messages("additional_local_addresses"):
            yield BoundListener(more.pointer, name, address_of(more))
