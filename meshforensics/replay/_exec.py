"""``exec`` over websocket channels: ``pilot-agent`` and ``pilot-discovery request GET …``, and nothing else."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web

from meshforensics.formats.pages import ADMIN_PORT, ISTIOD_PORT
from meshforensics.replay._pages import Ask

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_PORTS = {"pilot-agent": ADMIN_PORT, "pilot-discovery": ISTIOD_PORT}
_PORT_FLAG = "--debug-port"
_STDOUT, _STDERR, _ERROR = 1, 2, 3
_CHUNK = 32 * 1024
_KNOWN = "replay runs nothing; it answers `pilot-agent request GET PATH` and `pilot-discovery request GET PATH`"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command printed, and its exit code."""

    out: bytes = b""
    err: bytes = b""
    code: int = 0


def run(ask: Ask, subject: str, command: Sequence[str]) -> Ran:
    """What a command would have printed when the pages were captured."""
    words, port = _without_port(command)
    match words:
        case ["pilot-agent" | "pilot-discovery" as program, "request", method, path]:
            answer = ask(subject, port or _PORTS[program], method.upper(), path)
            if answer.status == 200:
                return Ran(out=answer.body + b"\n")  # both end what they print with a newline of their own
            said = f"Error: received unsuccessful status code {answer.status}: ".encode()
            return Ran(err=said + answer.body, code=1)
    return Ran(err=f"{_KNOWN}\n".encode(), code=126)


def _without_port(command: Sequence[str]) -> tuple[list[str], int]:
    """The command without ``--debug-port``, and the port that it says; 0 when it says none."""
    words = [word for part in command for word in part.split("=", 1)] if _PORT_FLAG in str(command) else list(command)
    if _PORT_FLAG not in words:
        return words, 0
    at = words.index(_PORT_FLAG)
    port = words[at + 1] if at + 1 < len(words) else ""
    return words[:at] + words[at + 2 :], int(port) if port.isdecimal() else 0


async def serve(request: web.Request, ran: Ran) -> web.WebSocketResponse:
    """Send what a command printed over the channels of a websocket, then its status."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    with suppress(ConnectionError):  # the client may leave at any time
        await _tell(socket, ran)
    return socket


async def _tell(socket: web.WebSocketResponse, ran: Ran) -> None:
    for channel, said in ((_STDOUT, ran.out), (_STDERR, ran.err)):
        for start in range(0, len(said), _CHUNK):
            await socket.send_bytes(bytes([channel]) + said[start : start + _CHUNK])
    await socket.send_bytes(bytes([_ERROR]) + ended(ran.code))
    await socket.close()


def ended(code: int) -> bytes:
    """The status object that ends an exec."""
    if code == 0:
        return msgspec.json.encode({"metadata": {}, "status": "Success"})
    status = {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
    return msgspec.json.encode(status)
