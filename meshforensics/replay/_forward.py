"""Port-forward to captured pages: websocket channels for Python clients, SPDY inside a websocket for kubectl."""

import struct
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import WSMsgType, web

from meshforensics.replay._conversation import Conversation
from meshforensics.replay._spdy import BrokenError, Spdy
from meshforensics.replay._streams import Forwarding, OpenPort

SPDY_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"
_CHUNK = 32 * 1024


async def serve(request: web.Request, ports: Sequence[int], open_port: OpenPort) -> web.WebSocketResponse:
    """Serve a port-forward in the protocol that the client offers."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if SPDY_PROTOCOL in offered:
        return await _spdy(request, open_port)
    return await _channels(request, ports, open_port)


async def _spdy(request: web.Request, open_port: OpenPort) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=(SPDY_PROTOCOL,), max_msg_size=0)
    await socket.prepare(request)
    session = Spdy(Forwarding(open_port))
    with suppress(ConnectionError, BrokenError):  # the client may leave at any time
        async for message in socket:
            for frame in session.receive(message.data) if message.type is WSMsgType.BINARY else ():
                await socket.send_bytes(frame)
    return socket


async def _channels(request: web.Request, ports: Sequence[int], open_port: OpenPort) -> web.WebSocketResponse:
    """Two channels a port: data and error; each begins with the port's number."""
    socket = web.WebSocketResponse(protocols=(CHANNELS,), max_msg_size=0)
    await socket.prepare(request)
    with suppress(ConnectionError):  # the client may leave at any time
        await _begin(socket, ports, open_port)
    return socket


async def _begin(socket: web.WebSocketResponse, ports: Sequence[int], open_port: OpenPort) -> None:
    opened = {2 * number: open_port(port) for number, port in enumerate(ports)}
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
    for channel, talk in opened.items():
        if isinstance(talk, str):
            await socket.send_bytes(bytes([channel + 1]) + talk.encode())
    talks = {channel: talk for channel, talk in opened.items() if isinstance(talk, Conversation)}
    if talks:
        await _converse(socket, talks)
    await socket.close()


async def _converse(socket: web.WebSocketResponse, talks: dict[int, Conversation]) -> None:
    """Answer what comes until every conversation is over, or the client leaves."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        talk = talks.get(message.data[0])
        if talk is None:
            continue
        said = talk.receive(message.data[1:])
        for start in range(0, len(said), _CHUNK):
            await socket.send_bytes(message.data[:1] + said[start : start + _CHUNK])
        if all(each.over for each in talks.values()):
            return
