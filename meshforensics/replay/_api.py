"""The read-only Kubernetes API over a bundle, as an aiohttp application."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial

import msgspec
from aiohttp import web

from meshforensics.model import BundleError
from meshforensics.replay import _exec, _forward
from meshforensics.replay._access import review
from meshforensics.replay._conversation import Conversation
from meshforensics.replay._discovery import document
from meshforensics.replay._logs import log
from meshforensics.replay._objects import Place, answer, object_named, place_of, watched
from meshforensics.replay._pages import Ask, page
from meshforensics.replay._state import State
from meshforensics.replay._status import READ_ONLY, RefusedError, as_json, failure

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HEALTH = (["healthz"], ["livez"], ["readyz"])
_UPGRADE = "replay serves exec and port-forward over websockets: use kubectl 1.31 or newer"


@dataclass(frozen=True, kw_only=True)
class Api:
    """What answers requests.

    Attributes:
        state: the bundle as of an instant.
        token: what callers must show.
        ask: answers for the ports of pods; tests put faults before it.
    """

    state: State
    token: str
    ask: Ask

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; trouble becomes a Status object."""
        try:
            return await self._answer(request)
        except RefusedError as error:
            return failure(error.code, error.message)
        except BundleError as error:
            return failure(500, str(error))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        parts = [part for part in request.path.split("/") if part]
        if parts[:2] == ["apis", "authorization.k8s.io"] and request.method == "POST":
            return as_json(review(parts[-1], await _body(request)), 201)
        match parts:
            case ["api", "v1", "namespaces", namespace, "pods", name, "exec" | "portforward" as what]:
                return await self._stream(request, (namespace, name), what)
        if request.method not in {"GET", "HEAD"}:
            raise RefusedError(405, READ_ONLY)
        return await self._read(request, parts)

    async def _read(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        if parts in _HEALTH:
            return web.Response(text="ok")
        match parts:
            case ["api", "v1", "namespaces", namespace, "pods", name, "log"]:
                return web.Response(body=log(self.state, (namespace, name), request.query), content_type="text/plain")
        found = document(self.state, parts)
        if found is not None:
            return as_json(found)
        place = place_of(parts)
        if place is None:
            raise RefusedError(404, "the server could not find the requested resource")
        accept = request.headers.get("Accept", "")
        if request.query.get("watch") in {"1", "true"}:
            return await self._watch(request, place, accept)
        return as_json(answer(self.state, place, request.query, accept))

    async def _watch(self, request: web.Request, place: Place, accept: str) -> web.StreamResponse:
        events = watched(self.state, place, request.query, accept)
        stream = web.StreamResponse(headers={"Content-Type": "application/json", **self.date})
        await stream.prepare(request)
        for event in events:
            await stream.write(msgspec.json.encode(event) + b"\n")
        await stream.write_eof()
        return stream

    async def _stream(self, request: web.Request, pod: tuple[str, str], what: str) -> web.StreamResponse:
        object_named(self.state, pod)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise RefusedError(400, _UPGRADE)
        subject = "/".join(pod)
        if what == "exec":
            return await _exec.serve(request, _exec.run(self.ask, subject, request.query.getall("command", [])))
        ports = [part for value in request.query.getall("ports", []) for part in value.split(",")]
        if not all(port.isdecimal() for port in ports):
            raise RefusedError(400, f"ports {', '.join(ports)!r} are no numbers")
        return await _forward.serve(request, [int(port) for port in ports], partial(self._open, subject))

    def _open(self, subject: str, port: int) -> Conversation | str:
        held = self.state.ports_of(subject)
        if port not in held:
            ports = ", ".join(str(each) for each in sorted(held)) or "none"
            return f"nothing of port {port} of {subject} is in this bundle; pages of these ports are: {ports}"
        return Conversation(self.state, partial(self.ask, subject, port))

    def _authenticate(self, request: web.Request) -> None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), self.token.encode()):
            raise RefusedError(401, "Unauthorized: use the kubeconfig that replay wrote")

    @property
    def date(self) -> dict[str, str]:
        """The header that says what time it is here; none where the capture time is unknown."""
        return {"Date": format_datetime(self.state.at, usegmt=True)} if self.state.at else {}


def application(api: Api) -> web.Application:
    """The application that serves an API."""

    async def date(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(api.date)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    app.on_response_prepare.append(date)
    return app


def api_of(state: State, token: str) -> Api:
    """The API over a state."""
    return Api(state=state, token=token, ask=partial(page, state))


async def _body(request: web.Request) -> dict[str, object]:
    if request.content_type != "application/json":
        raise RefusedError(415, f"replay reads application/json, not {request.content_type}")
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, object])
    except msgspec.DecodeError as error:
        raise RefusedError(400, f"the body is no JSON object: {error}") from error
