"""Label and field selectors, as an API server reads them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from meshforensics.formats.kubernetes import mapping
from meshforensics.replay._status import RefusedError

Test = Callable[[dict[str, Any]], bool]
_SET = re.compile(r"\s*(?P<key>[\w./-]+)\s+(?P<word>in|notin)\s+\((?P<values>[^()]*)\)\s*")
_EQUAL = re.compile(r"\s*(?P<key>[\w./-]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[\w.\-]*)\s*")
_THERE = re.compile(r"\s*(?P<no>!?)\s*(?P<key>[\w./-]+)\s*")
_FIELD = re.compile(r"\s*(?P<key>[\w.]+)\s*(?P<sign>==|=|!=)\s*(?P<value>.*?)\s*")


def by_labels(selector: str) -> Test:
    """Whether an object has labels as `selector` says: ``app=web,tier in (a, b),!canary``.

    Raises:
        RefusedError: 400, it is no selector.
    """
    tests = [_label(part) for part in _parts(selector)]
    return lambda body: all(test(mapping(mapping(body, "metadata"), "labels")) for test in tests)


def by_fields(selector: str) -> Test:
    """Whether an object has fields as `selector` says: ``metadata.name=web-1,status.phase!=Running``.

    Raises:
        RefusedError: 400, it is no selector.
    """
    tests = [_field(part) for part in _parts(selector)]
    return lambda body: all(test(body) for test in tests)


def _parts(selector: str) -> Iterator[str]:
    """The requirements, parted by commas that stand in no parentheses."""
    yield from (part for part in re.split(r",(?![^()]*\))", selector) if part.strip())


def _label(part: str) -> Test:
    if found := _SET.fullmatch(part):
        values = [value.strip() for value in found["values"].split(",")]  # a label that is no text has no hash
        key, wanted = found["key"], found["word"] == "in"
        return lambda labels: (labels.get(key) in values) if wanted else labels.get(key) not in values
    if found := _EQUAL.fullmatch(part):
        key, value, equal = found["key"], found["value"], found["sign"] != "!="
        return lambda labels: (labels.get(key) == value) is equal
    if found := _THERE.fullmatch(part):
        key, there = found["key"], not found["no"]
        return lambda labels: (key in labels) is there
    raise RefusedError(400, f"{part!r} is no label selector; write it like app=web, app in (a, b), app or !app")


def _field(part: str) -> Test:
    found = _FIELD.fullmatch(part)
    if not found:
        raise RefusedError(400, f"{part!r} is no field selector; write it like metadata.name=web-1")
    path, value, equal = found["key"].split("."), found["value"], found["sign"] != "!="
    return lambda body: (_at(body, path) == value) is equal


def _at(body: dict[str, Any], path: list[str]) -> str:
    """The value at a path as text; empty where there is none, as the API server has it."""
    value: Any = body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
