"""Find a place in captured bytes, so that evidence can be shown verbatim.

A pointer is RFC 6901 for JSON and YAML (``#doc2`` before it where documents follow one another), ``L120`` or
``L120-L124`` for text; ``#pem2`` after it is the nth PEM block of that value. The empty pointer is the
whole item.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import yaml

from meshforensics.formats._json import several_json
from meshforensics.model import NotTheFormError

_LINES = re.compile(r"L(\d+)(?:-L(\d+))?\Z")
_PEM = re.compile(r"#pem\d+\Z")
_DOCUMENT = re.compile(r"#doc(\d+)")
_AROUND = 2
_NODE = yaml.nodes.Node
_Numbers = np.ndarray[Any, np.dtype[np.int64]]
_Members = dict[tuple[str, ...], dict[str, msgspec.Raw] | list[msgspec.Raw]]
Known = dict[int, _Members]
"""What was found in one payload on the way to a place, by document: it makes the way to the next one short."""


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A place in an item: the marked bytes as text, with the lines around them.

    `line` is the number of the first marked line, from 1. Bytes that are no UTF-8 are shown as U+FFFD.
    """

    pointer: str
    line: int
    before: str
    marked: str
    after: str

    def quote(self, limit: int) -> str:
        """The marked text on at most `limit` characters; says how many were left out."""
        text = self.marked.strip()
        if len(text) <= limit:
            return text
        return f"{text[:limit]}… (+{len(text) - limit} characters)"

    def _repr_html_(self) -> str:
        before, marked, after = (html.escape(part) for part in (self.before, self.marked, self.after))
        place = html.escape(self.pointer or "whole item")
        return f"<p>{place}, from line {self.line}</p><pre>{before}<mark>{marked}</mark>{after}</pre>"


def excerpt(payload: bytes, pointer: str) -> Excerpt:
    """The place `pointer` of `payload`.

    Raises:
        NotTheFormError: the payload has no such place.
    """
    return excerpts(payload, [pointer])[pointer]


def excerpts(payload: bytes, pointers: Iterable[str]) -> dict[str, Excerpt]:
    """Several places of one payload, which is looked through once: a config dump may have a thousand.

    Raises:
        NotTheFormError: the payload has no such place.
    """
    inside: Known = {}
    lines = np.flatnonzero(np.frombuffer(payload, dtype=np.uint8) == ord("\n"))
    return {pointer: _excerpt(payload, pointer, span(payload, pointer, inside), lines) for pointer in pointers}


def _excerpt(payload: bytes, pointer: str, at: tuple[int, int], lines: _Numbers) -> Excerpt:
    start, end = at
    first = payload.rfind(b"\n", 0, start) + 1
    number = int(np.searchsorted(lines, start))
    some = int(lines[number - _AROUND - 1]) + 1 if number > _AROUND else 0
    before = payload[some:first].splitlines(keepends=True)[-_AROUND:] if first else []
    after = payload[end : end + 4000].splitlines(keepends=True)[: _AROUND + 1]
    return Excerpt(
        pointer=pointer,
        line=number + 1,
        before=(b"".join(before) + payload[first:start]).decode("utf-8", "replace"),
        marked=payload[start:end].decode("utf-8", "replace"),
        after=b"".join(after).decode("utf-8", "replace"),
    )


def span(payload: bytes, pointer: str, inside: "Known | None" = None) -> tuple[int, int]:
    """Start and end of the place `pointer` in `payload`, in bytes.

    `inside` remembers what was found on the way, for further places of the same payload.

    Raises:
        NotTheFormError: the payload has no such place.
    """
    base = _PEM.sub("", pointer)
    lines = _LINES.match(base)
    if lines:
        return _line_span(payload, int(lines.group(1)), int(lines.group(2) or lines.group(1)))
    if not base:
        return 0, len(payload)
    document = _DOCUMENT.match(base)
    path = base[document.end() :] if document else base
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    number = int(document.group(1)) if document else 1
    known = ({} if inside is None else inside).setdefault(number, {})
    found = None
    if payload.lstrip()[:1] in (b"{", b"["):
        found = (None if document else _json_span(payload, steps, known)) or _several_span(
            payload, number, steps, known
        )
    return found or _yaml_span(payload, number, steps, pointer)


def _line_span(payload: bytes, first: int, last: int) -> tuple[int, int]:
    start = 0
    for _ in range(first - 1):
        start = payload.find(b"\n", start) + 1
        if not start:
            raise NotTheFormError(f"no line {first}")
    end = start
    for _ in range(last - first + 1):
        newline = payload.find(b"\n", end)
        end = len(payload) if newline < 0 else newline + 1
    return start, len(payload[:end].rstrip(b"\r\n")) if end > start else start


def _json_span(payload: bytes, steps: list[str], inside: "_Members") -> tuple[int, int] | None:
    """The span of a value in JSON; None when the bytes are not one JSON document."""
    value = msgspec.Raw(payload)
    try:
        for depth, step in enumerate(steps):
            way = tuple(steps[:depth])
            if way not in inside:
                inside[way] = _members(value)
            value = _inside(inside[way], step)
    except msgspec.DecodeError:
        return None
    origin = np.frombuffer(payload, dtype=np.uint8).__array_interface__["data"][0]
    view = np.frombuffer(memoryview(value), dtype=np.uint8)
    start = int(view.__array_interface__["data"][0] - origin)
    return start, start + len(view)


def _several_span(payload: bytes, number: int, steps: list[str], inside: "_Members") -> tuple[int, int] | None:
    """The span of a value in the nth of several JSON documents; None when the bytes are something else."""
    documents = _several_json(payload)
    if documents is None:
        return None
    if number > len(documents):
        raise NotTheFormError(f"no document {number}")
    first, body = documents[number - 1]
    found = _json_span(body, steps, inside)
    return found and (first + found[0], first + found[1])


def _members(value: msgspec.Raw) -> "dict[str, msgspec.Raw] | list[msgspec.Raw]":
    try:
        return msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return msgspec.json.decode(value, type=list[msgspec.Raw])


def _inside(members: "dict[str, msgspec.Raw] | list[msgspec.Raw]", step: str) -> msgspec.Raw:
    try:
        return members[step] if isinstance(members, dict) else members[int(step)]
    except (KeyError, ValueError, IndexError) as error:
        raise NotTheFormError(f"no place {step!r}") from error


def _yaml_span(payload: bytes, number: int, steps: list[str], pointer: str) -> tuple[int, int]:
    text, documents = _documents(payload)
    if number > len(documents):
        raise NotTheFormError(f"no document {number}")
    node = documents[number - 1]
    for step in steps:
        node = _child(node, step, pointer)
    start, end = node.start_mark.index, node.end_mark.index
    return len(text[:start].encode()), len(text[:end].rstrip().encode())


@lru_cache(maxsize=1)
def _several_json(payload: bytes) -> list[tuple[int, bytes]] | None:
    return several_json(payload)


@lru_cache(maxsize=1)
def _documents(payload: bytes) -> tuple[str, tuple[_NODE, ...]]:
    text = payload.decode("utf-8", "replace")
    try:
        return text, tuple(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotTheFormError(f"no places in it: {error}") from error


def _child(node: _NODE, step: str, pointer: str) -> _NODE:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                found: _NODE = value
                return found
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        member: _NODE = node.value[int(step)]
        return member
    raise NotTheFormError(f"no place {pointer!r}")
