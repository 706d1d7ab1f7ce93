"""The Kubernetes client, behind this one module: raw bodies, exec and port-forward as raw frames."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import msgspec
from multidict import CIMultiDict

from meshforensics.capture._pace import Pace
from meshforensics.capture._read import Trouble, read_body
from meshforensics.capture._reply import ClosedPortError, Reply, TroubleError, message
from meshforensics.model import Cause

JSON = "application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""What a server prints of objects: names, ages and the like, and of the objects themselves the metadata alone."""
_STREAMS = "v4.channel.k8s.io"
RATE = 100.0
"""Requests a second that an API server is asked at most."""
_DATA, _ERROR, _STDOUT, _STDERR, _STATUS = 0, 1, 1, 2, 3


class Cluster:
    """One API server, asked by GET, by websocket upgrade and by SelfSubjectAccessReview alone.

    Attributes:
        context: the name of the context, ``-`` inside a cluster.
        namespace: the context's namespace.
    """

    def __init__(
        self,
        client: Any,
        *,
        context: str,
        namespace: str,
        patience: float,
        headers: Sequence[tuple[str, str]] = (),
        refresh: asyncio.Task[None] | None = None,
    ) -> None:
        self._client = client
        self._own_headers = headers
        self._refresh = refresh
        self._pace = Pace(RATE)
        self._session: aiohttp.ClientSession = client.rest_client._create_pool_manager()
        self._patience = patience
        self._way: dict[str, Any] = {
            "proxy": client.configuration.proxy,
            "server_hostname": client.configuration.tls_server_name,
        }
        self.context = context
        self.namespace = namespace

    async def close(self) -> None:
        """Give back every connection."""
        if self._refresh:
            self._refresh.cancel()
        await self._session.close()
        await self._client.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON) -> Reply:
        """The answer to a GET, its body as received.

        Raises:
            TroubleError: no answer came.
        """
        async with Trouble(f"GET {path}"), await self._request("GET", path, query or {}, accept=accept) as said:
            return await read_body(said, self._patience)

    async def review(self, attributes: Mapping[str, str]) -> Reply:
        """Ask whether we may do something (SelfSubjectAccessReview): it changes nothing and stores nothing."""
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        async with Trouble("access review"), await self._request("POST", path, {}, body=body) as said:
            return await read_body(said, self._patience)

    async def run(self, pod: tuple[str, str], container: str, command: Sequence[str]) -> Reply:
        """Run a command in a container by exec; its output as a body.

        Raises:
            TroubleError: it could not be run, or failed.
        """
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("command", word) for word in command]
        parts: dict[int, list[bytes]] = {_STDOUT: [], _STDERR: [], _STATUS: []}
        async with self._websocket(pod, "exec", query) as socket:
            while data := await self._frame(socket):
                parts.setdefault(data[0], []).append(data[1:])
        output, status = b"".join(parts[_STDOUT]), b"".join(parts[_STATUS])
        if b'"Success"' in status:
            return Reply(status=200, body=output)
        if not status:
            return Reply(status=200, body=output, broken="exec ended without a status")
        said = message(b"".join(parts[_STDERR])) or message(status)
        raise TroubleError(Cause.RESET, f"exec of {' '.join(command)}: {said}")

    @asynccontextmanager
    async def forward(self, pod: tuple[str, str], port: int) -> AsyncIterator["Forwarded"]:
        """A connection to a port inside a pod.

        Raises:
            TroubleError: it could not be opened.
        """
        async with self._websocket(pod, "portforward", [("ports", str(port))]) as socket:
            yield Forwarded(self, socket, port)

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], *, accept: str = JSON, body: object = None
    ) -> aiohttp.ClientResponse:
        await self._pace.turn()
        headers = await self._headers(accept)
        url = self._url(path, list(query.items()))
        payload = msgspec.json.encode(body) if body is not None else None
        if payload is not None:
            headers["Content-Type"] = JSON
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._patience, sock_read=self._patience)
        return await self._session.request(
            method, url, headers=headers, data=payload, timeout=timeout, allow_redirects=False, **self._way
        )

    @asynccontextmanager
    async def _websocket(
        self, pod: tuple[str, str], what: str, query: list[tuple[str, str]]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        path = f"/api/v1/namespaces/{pod[0]}/pods/{pod[1]}/{what}"
        url = self._url(path, query)
        timeout = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)
        await self._pace.turn()
        async with Trouble(f"{what} of {'/'.join(pod)}"):
            async with asyncio.timeout(self._patience):
                socket = await self._session.ws_connect(
                    url, protocols=(_STREAMS,), headers=await self._headers(), timeout=timeout, max_msg_size=0,
                    **self._way,
                )  # fmt: skip
            try:
                yield socket
            finally:
                await socket.close()

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse) -> bytes:
        """The next binary frame; none at the end."""
        while True:
            try:
                got = await socket.receive(timeout=self._patience)
            except TimeoutError as error:
                raise TroubleError(Cause.TIMEOUT, f"nothing came for {self._patience:.0f} s") from error
            if got.type is aiohttp.WSMsgType.BINARY:
                if got.data:
                    return cast("bytes", got.data)
            elif got.type is aiohttp.WSMsgType.ERROR:
                raise TroubleError(Cause.RESET, f"the connection broke: {socket.exception()}")
            else:
                return b""

    async def _headers(self, accept: str = JSON) -> CIMultiDict[str]:
        """What each request carries: who we are, and as whom we ask."""
        headers = {"Accept": accept}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], None, None, None)
        return CIMultiDict([*headers.items(), *self._own_headers])

    def _url(self, path: str, query: list[tuple[str, str]]) -> str:
        tail = f"?{urlencode(query)}" if query else ""
        return f"{self._client.configuration.host}{path}{tail}"


class Forwarded:
    """One forwarded connection: channel 0 carries data, channel 1 says what went wrong."""

    def __init__(self, cluster: Cluster, socket: aiohttp.ClientWebSocketResponse, port: int) -> None:
        self._cluster = cluster
        self._socket = socket
        self._port = port
        self._begun: set[int] = set()

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        async with Trouble(f"port {self._port}"):
            await self._socket.send_bytes(bytes([_DATA]) + data)

    async def receive(self) -> bytes:
        """The next bytes; none at the end."""
        while data := await self._cluster._frame(self._socket):
            channel = data[0]
            if channel not in self._begun:
                self._begun.add(channel)  # each channel begins with the number of its port
            elif channel == _ERROR:
                raise ClosedPortError(Cause.RESET, f"port {self._port}: {message(data[1:])}")
            elif channel == _DATA:
                return data[1:]
        return b""
