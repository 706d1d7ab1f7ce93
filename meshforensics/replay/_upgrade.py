"""SPDY/3.1 on the connection itself: how kubectl before 1.31 and older istioctl forward ports and run commands."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from meshforensics.replay._spdy import BrokenError, Spdy
from meshforensics.replay._status import RefusedError

PROTOCOL = "SPDY/3.1"
_VERSION = "X-Stream-Protocol-Version"


class _Wire:
    """Takes the bytes of a connection in place of the HTTP parser."""

    def __init__(self, session: Spdy, transport: asyncio.Transport) -> None:
        self._session = session
        self._transport = transport
        self.over = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Answer what came; True ends the connection."""
        try:
            for frame in self._session.receive(data):
                self._transport.write(frame)
        except BrokenError:
            self.over.set()
            return True, b""
        return False, b""

    def feed_eof(self) -> None:
        """The peer has left."""
        self.over.set()


async def serve(request: web.Request, session: Spdy, versions: Sequence[str]) -> web.StreamResponse:
    """Speak SPDY until the peer leaves.

    Raises:
        RefusedError: 400, it offers none of the versions.
    """
    offered = [each.strip() for value in request.headers.getall(_VERSION, []) for each in value.split(",")]
    version = next((each for each in versions if each in offered), None)
    if version is None or not isinstance(request.transport, asyncio.Transport):
        raise RefusedError(
            400, f"replay speaks {', '.join(versions)} here; offered were {', '.join(offered) or 'none'}"
        )
    wire = _Wire(session, request.transport)
    headers = {"Connection": "Upgrade", "Upgrade": PROTOCOL, _VERSION: version}
    response = web.StreamResponse(status=101, headers=headers)
    request.protocol.set_parser(wire)  # type: ignore[arg-type]  # it asks for feed_data and feed_eof alone
    await response.prepare(request)
    await wire.over.wait()
    request.transport.close()
    return response
