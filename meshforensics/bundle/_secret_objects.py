"""Values of Kubernetes Secrets: where they stand in JSON and in YAML. Certificates in them are public and stay."""

import base64
import re
from collections.abc import Iterator

_SECRET = re.compile(rb"\\?[\"']?kind\\?[\"']?: ?\\?[\"']?Secret(?:List)?\\?[\"']?(?=[,\s}]|\Z)")
_KIND = re.compile(rb"\\?\"kind\\?\": ?\\?\"((?:Secret|ConfigMap|ControllerRevision)(?:List)?)\\?\"")
"""Kinds whose objects have `data`; owners that an object names are none of them."""
_TEXT = rb"(?:[^\"\\]|\\[^\r\n])*"
_TEXT_IN_TEXT = rb"(?:[^\"\\]|\\\\(?:\\.|[^\\]))*"
_DATA_JSON = re.compile(
    rb"\"(?:data|stringData)\": ?\{(?:[^{}\"]|\"" + _TEXT + rb"(?:\"|\Z))*"
    rb"|\\\"(?:data|stringData)\\\": ?\{(?:[^{}\"\\]|\\n|\\\"" + _TEXT_IN_TEXT + rb"(?:\\\"|\Z))*"
)
_JSON_VALUE = re.compile(
    rb"\"(?P<name>[^\"\\]*)\": ?\"(?P<value>" + _TEXT[:-1] + rb"+)(?:\"|\Z)"
    rb"|\\\"(?P<inner_name>[^\"\\]*)\\\": ?\\\"(?P<inner>" + _TEXT_IN_TEXT[:-1] + rb"+)(?:\\\"|\Z)"
)
_DATA = re.compile(rb"^(?P<indent> *)(?:- )?(?:data|stringData):[ \t]*\r?\n", re.MULTILINE)
_YAML_VALUE = re.compile(rb"^ *(?P<name>[A-Za-z0-9._-]+):[ ]+[\"']?(?P<value>[^\s\"'][^\r\n\"']*)", re.MULTILINE)
_YAML_REST = re.compile(rb"^ *(?P<value>(?![A-Za-z0-9._-]+:(?:[ \r\n]|\Z))\S[^\r\n]*)", re.MULTILINE)
_BLOCK_SCALAR = re.compile(rb"[|>][-+0-9]*\Z")
_PUBLIC_KEYS = re.compile(rb"(?:ca-cert|root-cert|cert-chain|ca-crl)\.pem|(?:tls|ca|ca-bundle)\.crt|ca-bundle\.pem")


def secret_spans(payload: bytes) -> Iterator[tuple[int, int]]:
    """The spans of values of Secrets, in order."""
    if not _SECRET.search(payload):
        return
    done = 0
    for start, end in sorted((*_blocks_of_json(payload), *_blocks_of_yaml(payload))):
        if start >= done:
            yield from _values(payload, start, end)
            done = end


def _values(payload: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    if b"{" not in payload[start : start + 24]:
        yield from _values_of_yaml(payload, start, end)
        return
    for found in _JSON_VALUE.finditer(payload, start, end):
        name, value = ("name", "value") if found["value"] is not None else ("inner_name", "inner")
        if not _is_public(found[name], found[value]):
            yield found.span(value)


def _values_of_yaml(payload: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    spans = []
    for found in _YAML_VALUE.finditer(payload, start, end):
        value = found["value"].rstrip()
        if not _is_public(found["name"], value) and not _BLOCK_SCALAR.match(value):
            spans.append((found.start("value"), found.start("value") + len(value)))
    for found in _YAML_REST.finditer(payload, start, end):
        value = found["value"].rstrip()
        if not is_certificate(value) and not _BLOCK_SCALAR.match(value):
            spans.append((found.start("value"), found.start("value") + len(value)))
    yield from sorted(spans)


def _is_public(name: bytes, value: bytes) -> bool:
    """Whether a value is certificates, or stands where only such stand and holds no private key."""
    return is_certificate(value) or (_PUBLIC_KEYS.fullmatch(name) is not None and not _holds_a_key(value))


def is_certificate(value: bytes) -> bool:
    """Whether a base64 value is certificates and no private key."""
    return b"BEGIN CERTIFICATE" in _decoded(value) and not _holds_a_key(value)


def _holds_a_key(value: bytes) -> bool:
    return b"PRIVATE KEY" in value or b"PRIVATE KEY" in _decoded(value)


def _decoded(value: bytes) -> bytes:
    """The content of a base64 value; empty for what is none."""
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""


def _blocks_of_json(payload: bytes) -> Iterator[tuple[int, int]]:
    """The ``data`` and ``stringData`` of JSON objects of kind Secret."""
    for found in _DATA_JSON.finditer(payload):
        if _is_of_json_secret(payload, *found.span()):
            yield found.span()


def _is_of_json_secret(payload: bytes, start: int, end: int) -> bool:
    """Whether the kind nearest before or after a JSON ``data`` object says Secret; in doubt it does."""
    after = _KIND.search(payload, end)
    return any(found is not None and found[1].startswith(b"Secret") for found in (after, _kind_before(payload, start)))


def _kind_before(payload: bytes, start: int) -> re.Match[bytes] | None:
    """The nearest kind before a place that is one of those with data."""
    at = payload.rfind(b'"kind', 0, start)
    while at >= 0:
        if found := _KIND.match(payload, max(0, at - 1)) or _KIND.match(payload, at):
            return found
        at = payload.rfind(b'"kind', 0, at)
    return None


def _blocks_of_yaml(payload: bytes) -> Iterator[tuple[int, int]]:
    """The ``data`` and ``stringData`` of YAML objects of kind Secret."""
    for found in _DATA.finditer(payload):
        end, indent = found.end(), len(found["indent"])
        deeper = re.compile(rb"(?: {%d,}\S[^\n]*\n?|[ \t]*\r?\n)*" % (indent + 1))
        inside = deeper.match(payload, end)
        if inside and _is_of_secret(payload, found.start(), indent):
            yield end, inside.end()


def _is_of_secret(payload: bytes, at: int, indent: int) -> bool:
    """Whether the YAML object that holds the line at `at` says ``kind: Secret`` beside it."""
    item = b"\n" + b" " * max(0, indent - 2) + b"- "
    own = re.compile(rb"^(?: {%d}|%s)kind: ?[\"']?Secret[\"']?\s*$" % (indent, item[1:]), re.MULTILINE)
    start = max(payload.rfind(b"\n---", 0, at), payload.rfind(item, 0, at), 0)
    ends = [found for found in (payload.find(b"\n---", at), payload.find(item, at)) if found >= 0]
    return own.search(payload, start, min(ends, default=len(payload))) is not None
