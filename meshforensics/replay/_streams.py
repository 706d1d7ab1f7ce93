"""What a pod does with the streams of a SPDY session: port-forward and exec."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from meshforensics.replay._conversation import Conversation
from meshforensics.replay._exec import Ran, ended
from meshforensics.replay._spdy import payloads

OpenPort = Callable[[int], Conversation | str]
"""A conversation with a port, or why there is none."""


@dataclass
class _Connection:
    """One forwarded connection: its error stream, and who talks on the other one."""

    error: int
    talk: Conversation


class Forwarding:
    """Port-forward: each connection is two streams of one ``requestid``, ``error`` and ``data``."""

    def __init__(self, open_port: OpenPort) -> None:
        self._open_port = open_port
        self._errors: dict[str, int] = {}
        self._connections: dict[int, _Connection] = {}

    def opened(self, stream: int, headers: dict[str, str]) -> Iterator[bytes]:
        """Connect where both streams are there."""
        if headers.get("streamtype") == "error":
            self._errors[headers.get("requestid", "")] = stream
            return
        error = self._errors.pop(headers.get("requestid", ""), 0)
        port = headers.get("port", "")
        talk = self._open_port(int(port)) if port.isdecimal() else f"port {port!r} is no number"
        if isinstance(talk, Conversation):
            self._connections[stream] = _Connection(error, talk)
            return
        yield from payloads(error, talk.encode(), last=True)
        yield from payloads(stream, b"", last=True)

    def received(self, stream: int, body: bytes, *, last: bool) -> Iterator[bytes]:
        """Answer what was asked."""
        connection = self._connections.get(stream)
        if connection is None:
            return
        yield from payloads(stream, connection.talk.receive(body) if body else b"")
        if last or connection.talk.over:
            del self._connections[stream]
            yield from payloads(connection.error, b"", last=True)
            yield from payloads(stream, b"", last=True)

    def reset(self, stream: int) -> None:
        """Forget a connection."""
        self._connections.pop(stream, None)


class Running:
    """Exec: one stream each for the status (``error``) and for what the caller wants to see."""

    def __init__(self, ran: Ran, wanted: Collection[str]) -> None:
        self._ran = ran
        self._wanted = {"error", *wanted}
        self._streams: dict[str, int] = {}

    def opened(self, stream: int, headers: dict[str, str]) -> Iterator[bytes]:
        """Say everything as soon as there are streams for it."""
        self._streams[headers.get("streamtype", "")] = stream
        if not self._wanted <= set(self._streams):
            return
        said = {"stdout": self._ran.out, "stderr": self._ran.err, "error": ended(self._ran.code)}
        for name, body in said.items():
            if name in self._wanted:
                yield from payloads(self._streams[name], body, last=True)
        self._wanted = {"nothing more"}

    def received(self, stream: int, body: bytes, *, last: bool) -> Iterator[bytes]:  # noqa: ARG002 - Streams has them
        """Nothing reads what comes in."""
        yield from ()

    def reset(self, stream: int) -> None:
        """Nothing waits for a stream."""
