"""HTTP/1.1 over a stream of bytes that somebody else carries: a port-forward."""

from typing import Protocol

import h11

from meshforensics.capture._reply import LARGEST, Reply, TroubleError
from meshforensics.model import Cause


class Stream(Protocol):
    """A connection to a port of a pod."""

    async def send(self, data: bytes) -> None:
        """Send bytes."""

    async def receive(self) -> bytes:
        """The next bytes; none at the end. Raises TroubleError where they do not come."""


class Talk:
    """One connection on which pages are asked, one after the other."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._connection = h11.Connection(h11.CLIENT)

    @property
    def over(self) -> bool:
        """Whether nothing more can be asked here."""
        return self._connection.our_state is not h11.IDLE

    async def get(self, path: str) -> Reply:
        """Ask for a page.

        Raises:
            TroubleError: no answer came, or nothing that is HTTP.
        """
        request = h11.Request(method="GET", target=path, headers=[("Host", "localhost"), ("Accept", "*/*")])
        await self._stream.send((self._connection.send(request) or b"") + self._end())
        head: h11.Response | None = None
        parts: list[bytes] = []
        try:
            head = await self._head()
            broken = await self._body(parts)
        except h11.RemoteProtocolError as error:
            broken = f"the answer broke off ({error})"
        except TroubleError as error:
            if not parts:
                raise
            broken = error.detail
        if head is None:
            raise TroubleError(Cause.RESET, broken)
        return _reply(head, parts, broken)

    def _end(self) -> bytes:
        return self._connection.send(h11.EndOfMessage()) or b""

    async def _head(self) -> h11.Response:
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.ConnectionClosed):
                raise TroubleError(Cause.RESET, "the connection was closed before an answer")

    async def _body(self, parts: list[bytes]) -> str:
        """Read the body into `parts`; why it is not whole, or nothing."""
        size = 0
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > LARGEST:
                    return f"larger than {LARGEST} bytes: not read further"
            elif isinstance(event, h11.EndOfMessage):
                if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
                    self._connection.start_next_cycle()
                return ""
            elif isinstance(event, h11.ConnectionClosed):
                return "the connection was closed in the middle"

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                self._connection.receive_data(await self._stream.receive())
            elif event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # NEED_DATA was excluded


def _reply(head: h11.Response, parts: list[bytes], broken: str) -> Reply:
    date = next((value.decode("latin-1") for name, value in head.headers if name == b"date"), "")
    return Reply(status=head.status_code, body=b"".join(parts), broken=broken, date=date)
