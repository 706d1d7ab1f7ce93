"""One document, JSON or YAML, as a value: whoever printed the dump, and with whichever tool."""

import re
from typing import Any

import msgspec
import yaml

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError, TruncatedError

_WHAT = "a config dump"
_ALIAS = re.compile(rb"(?:^|[\s\[,:\-])\*[A-Za-z0-9_]", re.MULTILINE)
_FIELD = re.compile(rb"^[ -]*[\"']?[@A-Za-z][\w.@/-]*[\"']?:(\s|$)", re.MULTILINE)


class _Loader(yaml.CSafeLoader):
    """The safe loader, but times stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load_document(payload: bytes) -> Any:
    """The value of the one document in `payload`.

    Raises:
        TruncatedError: JSON that ends in the middle.
        NotTheFormError: neither JSON nor YAML, more than one document, or YAML that refers to itself.
    """
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] in (b"{", b"[", b""):
        return _json(body, payload)
    if not _FIELD.search(body[:4096]):
        raise NotTheFormError(f"not {_WHAT}: text that begins {beginning(body)}")
    return _yaml(body)


def beginning(body: bytes) -> str:
    """The first words of a payload, to say what it is instead."""
    return repr(body[:60].decode("utf-8", "replace").strip().split("\n")[0])


def _json(body: bytes, payload: bytes) -> Any:
    if body.startswith((b"{'", b"[{'")):
        raise NotTheFormError(f"not {_WHAT}: the print of a Python object, not JSON")
    return decode_json(payload, what=_WHAT)


def _yaml(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        if _ALIAS.search(body) and _refers(text):
            raise NotTheFormError(f"not {_WHAT}: YAML with aliases, which no proxy prints")
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - derives from the safe loader
        return msgspec.json.decode(msgspec.json.encode(value))
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        if where is not None and where.index >= len(text) - 1:
            raise TruncatedError(f"{_WHAT} in YAML that ends in the middle") from error
        reason = getattr(error, "problem", None) or "unreadable"
        raise NotTheFormError(f"not {_WHAT}: neither JSON nor YAML ({reason}), {beginning(body)}") from error
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise NotTheFormError(f"not {_WHAT}: {type(error).__name__} in YAML: {error}") from error


def _refers(text: str) -> bool:
    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader))
