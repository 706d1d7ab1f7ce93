"""Access-log lines of Envoy: its default text, the texts of the Istio ages, and JSON in Istio's keys.

Envoy does not escape what clients send, so a user agent may hold quotes and brackets. A line is therefore
read from both ends towards the user agent: the fields on its left end with four numbers, the fields on its
right are counted back from the last quote.

Sources: Envoy access_log/usage.rst; Istio pilot/pkg/model/telemetry_logging.go (1.9 on) and
pilot/pkg/networking/core/v1alpha3/accesslog.go (before).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._response_flags import flags_of
from meshforensics.formats._text_lines import instant, shown, whole_lines
from meshforensics.model import NotTheFormError

Direction = Literal["inbound", "outbound"]
Format = Literal["envoy", "istio-1.1", "istio-1.5", "istio-1.9", "json", "other"]

_WHAT = "an access log"
_START = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) )?"  # of kubectl logs --timestamps, in the node's zone
    r'\[(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)\] "(\S*) (.*?) (\S*)" (\d{1,3}|-) (\S+)(?= )',
    re.ASCII,
)
_NUMBERS = re.compile(r' (\d{1,18}|-) (\d{1,18}|-) (\d{1,18}|-) (\S+) "', re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\Z")
_DIGITS = re.compile(r"\d{1,18}\Z", re.ASCII)
_LARGEST = 2**63 - 1
_TELLING = {"response_flags", "response_code", "response_code_details"}
_LEFT = ("start_time", "method", "path", "protocol", "response_code", "response_flags")
_MIDDLE = ("bytes_received", "bytes_sent", "duration", "upstream_service_time")
_QUOTED = ("x_forwarded_for", "user_agent", "request_id", "authority", "upstream_host")
_RIGHT = (
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
)


class AccessLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request or TCP connection; None where the log prints ``-`` or has no such field.

    Attributes:
        at: start of the request; the line was written `duration_ms` later.
        format: the shape; ``other`` is one that nobody knows, read up to its flags only.
        status: 0 where no answer was sent.
        flags: response flags, sorted, in short form.
        cluster: without the delimiter ``;`` that Istio 1.23 and 1.24 print.
        direction: None where neither cluster nor server name tell it, as on a waypoint.
    """

    at: str | None
    pointer: str
    format: Format
    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    status: int | None = None
    flags: tuple[str, ...] = ()
    details: str | None = None
    termination_details: str | None = None
    failure_reason: str | None = None
    bytes_received: int | None = None
    bytes_sent: int | None = None
    duration_ms: int | None = None
    upstream_ms: int | None = None
    forwarded_for: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    authority: str | None = None
    upstream_host: str | None = None
    cluster: str | None = None
    upstream_local: str | None = None
    downstream_local: str | None = None
    downstream_remote: str | None = None
    sni: str | None = None
    route: str | None = None
    direction: Direction | None = None


def decode(payload: bytes) -> tuple[AccessLine, ...]:
    """Every access line of a log; lines of other forms are skipped.

    Raises:
        NotTheFormError: no line of it is an access line.
    """
    found = []
    first = ""
    for number, line in whole_lines(payload, what=_WHAT):
        first = first or line
        made = parse_line(line, f"L{number}")
        if made is not None:
            found.append(made)
    if not found:
        raise NotTheFormError(f"not {_WHAT}: no line of it is one; it begins {shown(first)}")
    return tuple(found)


def parse_line(line: str, pointer: str) -> AccessLine | None:
    """The access line that `line` is, as text or JSON; None when it is none."""
    if line[:1] != "{":
        return parse_text(line, pointer)
    try:
        said = decode_json(line.encode("utf-8", "replace"), dict[str, Any], what=_WHAT)
    except NotTheFormError:
        return None
    return parse_keys(said, pointer)


def parse_keys(said: Mapping[str, Any], pointer: str) -> AccessLine | None:
    """The access line that a JSON object is, by Istio's keys; None when it has none of them."""
    return _made(said, pointer, "json") if not _TELLING.isdisjoint(said) else None


def parse_text(line: str, pointer: str) -> AccessLine | None:
    """The access line that a line of text is; None when it is none."""
    start = _START.match(line)
    if start is None:
        return None
    said = dict(zip(_LEFT, start.groups(), strict=True))
    numbers = _NUMBERS.search(line, start.end())
    right = _right(line[numbers.end() :]) if numbers else None
    between = _between(line[start.end() + 1 : numbers.start()], right) if numbers and right is not None else None
    if numbers is None or right is None or between is None:
        return _made(said, pointer, "other")
    said |= dict(zip(_MIDDLE, numbers.groups(), strict=True)) | right | between
    return _made(said, pointer, _format(line[start.end() + 1], right))


def _format(first: str, right: Mapping[str, str]) -> Format:
    if "upstream_cluster" not in right:
        return "envoy"
    if "route_name" not in right:
        return "istio-1.1"
    return "istio-1.5" if first == '"' else "istio-1.9"


def _right(rest: str) -> dict[str, str] | None:
    """The quoted fields and those after them, counted back from the last quote; the agent takes the rest."""
    inside, closing, after = rest.rpartition('"')
    quoted = inside.rsplit('" "', 3)
    tail = after[1:].split(" ", len(_RIGHT) - 1) if after else []
    if not closing or len(quoted) != 4 or len(tail) not in {0, len(_RIGHT) - 1, len(_RIGHT)}:
        return None
    forwarded, between, agent = quoted[0].partition('" "')
    if not between or '"' in quoted[-1]:
        return None
    said = dict(zip(_QUOTED, (forwarded, agent, *quoted[1:]), strict=True))
    return said | dict(zip(_RIGHT, tail, strict=False))


def _between(said: str, right: Mapping[str, str]) -> dict[str, str] | None:
    """Details, termination details and failure reason, of which each age prints some; None for other fields."""
    if not said.endswith('"'):
        words = said.split(" ") if said else []
        names = ("response_code_details", "connection_termination_details")
        return dict(zip(names, words, strict=False)) if len(words) <= len(names) else None
    if not said.startswith('"'):
        before, _, reason = said[:-1].partition(' "')
        details, _, termination = before.partition(" ")
        return {
            "response_code_details": details,
            "connection_termination_details": termination,
            "upstream_transport_failure_reason": reason,
        }
    first, both, second = said[1:-1].partition('" "')
    if both:
        return {"response_code_details": first, "upstream_transport_failure_reason": second}
    one = "upstream_transport_failure_reason" if "route_name" in right else "response_code_details"
    return {one: first}


def _made(said: Mapping[str, Any], pointer: str, form: Format) -> AccessLine:
    cluster = (_text(said.get("upstream_cluster")) or "").rstrip(";") or None
    sni = _text(said.get("requested_server_name"))
    return AccessLine(
        at=_instant(said),
        pointer=pointer,
        format=form,
        method=_text(said.get("method")),
        path=_text(said.get("path")),
        protocol=_text(said.get("protocol")),
        status=_number(said.get("response_code")),
        flags=flags_of(_text(said.get("response_flags")) or ""),
        details=_text(said.get("response_code_details")),
        termination_details=_text(said.get("connection_termination_details")),
        failure_reason=_text(said.get("upstream_transport_failure_reason")),
        bytes_received=_number(said.get("bytes_received")),
        bytes_sent=_number(said.get("bytes_sent")),
        duration_ms=_number(said.get("duration")),
        upstream_ms=_number(said.get("upstream_service_time")),
        forwarded_for=_text(said.get("x_forwarded_for")),
        user_agent=_text(said.get("user_agent")),
        request_id=_text(said.get("request_id")),
        authority=_text(said.get("authority")),
        upstream_host=_text(said.get("upstream_host")),
        cluster=cluster,
        upstream_local=_text(said.get("upstream_local_address")),
        downstream_local=_text(said.get("downstream_local_address")),
        downstream_remote=_text(said.get("downstream_remote_address")),
        sni=sni,
        route=_text(said.get("route_name")),
        direction=direction_of(cluster or "", sni or ""),
    )


def _instant(said: Mapping[str, Any]) -> str | None:
    for key in ("start_time", "timestamp", "time"):
        value = said.get(key)
        if isinstance(value, str) and _INSTANT.match(value):
            return instant(value)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value not in {"-", ""} else None


def _number(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _DIGITS.match(value) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else None


@lru_cache(maxsize=4096)
def direction_of(cluster: str, server_name: str) -> Direction | None:
    """Which way a request goes, by its cluster, else by the server name that a peer's sidecar asked for.

    A waypoint's ``inbound-vip`` clusters are neither: it stands between both ends.

    >>> direction_of("inbound|8080||", ""), direction_of("PassthroughCluster", "")
    ('inbound', 'outbound')
    """
    if cluster.startswith(("inbound|", "InboundPassthrough")):
        return "inbound"
    if cluster.startswith(("outbound|", "outbound_.")) or cluster in {"PassthroughCluster", "BlackHoleCluster"}:
        return "outbound"
    return "inbound" if not cluster and server_name.startswith("outbound_.") else None
