"""Read a profile: the packaged ones by name, a user's own by path."""

import hashlib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import yaml

from meshforensics.model import UnknownNameError, UsageError
from meshforensics.profile._entries import completed, refuse_unknown_keys
from meshforensics.profile._forms import Document, Profile

_ROOT = "default"
"""The profile that all others extend."""


def load_profile(name: str | Path = "default") -> Profile:
    """The packaged profile `name`, or a user's YAML file.

    A file says what it changes of the packaged profile that it `extends` (`default` where it does not say): of an
    entry only the parts that differ, in any unit that converts into the entry's own.

    Raises:
        UnknownNameError: an entry, a key or a level that nothing declares; says the nearest that there is.
        UsageError: no such profile, it does not have the form, or a unit is not one of the entry's kind.
    """
    return _packaged(str(name)) if str(name) in packaged() else _loaded(str(name))


@cache
def _packaged(name: str) -> Profile:
    return _loaded(name)


def _loaded(name: str) -> Profile:
    raw, digest = _raw(name)
    if name == _ROOT:
        return _made(raw, digest, None, name)
    extended = raw.get("extends") or _ROOT
    if extended not in packaged():
        raise UnknownNameError(f"packaged profile (that {name} extends)", str(extended), packaged())
    return _made(raw, digest, load_profile(extended), name)


def packaged() -> tuple[str, ...]:
    """The names of the profiles that come with this package."""
    homes = files("meshforensics.profile").iterdir()
    return tuple(sorted(each.name.removesuffix(".yaml") for each in homes if each.name.endswith(".yaml")))


def _made(raw: dict[str, Any], digest: bytes, base: Profile | None, name: str) -> Profile:
    refuse_unknown_keys(raw, f"profile {name}")
    whole = {**raw, **(completed(raw, base, f"profile {name}") if base else {})}
    try:
        document = msgspec.convert(whole, Document)
    except msgspec.ValidationError as error:
        raise UsageError(f"profile {name} does not have the form: {error}") from error
    return Profile(
        name=document.name,
        sha256=hashlib.sha256((base.sha256 if base else "").encode() + digest).hexdigest(),
        thresholds={**(base.thresholds if base else {}), **document.thresholds},
        numbers={**(base.numbers if base else {}), **document.numbers},
        muted=(*(base.muted if base else ()), *document.muted),
    )


def _raw(name: str) -> tuple[dict[str, Any], bytes]:
    path: Any = files("meshforensics.profile").joinpath(f"{name}.yaml") if name in packaged() else Path(name)
    try:
        payload: bytes = path.read_bytes()
    except OSError as error:
        close = get_close_matches(name, packaged(), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        cure = f"give {', '.join(packaged())}, or the path of a YAML file"
        raise UsageError(f"no profile {name!r}; {hint}{cure}") from error
    try:
        raw = yaml.load(payload, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"profile {name} does not have the form: {error}") from error
    if not isinstance(raw, dict):
        raise UsageError(f"profile {name} does not have the form: it is no mapping of names")
    return raw, payload
