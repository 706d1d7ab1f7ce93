"""Objects: lists with selectors and paging, and single ones."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from meshforensics.model import MESH
from meshforensics.replay._made import Body
from meshforensics.replay._selectors import by_fields, by_labels
from meshforensics.replay._state import Name, Shelf, State
from meshforensics.replay._status import NOT_FOUND, RefusedError
from meshforensics.replay._table import as_table

TABLE = "as=Table"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a path of objects names; `name` is empty for a list, `namespace` for all of them."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""


def place_of(parts: list[str]) -> Place | None:
    """Read ``api/v1/namespaces/shop/pods/web-1`` and the like; None for any other path.

    >>> place_of(["api", "v1", "namespaces", "shop"]).name
    'shop'
    """
    match parts:
        case ["api", "v1", *rest]:
            group, version = "", "v1"
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    match rest:
        case ["namespaces", namespace, plural, *name] if len(name) < 2:
            return Place(group=group, version=version, plural=plural, namespace=namespace, name="".join(name))
        case [plural, *name] if len(name) < 2:
            return Place(group=group, version=version, plural=plural, name="".join(name))
    return None


def answer(state: State, place: Place, query: Mapping[str, str], accept: str) -> dict[str, Any]:
    """The object or the list that a path names, as JSON or as the table that kubectl prints.

    Raises:
        RefusedError: nobody knows it, it was not captured, or the query is not understood.
    """
    shelf = shelf_of(state, place)
    if place.name:
        body = shelf.objects.get((place.namespace, place.name))
        if body is None:
            kind = f"{place.plural}.{place.group}" if place.group else place.plural
            raise RefusedError(404, f'{kind} "{place.name}" not found: no such object was captured')
        return as_table(shelf.resource, [body], {}, state.at) if TABLE in accept else body
    page, metadata = _page(list(found(state, place, query).values()), query, state)
    if TABLE in accept:
        return as_table(shelf.resource, page, metadata, state.at, whole=query.get("includeObject") == "Object")
    version = f"{place.group}/{place.version}" if place.group else place.version
    return {"kind": f"{shelf.resource.kind}List", "apiVersion": version, "metadata": metadata, "items": page}


def found(state: State, place: Place, query: Mapping[str, str]) -> dict[Name, Body]:
    """The objects of a list, by namespace and name.

    Raises:
        RefusedError: nobody knows it, it was not captured, or the query is not understood.
    """
    shelf = shelf_of(state, place)
    labels, fields = by_labels(query.get("labelSelector", "")), by_fields(query.get("fieldSelector", ""))
    return {
        name: body
        for name, body in shelf.objects.items()
        if place.namespace in {"", name[0]} and labels(body) and fields(body)
    }


def shelf_of(state: State, place: Place) -> Shelf:
    """The objects of the resource that a path names.

    Raises:
        RefusedError: nobody knows it, or it was not captured.
    """
    key = (place.group, place.plural)
    known = state.known.get(key)
    if known is None or place.version not in known.versions:
        raise RefusedError(404, NOT_FOUND)
    if key not in state.shelves:
        lack = state.lack(known.item_kind, MESH)
        raise RefusedError(403 if lack.refused else 404, lack.why)
    return state.shelves[key]


def _page(bodies: list[Body], query: Mapping[str, str], state: State) -> tuple[list[Body], dict[str, Any]]:
    """One page, and the metadata of the list."""
    version = state.version
    start = _start(query.get("continue", ""), version)
    limit = query.get("limit", "") or "0"
    if not limit.isdecimal():
        raise RefusedError(400, f"limit {limit!r} is no number")
    end = start + int(limit) if int(limit) else len(bodies)
    metadata: dict[str, Any] = {"resourceVersion": version}
    if end < len(bodies):
        metadata |= {"continue": _token(end, version), "remainingItemCount": len(bodies) - end}
    return bodies[start:end], metadata


def _token(start: int, version: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([start, version])).decode()


def _start(token: str, version: str) -> int:
    """Where a page begins.

    Raises:
        RefusedError: 410, the token is of another instant, or none of ours.
    """
    if not token:
        return 0
    try:
        start, of = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[int, str])
    except (ValueError, msgspec.DecodeError):
        start, of = -1, ""
    if start < 0 or of != version:
        raise RefusedError(410, "the continue token is not of this list; list again from the beginning")
    return start


def object_named(state: State, name: Name) -> Body:
    """The Pod of that name.

    Raises:
        RefusedError: 404, nothing of such a pod was captured.
    """
    body = state.pod(*name)
    if body is None:
        raise RefusedError(404, f'pods "{name[1]}" not found: nothing of {"/".join(name)} was captured')
    return body
