"""Decode each distinct xDS resource once.

A mesh of a thousand sidecars holds the same clusters and routes a thousand times. Resources are known by
their bytes, so that a repeated one costs a comparison of memory; only a new one is parsed.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from meshforensics.formats._xds_cluster import Cluster, read_cluster
from meshforensics.formats._xds_endpoint import Assignment, read_assignment
from meshforensics.formats._xds_listener import Listener, inline_routes, read_listener
from meshforensics.formats._xds_message import Message
from meshforensics.formats._xds_route import RouteConfig, read_route_config
from meshforensics.formats._xds_secret import Secret, read_secret
from meshforensics.model import NotTheFormError

Kind = Literal["cluster", "listener", "route", "endpoint", "secret", "scoped_route", "ecds"]
Record = Cluster | Listener | RouteConfig | Assignment | Secret | None

REMEMBERED = 256 * 2**20
"""Bytes of resources that are kept for comparison; resources beyond are known by digest only."""

_HEAD = 192
_ADDRESS = re.compile(rb'"((?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?=[0-9a-fA-F.]*:[0-9a-fA-F.]*:)[0-9a-fA-F:.]+)"')
"""An IP address that is all of a text."""
_READ: dict[str, Callable[[Message], Record]] = {
    "cluster": read_cluster,
    "listener": read_listener,
    "route": read_route_config,
    "endpoint": read_assignment,
    "secret": read_secret,
}


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One distinct resource.

    Attributes:
        kind: which of the discovery services it belongs to.
        id: hash of its content without ``@type``, independent of indentation and order of keys.
        name: its name; None for a nameless one.
        record: what it says; None for a kind whose content is not read.
        inner: route configurations inside a listener, with their place in it.
        outline: of a listener, hash of its content without the IP addresses in it.
        ips: of a listener, those addresses, in the order of sorted keys.
    """

    kind: Kind
    id: str
    name: str | None
    record: Record
    inner: tuple[tuple[str, "Resource"], ...] = ()
    outline: str = ""
    ips: tuple[str, ...] = ()


class Known(msgspec.Struct):
    """A resource with the bytes it was printed as; `raw` is empty for one that is known by digest only."""

    raw: bytes
    resource: Resource


class Resources:
    """Every resource seen so far in one investigation, by content."""

    def __init__(self) -> None:
        self._known: dict[tuple[Kind, bytes], Known] = {}
        self._recent: dict[tuple[Kind, bytes], Known] = {}
        self._resources: dict[tuple[str, str], Resource] = {}
        self._texts: dict[bytes, str] = {}
        self._held = 0

    def __len__(self) -> int:
        return len(self._resources)

    def text(self, raw: bytes | None) -> str | None:
        """A text that many entries repeat, such as a version; held once."""
        if not raw:
            return None
        text = self._texts.get(raw)
        if text is None:
            text = self._texts[raw] = raw.decode()
        return text

    def at(self, kind: Kind, payload: bytes, start: int, close: bytes) -> tuple[Known, int] | None:
        """The resource that begins at `start` of `payload`, and where it ends.

        Args:
            kind: of the resource.
            payload: pretty printed JSON.
            start: the place of its ``{``.
            close: how its last line reads: line break, indentation, ``}``; None is returned without it.

        Raises:
            NotTheFormError: what lies between is no JSON object, or not of the form.
        """
        head = (kind, payload[start : start + _HEAD])
        found = self._recent.get(head)
        if found is not None and payload.startswith(found.raw, start):
            end = start + len(found.raw)
        else:
            end = payload.find(close, start) + len(close)
            if end < len(close):
                return None
            found = self._of_bytes(kind, payload[start:end])
        if found.raw:
            self._recent[head] = found
        return found, end

    def of(self, kind: Kind, value: dict[str, Any]) -> Resource:
        """The resource that `value` is; for dumps of other shapes, which are parsed as a whole."""
        return self._of_bytes(kind, _encoded(value)).resource

    def _of_bytes(self, kind: Kind, raw: bytes) -> Known:
        found = self._known.get((kind, raw))
        if found is not None:
            return found
        if self._held + len(raw) > REMEMBERED:
            return self._of_digest(kind, raw)
        made = self._known[kind, raw] = Known(raw, self._resource(kind, _parsed(kind, raw)))
        self._held += len(raw)
        return made

    def _of_digest(self, kind: Kind, raw: bytes) -> Known:
        """What `_of_bytes` gives, without keeping the bytes."""
        key = (kind, hashlib.sha256(raw).digest())
        if key not in self._known:
            self._known[key] = Known(b"", self._resource(kind, _parsed(kind, raw)))
        return self._known[key]

    def _resource(self, kind: Kind, value: dict[str, Any]) -> Resource:
        content = {name: field for name, field in value.items() if name != "@type"}
        encoded = _encoded(content)
        identity = hashlib.sha256(encoded).hexdigest()[:16]
        key = (kind, identity)
        if key not in self._resources:
            self._resources[key] = self._read(kind, identity, encoded, Message(value, ""))
        return self._resources[key]

    def _read(self, kind: Kind, identity: str, encoded: bytes, message: Message) -> Resource:
        reader = _READ.get(kind)
        record = reader(message) if reader else None
        inner: tuple[tuple[str, Resource], ...] = ()
        outline, ips = _outline(encoded) if kind == "listener" else ("", ())
        if kind == "listener":
            found = inline_routes(message)
            inner = tuple((held.pointer, self._resource("route", held.value)) for held in found)
        name = message.text("name") or message.text("cluster_name")
        return Resource(kind=kind, id=identity, name=name, record=record, inner=inner, outline=outline, ips=ips)


def _outline(encoded: bytes) -> tuple[str, tuple[str, ...]]:
    """The hash of a resource without its IP addresses, and those."""
    ips = tuple(found.decode() for found in _ADDRESS.findall(encoded))
    return hashlib.sha256(_ADDRESS.sub(b'""', encoded)).hexdigest()[:16], ips


def _parsed(kind: Kind, raw: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotTheFormError(f"not a config dump: a {kind} in it is no JSON: {error}") from error


def _encoded(value: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(value, order="sorted")
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise NotTheFormError(f"not a config dump: a value in it cannot be JSON: {error}") from error
