"""Read YAML that others wrote into plain values: bounded, without Python objects, times left as text.

Built from libyaml's events with a stack of its own: twice as fast as a loader that composes nodes first,
and deep nesting or alias bombs cannot exhaust the interpreter. Scalars follow YAML 1.1 as kubectl's quoting
expects (``on`` and ``yes`` are booleans), but timestamps stay text.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

from meshforensics.model import NotTheFormError, TruncatedError

_BOOLEANS = {
    text: value
    for value, words in ((True, ("yes", "true", "on")), (False, ("no", "false", "off")))
    for word in words
    for text in (word, word.capitalize(), word.upper())
}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]{0,99})\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)\Z")
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
_ALIASED_LIMIT = 50_000_000
_MERGE = "<<"


class _Frame:
    """A list or mapping that is being read."""

    __slots__ = ("anchor", "key", "merged", "start", "value")

    def __init__(self, value: Any, anchor: str | None, start: int) -> None:
        self.value = value
        self.anchor = anchor
        self.start = start
        self.key: str | None = None
        self.merged: list[dict[str, Any]] = []


class _Builder:
    """Makes the value of one document out of its events."""

    def __init__(self) -> None:
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.weight = 0
        self.aliased = 0
        self.value: Any = None

    def take(self, event: Any) -> None:
        """Add one event."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()

    def _scalar(self, event: Any) -> None:
        self.weight += len(event.value) + 1
        frame = self.stack[-1] if self.stack else None
        is_key = frame is not None and frame.key is None and isinstance(frame.value, dict)
        value = event.value if is_key else _scalar_value(event)
        if event.anchor:
            self.anchors[event.anchor] = (value, len(event.value) + 1)
        self._put(value)

    def _open(self, value: Any, event: Any) -> None:
        _refuse_tag(event.tag)
        self.weight += 1
        self.stack.append(_Frame(value, event.anchor, self.weight))

    def _close(self) -> None:
        frame = self.stack.pop()
        value = frame.value
        if frame.merged:
            merged: dict[str, Any] = {}
            for defaults in reversed(frame.merged):
                merged.update(defaults)
            value = {**merged, **value}
        if frame.anchor:
            self.anchors[frame.anchor] = (value, self.weight - frame.start + 1)
        self._put(value)

    def _alias(self, anchor: str) -> None:
        if anchor not in self.anchors:
            raise NotTheFormError(f"YAML with an alias *{anchor[:40]} that names nothing before it")
        value, weight = self.anchors[anchor]
        self.weight += weight
        self.aliased += weight
        if self.aliased > _ALIASED_LIMIT:
            raise NotTheFormError("YAML whose aliases would unfold to more than 50 MB")
        self._put(value)

    def _put(self, value: Any) -> None:
        if not self.stack:
            self.value = value
            return
        frame = self.stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            if not isinstance(value, str):
                raise NotTheFormError("YAML with a key that is no text")
            frame.key = value
        else:
            _set(frame, value)
            frame.key = None


def _set(frame: _Frame, value: Any) -> None:
    if frame.key != _MERGE:
        frame.value[frame.key] = value
    elif isinstance(value, dict):
        frame.merged.append(value)
    elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
        frame.merged.extend(value)
    else:
        frame.value[frame.key] = value


def _refuse_tag(tag: str | None) -> None:
    if tag and tag != "!" and tag not in _PLAIN_TAGS:
        raise NotTheFormError(f"YAML with the tag {tag[:60]}, which no Kubernetes object has")


def _scalar_value(event: Any) -> Any:
    if event.tag is not None:
        _refuse_tag(event.tag)
        return event.value if event.tag in {"!", "tag:yaml.org,2002:str"} else _plain(event.value)
    return _plain(event.value) if event.implicit[0] else event.value


@lru_cache(maxsize=65536)
def _plain(text: str) -> Any:
    """The value of a plain scalar by YAML 1.1, without its timestamps and base 60."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "").lstrip("+-")
    base = {"0x": 16, "0b": 2}.get(digits[:2], 8 if len(digits) > 1 and digits[0] == "0" else 10)
    try:
        made = int(digits[2:] if base in {2, 16} else digits, base)
    except ValueError:
        return text
    return -made if text.startswith("-") else made


def documents(payload: bytes, *, what: str) -> Iterator[Any]:
    """The value of each document, in order; an empty document is None.

    Args:
        payload: the bytes as captured.
        what: the form that was expected, for the message.

    Raises:
        TruncatedError: the text ends inside a quote, a bracket or a key.
        NotTheFormError: it is no YAML, holds tags of a language, or its aliases unfold without bound.
    """
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTheFormError(f"not {what}: {error}") from error
    try:
        builder = _Builder()
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                builder = _Builder()
            elif isinstance(event, yaml.DocumentEndEvent):
                yield builder.value
            else:
                builder.take(event)
    except yaml.YAMLError as error:
        raise _refusal(error, text, what) from error


def _refusal(error: yaml.YAMLError, text: str, what: str) -> NotTheFormError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    if mark is not None and mark.index >= len(text.rstrip()):
        return TruncatedError(f"{what} that ends in the middle, after line {mark.line}")
    place = f" (line {mark.line + 1})" if mark is not None else ""
    return NotTheFormError(f"not {what}: {problem}{place}")
