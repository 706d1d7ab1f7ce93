"""What would be, if it were written: a dry run of a merge or of a new object, for `kubectl diff`. Nothing is kept."""

from collections.abc import Mapping
from typing import Any

import msgspec

from meshforensics.replay._objects import Place, answer
from meshforensics.replay._state import State
from meshforensics.replay._status import READ_ONLY, RefusedError

MERGE = "application/merge-patch+json"
_OTHER = (
    "replay merges JSON merge patches alone, which kubectl sends for custom resources; "
    "nothing of this bundle tells how the fields of a built-in kind are merged"
)


def tried(state: State, place: Place, payload: bytes, *, patch: bool) -> dict[str, Any]:
    """The object as it would be: the one that `place` names with a patch merged into it, or a new one.

    Raises:
        RefusedError: 404, the object or its kind is not known; 400, the payload is no JSON object.
    """
    try:
        body = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError(400, f"the body is no JSON object: {error}") from error
    if not patch:
        known = state.known.get((place.group, place.plural))
        if known is None or place.version not in known.versions:
            raise RefusedError(404, "the server could not find the requested resource")
        return body
    held = answer(state, place, {}, "")
    made = merged(held, body)
    metadata = {
        key: value for key, value in made.get("metadata", {}).items() if value != {} or key in held.get("metadata", {})
    }
    return {**made, "metadata": metadata}


def refuse_to_write(place: Place | None, method: str, media: str, dry_run: str) -> None:
    """Let through dry runs alone: of a merge into an object, and of a new one.

    Raises:
        RefusedError: 405, it would write; 415, it is merged in a way that takes a schema.
    """
    if place is None or dry_run != "All" or (method, bool(place.name)) not in {("PATCH", True), ("POST", False)}:
        raise RefusedError(405, READ_ONLY)
    if method == "PATCH" and media != MERGE:
        raise RefusedError(415, _OTHER)


def merged(held: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch applied (RFC 7386): null takes a field away, an object is merged, all else is replaced.

    >>> merged({"a": 1, "b": {"c": 1, "d": 2}}, {"a": None, "b": {"c": 3}})
    {'b': {'c': 3, 'd': 2}}
    """
    made = dict(held)
    for key, value in patch.items():
        below = held.get(key)
        if isinstance(value, Mapping):
            made[key] = merged(below if isinstance(below, Mapping) else {}, value)
        elif value is None:
            made.pop(key, None)
        else:
            made[key] = value
    return made
