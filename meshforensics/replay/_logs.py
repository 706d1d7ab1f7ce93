"""Logs of containers, as ``kubectl logs`` asks for them."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from meshforensics.formats.kubernetes import mapping, members
from meshforensics.model import UsageError, parse_time
from meshforensics.replay._made import Body
from meshforensics.replay._objects import object_named
from meshforensics.replay._state import Name, State
from meshforensics.replay._status import RefusedError

_DEFAULT = "kubectl.kubernetes.io/default-container"
_TIME = re.compile(rb"^(?:\[|\{.{0,200}?\")?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))")


def log(state: State, pod: Name, query: Mapping[str, str]) -> bytes:
    """The captured log of a container, cut as the query says.

    Raises:
        RefusedError: no such pod or container, or its log was not captured.
    """
    container = _container(object_named(state, pod), query.get("container", ""))
    kind = f"log.{container}" + (".previous" if query.get("previous") in {"true", "1"} else "")
    payload = state.read(kind, "/".join(pod))
    if payload is None and container == "istio-proxy":  # so is the container of a ztunnel called
        payload = state.read(kind.replace("istio-proxy", "ztunnel"), "/".join(pod))
    if payload is None:
        lack = state.lack(kind, "/".join(pod))
        raise RefusedError(403 if lack.refused else 404, lack.why)
    return _limited(_newest(_since(payload, query, state.at), query), query)


def _container(pod: Body, asked: str) -> str:
    """The container that is meant: the one named, else the only one, else the pod's default."""
    spec = mapping(pod, "spec")
    names = [str(one.get("name")) for key in ("containers", "initContainers") for one in members(spec, key)]
    if asked:
        return asked
    default = mapping(mapping(pod, "metadata"), "annotations").get(_DEFAULT)
    if isinstance(default, str) and default in names:
        return default
    if len(names) != 1:
        name = mapping(pod, "metadata").get("name")
        raise RefusedError(400, f"a container name must be specified for pod {name}, choose one of: {names}")
    return names[0]


def _since(payload: bytes, query: Mapping[str, str], at: datetime | None) -> bytes:
    """The lines that are not older than asked for; a line without a time is as old as the one before it."""
    start = _start(query, at)
    if start is None:
        return payload
    lines = payload.splitlines(keepends=True)
    if not any(_TIME.match(line) for line in lines):
        raise RefusedError(400, "the lines of this log have no time that could be read; ask without --since")
    return b"".join(_from(lines, start))


def _from(lines: list[bytes], start: datetime) -> Iterator[bytes]:
    inside = False
    for line in lines:
        found = _TIME.match(line)
        if found:
            inside = inside or parse_time(found[1].decode()) >= start
        if inside:
            yield line


def _start(query: Mapping[str, str], at: datetime | None) -> datetime | None:
    try:
        if query.get("sinceTime"):
            return parse_time(query["sinceTime"])
        if query.get("sinceSeconds"):
            seconds = timedelta(seconds=int(query["sinceSeconds"]))
            if at is None:
                raise RefusedError(400, "when this was captured is not known: give replay --at, or use --since-time")
            return at - seconds
    except (ValueError, OverflowError, UsageError) as error:
        raise RefusedError(400, f"not understood: {error}") from error
    return None


def _newest(payload: bytes, query: Mapping[str, str]) -> bytes:
    lines = _number(query, "tailLines")
    if lines is None:
        return payload
    return b"".join(payload.splitlines(keepends=True)[-lines:]) if lines else b""


def _limited(payload: bytes, query: Mapping[str, str]) -> bytes:
    limit = _number(query, "limitBytes")
    return payload if limit is None else payload[:limit]


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if not value:
        return None
    if not value.isdecimal():
        raise RefusedError(400, f"{name} {value!r} is no number")
    return int(value)
