"""Exec and port-forward of a pod, in whichever protocol the caller speaks."""

from collections.abc import Sequence
from functools import partial

from aiohttp import web

from meshforensics.replay import _exec, _forward, _upgrade
from meshforensics.replay._conversation import Conversation
from meshforensics.replay._moments import Moments
from meshforensics.replay._objects import object_named
from meshforensics.replay._pages import PORTS, Ask
from meshforensics.replay._spdy import Spdy
from meshforensics.replay._state import Name
from meshforensics.replay._status import RefusedError
from meshforensics.replay._streams import Forwarding, Running

_UPGRADE = f"replay serves exec and port-forward over websockets and {_upgrade.PROTOCOL}; this asks for neither"
_FORWARD = ("portforward.k8s.io",)
_EXEC = ("v4.channel.k8s.io",)


async def stream(request: web.Request, moments: Moments, ask: Ask, pod: Name, what: str) -> web.StreamResponse:
    """Serve an exec or a port-forward.

    Raises:
        RefusedError: no such pod, or no protocol that is served.
    """
    object_named(moments.now(), pod)
    asked = request.headers.get("Upgrade", "").lower()
    if asked not in {"websocket", _upgrade.PROTOCOL.lower()}:
        raise RefusedError(400, _UPGRADE)
    subject = "/".join(pod)
    if what == "exec":
        return await _run(request, _exec.run(ask, subject, request.query.getall("command", [])), asked)
    open_port = partial(_open, moments, ask, subject)
    if asked == "websocket":
        return await _forward.serve(request, _ports(request), open_port)
    return await _upgrade.serve(request, Spdy(Forwarding(open_port)), _FORWARD)


async def _run(request: web.Request, ran: _exec.Ran, asked: str) -> web.StreamResponse:
    if asked == "websocket":
        return await _exec.serve(request, ran)
    wanted = [name for name in ("stdout", "stderr") if request.query.get(name) in {"true", "1"}]
    return await _upgrade.serve(request, Spdy(Running(ran, wanted)), _EXEC)


def _ports(request: web.Request) -> Sequence[int]:
    ports = [part for value in request.query.getall("ports", []) for part in value.split(",")]
    if not all(port.isdecimal() for port in ports):
        raise RefusedError(400, f"ports {', '.join(ports)!r} are no numbers")
    return [int(port) for port in ports]


def _open(moments: Moments, ask: Ask, subject: str, port: int) -> Conversation | str:
    """A conversation with a port whose pages are captured; whoever asks there is told which are not."""
    if port in PORTS:
        return Conversation(moments, partial(ask, subject, port))
    held = ", ".join(str(each) for each in sorted(moments.now().ports_of(subject))) or "none"
    return f"port {port} of {subject} is none of which pages are captured; pages of these ports are: {held}"
