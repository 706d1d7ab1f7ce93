"""SPDY/3.1 as far as a port-forward needs it: streams, data, pings; a page's bytes in, a page's answer out.

Each connection that kubectl forwards is two streams of one ``requestid``: ``error`` and ``data``. Flow control
is not kept: the peer is on this machine. Source: the SPDY/3.1 draft (chromium.org), kubernetes
apimachinery/pkg/util/httpstream/spdy.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from meshforensics.replay._conversation import Conversation

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING = 1, 2, 3, 6
_FIN = 1
_VERSION = 0x8003
_CHUNK = 32 * 1024


@dataclass
class _Connection:
    """One forwarded connection: its two streams, and who talks."""

    error: int
    talk: Conversation


class Spdy:
    """The server's side of one SPDY session."""

    def __init__(self, open_port: Callable[[int], Conversation | str]) -> None:
        words = files("meshforensics.replay").joinpath("spdy3_dictionary.bin").read_bytes()
        self._open_port = open_port
        self._inflate = zlib.decompressobj(zdict=words)
        self._deflate = zlib.compressobj(zdict=words)
        self._buffer = b""
        self._errors: dict[str, int] = {}
        self._connections: dict[int, _Connection] = {}

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The frames to send in answer to `data`."""
        self._buffer += data
        while len(self._buffer) >= 8:
            head, size = struct.unpack(">II", self._buffer[:8])
            flags, length = size >> 24, size & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                return
            body, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            if head >> 31:
                yield from self._control(head & 0xFFFF, body)
            else:
                yield from self._data(head & 0x7FFFFFFF, flags, body)

    def _control(self, kind: int, body: bytes) -> Iterator[bytes]:
        if kind == _SYN_STREAM:
            stream = struct.unpack(">I", body[:4])[0]
            headers = self._headers(body[10:])
            yield _frame(_SYN_REPLY, struct.pack(">I", stream) + self._no_headers())
            if headers.get("streamtype") == "error":
                self._errors[headers.get("requestid", "")] = stream
            elif headers.get("streamtype") == "data":
                yield from self._connect(stream, headers)
        elif kind == _PING:
            yield _frame(_PING, body)
        elif kind == _RST_STREAM:
            self._connections.pop(struct.unpack(">I", body[:4])[0], None)

    def _connect(self, stream: int, headers: dict[str, str]) -> Iterator[bytes]:
        error = self._errors.pop(headers.get("requestid", ""), 0)
        talk = self._open_port(int(headers.get("port", "0")))
        if isinstance(talk, Conversation):
            self._connections[stream] = _Connection(error, talk)
            return
        yield _payload(error, talk.encode(), last=True)
        yield _payload(stream, b"", last=True)

    def _data(self, stream: int, flags: int, body: bytes) -> Iterator[bytes]:
        connection = self._connections.get(stream)
        if connection is None:
            return
        said = connection.talk.receive(body) if body else b""
        for start in range(0, len(said), _CHUNK):
            yield _payload(stream, said[start : start + _CHUNK])
        if flags & _FIN or connection.talk.over:
            del self._connections[stream]
            yield _payload(connection.error, b"", last=True)
            yield _payload(stream, b"", last=True)

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block)
        count, at = struct.unpack(">I", plain[:4])[0], 4
        words = []
        for _ in range(2 * count):
            length = struct.unpack(">I", plain[at : at + 4])[0]
            words.append(plain[at + 4 : at + 4 + length].decode("latin-1"))
            at += 4 + length
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    def _no_headers(self) -> bytes:
        return self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HHI", _VERSION, kind, len(body)) + body


def _payload(stream: int, body: bytes, *, last: bool = False) -> bytes:
    return struct.pack(">II", stream, (int(last) << 24) | len(body)) + body
