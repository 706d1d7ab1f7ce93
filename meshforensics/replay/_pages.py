"""The pages of a pod's own ports: Envoy's admin, istiod's debug, ztunnel, Linkerd, as they were captured."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from meshforensics.formats.pages import (
    ADMIN_PORT,
    ENVOY_PROMETHEUS_PORT,
    ISTIOD_LOCAL_PORT,
    ISTIOD_PORT,
    kinds_of,
)
from meshforensics.replay._state import State
from meshforensics.replay._told import ISTIOD, istiod_version

_SAME = {ISTIOD_LOCAL_PORT: ISTIOD_PORT, ENVOY_PROMETHEUS_PORT: ADMIN_PORT}
"""Ports that give what another port gives."""
_JSON = (b"{", b"[")
_ENDPOINTS = "EndpointsConfigDump"
READ_ONLY = b"replay serves captured evidence: only GET, nothing is changed\n"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a page says."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Ask = Callable[[str, int, str, str], Answer]
"""Subject (``namespace/pod``), port, method and target to an answer."""


def page(state: State, subject: str, port: int, method: str, target: str) -> Answer:
    """The answer of a pod's port to a request."""
    if method not in {"GET", "HEAD"}:
        return Answer(status=405, body=READ_ONLY)
    split = urlsplit(target if target.startswith("/") else f"/{target}")
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    port = _SAME.get(port, port)
    if (port, split.path) == (ADMIN_PORT, "/ready"):
        return _ready(state, subject)
    path, shape = _asked(split.path, query)
    payload, lacking = _captured(state, subject, kinds_of(port, path))
    if payload is None:
        known = f"; {port}{path} is no page that is captured" if not lacking else ""
        return Answer(status=404, body=f"{lacking or 'not captured'}{known}\n".encode())
    try:
        return _answer(shape(payload))
    except _CannotError as error:
        return Answer(status=501, body=f"replay cannot do this with captured evidence: {error}\n".encode())


class _CannotError(Exception):
    """A question that captured bytes cannot answer."""


Shape = Callable[[bytes], bytes]


def _asked(path: str, query: dict[str, str]) -> tuple[str, Shape]:
    """The page as it is captured, and what the query makes of it."""
    if path == "/config_dump":
        return ("/config_dump?include_eds", lambda payload: _dump(payload, query))
    if path == "/stats" and query.get("format") == "prometheus":
        return ("/stats/prometheus", lambda payload: _plain(payload, query, ("format",)))
    if path == "/stats":
        return (path, lambda payload: _stats(payload, query))
    return (path, lambda payload: _plain(payload, query, ()))


def _plain(payload: bytes, query: dict[str, str], known: tuple[str, ...]) -> bytes:
    unknown = sorted(set(query) - set(known))
    if unknown:
        raise _CannotError(f"the page was captured without {', '.join(unknown)}")
    return payload


def _stats(payload: bytes, query: dict[str, str]) -> bytes:
    """Text stats; ``filter`` chooses lines by the name of the stat, as Envoy does."""
    _plain(payload, query, ("filter", "format"))
    if query.get("format", "text") != "text":
        raise _CannotError(f"stats were captured as text and for Prometheus, not as {query['format']}")
    try:
        wanted = re.compile(query.get("filter", "").encode())
    except re.error as error:
        raise _CannotError(f"filter is no regular expression: {error}") from error
    if not wanted.pattern:
        return payload
    return b"".join(line for line in payload.splitlines(keepends=True) if wanted.search(line.partition(b": ")[0]))


def _dump(payload: bytes, query: dict[str, str]) -> bytes:
    """The dump as captured, or what ``resource`` and a missing ``include_eds`` leave of it."""
    _plain(payload, query, ("include_eds", "resource"))
    if "include_eds" in query and "resource" not in query:
        return payload
    try:
        configs: list[dict[str, Any]] = msgspec.json.decode(payload)["configs"]
        kept = [
            each for each in configs if "include_eds" in query or not str(each.get("@type", "")).endswith(_ENDPOINTS)
        ]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise _CannotError("the captured dump has no list of configs to choose from") from error
    if len(kept) == len(configs) and "resource" not in query:
        return payload
    if "resource" in query:
        kept = [one for each in kept for one in _members(each, query["resource"])]
    return msgspec.json.format(msgspec.json.encode({"configs": kept}), indent=1) + b"\n"


def _members(config: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = config.get(field)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


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
    except msgspec.DecodeError:
        return Answer(status=404, body=b"the captured /server_info does not tell a state\n")
    return Answer(status=200 if said == "LIVE" else 503, body=f"{said}\n".encode())


def _answer(body: bytes) -> Answer:
    if body[:64].lstrip().startswith(_JSON):
        return Answer(status=200, body=body, content_type="application/json")
    return Answer(status=200, body=body)
