"""SPDY/3.1 as far as kubectl needs it: streams, data, pings.

Flow control is not kept: the peer is on this machine. Source: the SPDY/3.1 draft (chromium.org), kubernetes
apimachinery/pkg/util/httpstream/spdy.
"""

import struct
import zlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Protocol

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING = 1, 2, 3, 6
_FIN = 1
_VERSION = 0x8003
_CHUNK = 32 * 1024
_LARGEST = 1024 * 1024
_BROKEN = (struct.error, zlib.error, UnicodeDecodeError, ValueError, IndexError)


class BrokenError(Exception):
    """The peer does not speak SPDY/3.1."""


class Streams(Protocol):
    """What the server's side does with streams; each gives the frames to send."""

    def opened(self, stream: int, headers: dict[str, str]) -> Iterator[bytes]:
        """The peer opened a stream."""

    def received(self, stream: int, body: bytes, *, last: bool) -> Iterator[bytes]:
        """The peer sent bytes on one."""

    def reset(self, stream: int) -> None:
        """The peer gave one up."""


class Spdy:
    """The server's side of one SPDY session."""

    def __init__(self, streams: Streams) -> None:
        words = files("meshforensics.replay").joinpath("spdy3_dictionary.bin").read_bytes()
        self._streams = streams
        self._inflate = zlib.decompressobj(zdict=words)
        self._deflate = zlib.compressobj(zdict=words)
        self._buffer = b""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The frames to send in answer to `data`.

        Raises:
            BrokenError: it is no SPDY/3.1.
        """
        self._buffer += data
        while len(self._buffer) >= 8:
            head, size = struct.unpack(">II", self._buffer[:8])
            flags, length = size >> 24, size & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                return
            body, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            if not head >> 31:
                yield from self._streams.received(head, body, last=bool(flags & _FIN))
                continue
            try:
                yield from self._control(head & 0xFFFF, body)
            except _BROKEN as error:
                raise BrokenError(str(error)) from error

    def _control(self, kind: int, body: bytes) -> Iterator[bytes]:
        if kind == _SYN_STREAM:
            stream = struct.unpack(">I", body[:4])[0]
            headers = self._headers(body[10:])
            yield _frame(_SYN_REPLY, struct.pack(">I", stream) + self._no_headers())
            yield from self._streams.opened(stream, headers)
        elif kind == _PING:
            yield _frame(_PING, body)
        elif kind == _RST_STREAM:
            self._streams.reset(struct.unpack(">I", body[:4])[0])

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block, _LARGEST)
        count, at = struct.unpack(">I", plain[:4])[0], 4
        words = []
        for _ in range(2 * min(count, len(plain))):
            length = struct.unpack(">I", plain[at : at + 4])[0]
            words.append(plain[at + 4 : at + 4 + length].decode("latin-1"))
            at += 4 + length
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    def _no_headers(self) -> bytes:
        return self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def payloads(stream: int, body: bytes, *, last: bool = False) -> Iterator[bytes]:
    """The frames that carry bytes on a stream, and with `last` its end."""
    for start in range(0, len(body), _CHUNK):
        yield _payload(stream, body[start : start + _CHUNK])
    if last:
        yield _payload(stream, b"", flags=_FIN)


def _payload(stream: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack(">II", stream, (flags << 24) | len(body)) + body


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HHI", _VERSION, kind, len(body)) + body
