"""One TCP connection to a pod's port, as bytes in and bytes out: HTTP/1.1 over the captured pages."""

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Protocol

import h11

from meshforensics.replay._answer import Answer


class Clock(Protocol):
    """Whoever knows what time it is."""

    @property
    def at(self) -> datetime | None:
        """The instant; None where no capture time is known."""


Pages = Callable[[str, str], Answer]
"""Method and target to an answer."""


class Conversation:
    """Answers requests, one after the other, until the caller or HTTP says that it is over."""

    def __init__(self, clock: Clock, pages: Pages) -> None:
        self._pages = pages
        self._clock = clock
        self._connection = h11.Connection(h11.SERVER)

    @property
    def over(self) -> bool:
        """Whether nothing more will be said."""
        return self._connection.our_state in {h11.CLOSED, h11.MUST_CLOSE, h11.ERROR}

    def receive(self, data: bytes) -> bytes:
        """What is said in answer to `data`."""
        said = b""
        try:
            self._connection.receive_data(data)
            while True:
                event = self._connection.next_event()
                if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                    return said
                if isinstance(event, h11.Request):
                    method, target = event.method.decode(), event.target.decode("latin-1")
                if isinstance(event, h11.EndOfMessage):
                    said += self._respond(method, self._pages(method, target))
        except h11.RemoteProtocolError as error:
            return said + self._refuse(error)

    def _respond(self, method: str, answer: Answer) -> bytes:
        said = self._say(answer, without_body=method == "HEAD")
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
        return said

    def _say(self, answer: Answer, *, without_body: bool = False) -> bytes:
        headers = [("content-type", answer.content_type), ("content-length", str(len(answer.body)))]
        if at := self._clock.at:
            headers.append(("date", format_datetime(at, usegmt=True)))
        if answer.note:
            headers.append(("warning", f'199 - "{answer.note}"'))
        parts = [self._connection.send(h11.Response(status_code=answer.status, headers=headers))]
        if not without_body:
            parts.append(self._connection.send(h11.Data(data=answer.body)))
        parts.append(self._connection.send(h11.EndOfMessage()))
        return b"".join(part for part in parts if part)

    def _refuse(self, error: h11.RemoteProtocolError) -> bytes:
        """Bytes that are no HTTP: say so where HTTP still allows it."""
        if self._connection.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return b""
        return self._say(Answer(status=error.error_status_hint, body=f"{error}\n".encode()))
