"""The pages of a pod's own ports: Envoy's admin, istiod's debug, ztunnel, Linkerd, as they were captured."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from meshforensics.formats.pages import (
    ADMIN_PORT,
    ENVOY_PROMETHEUS_PORT,
    ISTIOD_LOCAL_PORT,
    ISTIOD_PORT,
    PAGES,
    kinds_of,
)
from meshforensics.replay._answer import JSON, TEXT, Answer, NoAnswerError, Query, Shape, cannot
from meshforensics.replay._bound import clusters, listeners
from meshforensics.replay._dump import dump
from meshforensics.replay._state import State
from meshforensics.replay._stats import prometheus, stats
from meshforensics.replay._told import ISTIOD, istiod_version

PORTS = frozenset((ISTIOD_LOCAL_PORT, ENVOY_PROMETHEUS_PORT, *(page.port for page in PAGES)))
"""The ports of which pages are captured."""
_SAME = {ISTIOD_LOCAL_PORT: ISTIOD_PORT, ENVOY_PROMETHEUS_PORT: ADMIN_PORT}
"""Ports that give what another port gives."""
_DEBUG = "/debug/"
READ_ONLY = b"replay serves captured evidence: only GET, nothing is changed\n"

Ask = Callable[[str, int, str, str], Answer]
"""Subject (``namespace/pod``), port, method and target to an answer."""


def page(state: State, subject: str, port: int, method: str, target: str) -> Answer:
    """The answer of a pod's port to a request."""
    if method not in {"GET", "HEAD"}:
        return Answer(status=405, body=READ_ONLY)
    split = urlsplit(f"/{target.lstrip('/')}")  # istioctl asks for //version, which Go's servers lead to /version
    query = dict(reversed(parse_qsl(split.query, keep_blank_values=True)))
    port = _SAME.get(port, port)
    if (port, split.path) == (ADMIN_PORT, "/ready"):
        return _ready(state, subject)
    path, shape = _asked(split.path, query) if port == ADMIN_PORT else (split.path, _plain)
    payload, lacking = _captured(state, subject, _kinds(port, path))
    if payload is None and path != split.path:  # a ztunnel's dump has the path of Envoy's, and knows no query
        other = kinds_of(port, split.path)
        payload, shape = _captured(state, subject, other)[0], _as_it_is
    if payload is None:
        known = f"; {port}{path} is no page that is captured" if not lacking else ""
        return Answer(status=404, body=f"{lacking or 'not captured'}{known}\n".encode())
    try:
        return shape(payload, query)
    except NoAnswerError as error:
        return Answer(status=error.status, body=str(error).encode())


def _kinds(port: int, path: str) -> tuple[str, ...]:
    """The kinds that a page may be; a report holds pages of istiod that a capture does not ask for."""
    known = kinds_of(port, path)
    page = path.removeprefix(_DEBUG)
    if port != ISTIOD_PORT or not path.startswith(_DEBUG) or not page.isalnum():
        return known
    return (*known, *(kind for kind in (f"istiod.{page}",) if kind not in known))


def _asked(path: str, query: Query) -> tuple[str, Shape]:
    """The page as it is captured, and what the query makes of it."""
    if path == "/stats" and query.get("format") == "prometheus":
        path = "/stats/prometheus"
    return _SHAPES.get(path, (path, _plain))


def _plain(payload: bytes, query: Query) -> Answer:
    if query:
        raise cannot(f"it was captured without {', '.join(sorted(query))}")
    return _as_it_is(payload, query)


def _as_it_is(payload: bytes, _: Query) -> Answer:
    return Answer(status=200, body=payload, content_type=JSON if payload.lstrip()[:1] in (b"{", b"[") else TEXT)


_SHAPES: dict[str, tuple[str, Shape]] = {
    "/config_dump": ("/config_dump?include_eds", dump),
    "/stats": ("/stats", stats),
    "/stats/prometheus": ("/stats/prometheus", prometheus),
    "/clusters": ("/clusters", clusters),
    "/listeners": ("/listeners", listeners),
}


def _captured(state: State, subject: str, kinds: tuple[str, ...]) -> tuple[bytes | None, str]:
    """The bytes of the first kind that was captured; else why there are none."""
    for kind in kinds:
        payload = state.read(kind, subject)
        if payload is None and kind == ISTIOD:
            payload = istiod_version(state, subject)
        if payload is not None:
            return payload, ""
    return None, state.lack(kinds[0], subject).why if kinds else ""


def _ready(state: State, subject: str) -> Answer:
    """Readiness as the captured ``/server_info`` tells it."""
    payload, lacking = _captured(state, subject, ("envoy.server_info",))
    if payload is None:
        return Answer(status=404, body=f"{lacking}\n".encode())
    try:
        said = str(msgspec.json.decode(payload, type=dict[str, Any]).get("state", "LIVE"))
    except (msgspec.DecodeError, RecursionError):
        return Answer(status=404, body=b"the captured /server_info does not tell a state\n")
    return Answer(status=200 if said == "LIVE" else 503, body=f"{said}\n".encode())
