"""Specs and labels of objects, which tables hold as JSON text, as mappings again."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError


@lru_cache(maxsize=65536)
def spec_of(said: str) -> Mapping[str, Any]:
    """The mapping that a JSON text is; empty for what is none. The same one each time: not to be changed.

    >>> spec_of('{"a": 1}')["a"], spec_of("[]"), spec_of("")
    (1, {}, {})
    """
    try:
        read = decode_json(said.encode("utf-8", "replace"), what="a spec") if said else {}
    except NotTheFormError:
        return {}
    return read if isinstance(read, dict) else {}


def mapping_in(said: Mapping[str, Any], *steps: str) -> Mapping[str, Any]:
    """The mapping at some steps into another; empty where there is none."""
    for step in steps:
        inner = said.get(step)
        if not isinstance(inner, dict):
            return {}
        said = inner
    return said


def members_in(said: Mapping[str, Any], step: str) -> list[Any]:
    """The list at a step; empty where there is none."""
    held = said.get(step)
    return held if isinstance(held, list) else []


def texts_in(said: Mapping[str, Any], step: str) -> tuple[str, ...]:
    """The texts of the list at a step."""
    return tuple(each for each in members_in(said, step) if isinstance(each, str))
