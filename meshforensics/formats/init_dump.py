"""Envoy's ``/init_dump``: what the proxy waits for before it serves (Envoy admin.rst)."""

from collections.abc import Iterator

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._xds_message import Message
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /init_dump"


class AwaitedTarget(msgspec.Struct, frozen=True):
    """One target that an init manager of Envoy waits for."""

    pointer: str
    manager: str
    target: str


class InitDump(msgspec.Struct, frozen=True):
    """The targets that are not ready; none when nothing is awaited."""

    targets: tuple[AwaitedTarget, ...]


def decode(payload: bytes) -> InitDump:
    """The awaited targets of an answer of ``/init_dump``; a proxy that waits for nothing answers ``{}``.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is something else.
    """
    document = decode_json(payload, what=_WHAT)
    if not isinstance(document, dict) or (document and not Message(document, "").has("unready_targets_dumps")):
        raise NotTheFormError(f"not {_WHAT}: JSON without unready_targets_dumps")
    return InitDump(tuple(_targets(Message(document, ""))))


def _targets(top: Message) -> Iterator[AwaitedTarget]:
    for dump in top.messages("unready_targets_dumps"):
        manager = (dump.text("name") or "").removeprefix("init manager ")
        key, names = dump.find("target_names")
        for index, name in enumerate(names if isinstance(names, list) else []):
            yield AwaitedTarget(f"{dump.pointer}/{key}/{index}", manager, str(name))
