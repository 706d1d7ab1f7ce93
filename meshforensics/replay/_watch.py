"""A watch: what is there, what changes while time passes, and an end when it stands."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from meshforensics.replay._made import Body
from meshforensics.replay._moments import Moments
from meshforensics.replay._objects import TABLE, Place, found, shelf_of
from meshforensics.replay._state import Name, State
from meshforensics.replay._status import RefusedError
from meshforensics.replay._table import as_table

Event = dict[str, Any]


class Watch:
    """The events of one watch.

    Args:
        moments: the states to watch.
        place: the list that is watched.
        query: selectors, ``resourceVersion`` of a list seen before, ``timeoutSeconds``.
        accept: whether tables are wanted.
    """

    def __init__(self, moments: Moments, place: Place, query: Mapping[str, str], accept: str) -> None:
        self._moments = moments
        self._place = place
        self._query = query
        self._table = TABLE in accept
        self._state = moments.now()

    def first(self) -> list[Event]:
        """What is there, or what has changed since the list that was seen before.

        Raises:
            RefusedError: nobody knows the resource, it was not captured, or the query is not understood.
        """
        now = found(self._state, self._place, self._query)
        version = self._query.get("resourceVersion", "0")
        if version in {"", "0"}:
            return list(self._between({}, now))
        seen = self._moments.of_version(version)
        return list(self._between(self._found(seen), now)) if seen else []

    async def following(self) -> AsyncIterator[Event]:
        """What changes until time stands, or the caller's own time is over."""
        seconds = self._query.get("timeoutSeconds", "")
        loop = asyncio.get_running_loop()
        end = loop.time() + (int(seconds) if seconds.isdecimal() and int(seconds) else 86400)
        for wait in self._moments.waits():
            left = end - loop.time()
            await asyncio.sleep(max(0.0, min(wait, left)))
            if wait >= left:
                return
            before, self._state = self._found(self._state), self._moments.now()
            for event in self._between(before, self._found(self._state)):
                yield event

    def _found(self, state: State) -> dict[Name, Body]:
        """The objects of a state; none where the resource was captured later."""
        try:
            return found(state, self._place, self._query)
        except RefusedError:
            return {}

    def _between(self, before: dict[Name, Body], after: dict[Name, Body]) -> Iterator[Event]:
        for name, body in after.items():
            if name not in before:
                yield self._event("ADDED", body)
            elif before[name] != body:
                yield self._event("MODIFIED", body)
        for name, body in before.items():
            if name not in after:
                yield self._event("DELETED", body)

    def _event(self, type_: str, body: Body) -> Event:
        if not self._table:
            return {"type": type_, "object": body}
        whole = self._query.get("includeObject") == "Object"
        resource = shelf_of(self._state, self._place).resource
        return {"type": type_, "object": as_table(resource, [body], {}, self._state.at, whole=whole)}
