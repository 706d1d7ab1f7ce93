"""The read-only Kubernetes API over a bundle, as an aiohttp application."""

import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime

import msgspec
from aiohttp import web

from meshforensics.model import BundleError
from meshforensics.replay import _protobuf
from meshforensics.replay._access import ACCESS, review, reviewed
from meshforensics.replay._answer import Answer
from meshforensics.replay._discovery import document
from meshforensics.replay._logs import log
from meshforensics.replay._moments import Moments
from meshforensics.replay._objects import Place, answer, place_of
from meshforensics.replay._pages import Ask, page
from meshforensics.replay._state import State
from meshforensics.replay._status import NOT_FOUND, RefusedError, as_json, failure
from meshforensics.replay._stream import stream
from meshforensics.replay._trial import refuse_to_write, tried
from meshforensics.replay._watch import Watch

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HEALTH = (["healthz"], ["livez"], ["readyz"])


@dataclass(frozen=True, kw_only=True)
class Api:
    """What answers requests.

    Attributes:
        moments: the states of the bundle, one after the other.
        token: what callers must show.
        ask: answers for the ports of pods; a lab has its proxies answer, tests put faults before it.
    """

    moments: Moments
    token: str
    ask: Ask

    @property
    def state(self) -> State:
        """The bundle as of this moment."""
        return self.moments.now()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; trouble becomes a Status object."""
        try:
            return await self._answer(request)
        except RefusedError as error:
            return failure(error.code, error.message)
        except BundleError as error:
            return failure(500, str(error))
        except ConnectionError:
            return web.Response()  # the client has left: nobody reads it

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        parts = [part for part in request.path.split("/") if part]
        about = reviewed(parts)
        if about and request.method == "POST":
            return as_json(review(*about, await _body(request, attributes=about[1] == ACCESS)), 201)
        match parts:
            case ["api", "v1", "namespaces", namespace, "pods", name, "exec" | "portforward" as what]:
                return await stream(request, self.moments, self.ask, (namespace, name), what)
        if request.method not in {"GET", "HEAD"}:
            return await self._try(request, parts)
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
            raise RefusedError(404, NOT_FOUND)
        accept = request.headers.get("Accept", "")
        if request.query.get("watch") in {"1", "true"}:
            return await self._watch(request, place, accept)
        return as_json(answer(self.state, place, request.query, accept))

    async def _try(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        place = place_of(parts)
        refuse_to_write(place, request.method, request.content_type, request.query.get("dryRun", ""))
        assert place is not None
        return as_json(tried(self.state, place, await request.read(), patch=request.method == "PATCH"))

    async def _watch(self, request: web.Request, place: Place, accept: str) -> web.StreamResponse:
        watch = Watch(self.moments, place, request.query, accept)
        first = watch.first()
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        with suppress(ConnectionError):  # the client may leave at any time
            for event in first:
                await stream.write(msgspec.json.encode(event) + b"\n")
            async for event in watch.following():
                await stream.write(msgspec.json.encode(event) + b"\n")
            await stream.write_eof()
        return stream

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self.token.encode()):
            raise RefusedError(401, "Unauthorized: use the kubeconfig that replay wrote")

    @property
    def date(self) -> dict[str, str]:
        """The header that says what time it is here; none where the capture time is unknown."""
        at = self.moments.at
        return {"Date": format_datetime(at, usegmt=True)} if at else {}


def application(api: Api) -> web.Application:
    """The application that serves an API."""

    async def date(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(api.date)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    app.on_response_prepare.append(date)
    return app


def api_of(moments: Moments, token: str) -> Api:
    """The API over the states of a bundle."""

    def ask(subject: str, port: int, method: str, target: str) -> Answer:
        return page(moments.now(), subject, port, method, target)

    return Api(moments=moments, token=token, ask=ask)


async def _body(request: web.Request, *, attributes: bool) -> dict[str, object]:
    """The review that was sent, as JSON or as the protobuf of kubectl, of which only attributes are read."""
    body = await request.read()
    try:
        if request.content_type == _protobuf.MEDIA_TYPE:
            return _protobuf.access_review(body) if attributes else {}
        if request.content_type == "application/json":
            return msgspec.json.decode(body, type=dict[str, object])
    except (ValueError, RecursionError) as error:  # msgspec's is a ValueError
        raise RefusedError(400, f"the body is no review: {error}") from error
    raise RefusedError(415, f"replay reads application/json and {_protobuf.MEDIA_TYPE}, not {request.content_type}")
