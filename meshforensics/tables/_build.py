"""Build tables from the items of a bundle: as of an instant, or over time."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import pandas as pd

from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.kubernetes import decode as decode_objects
from meshforensics.model import MESH, BundleError, Item, NotTheFormError, Status, UnknownNameError, pod_of
from meshforensics.tables._columns import Block, build, stretches, typed
from meshforensics.tables._declare import Table
from meshforensics.tables._departed import departed, is_over

T = TypeVar("T")
UNUSABLE = (NotTheFormError, BundleError)
"""What makes one item unusable, its form or damage of its member; the others are still used."""


class Evidence(Protocol):
    """What tables need of a bundle."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item, sorted."""

    def read(self, item: Item) -> bytes:
        """The raw bytes of a stored item."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What became of a table: how many items it was read from, and why not from others."""

    items: int
    rows: int
    reason: str
    not_decoded: tuple[tuple[str, str], ...] = ()

    @property
    def captured(self) -> bool:
        """Whether at least one item was decoded for it; without, the table says nothing."""
        return not self.reason


class _Seen:
    """What the items of one table had so far."""

    def __init__(self) -> None:
        self._keys: set[object] = set()
        self._numbers = np.zeros(0, dtype=bool)

    def first(self, key: object) -> bool:
        before = len(self._keys)
        self._keys.add(key)
        return len(self._keys) > before

    def fresh(self, numbers: Sequence[int]) -> list[int]:
        """One look at an array for all of them: of a thousand items hardly any has a number that is new."""
        given = np.asarray(numbers)
        beyond = int(given.max(initial=-1)) + 1 - len(self._numbers)
        if beyond > 0:
            self._numbers = np.concatenate((self._numbers, np.zeros(beyond + len(self._numbers), dtype=bool)))
        places = np.flatnonzero(~self._numbers[given])
        if not len(places):
            return []
        self._numbers[given] = True
        return [int(place) for place in places[np.sort(np.unique(given[places], return_index=True)[1])]]


@dataclass
class _Reading:
    item: Item
    tables: "Tables"
    seen: "_Seen"

    @property
    def payload(self) -> bytes:
        return self.tables.evidence.read(self.item)

    def decoded(self, decoder: Callable[[bytes], T]) -> T:
        return self.tables.decode(self.item, decoder)

    def shared(self, kind: type[T]) -> T:
        return self.tables.shared(kind)

    def first(self, key: object) -> bool:
        return self.seen.first(key)

    def fresh(self, numbers: Sequence[int]) -> list[int]:
        return self.seen.fresh(numbers)


@dataclass
class Tables:
    """Every declared table of one bundle, as of one instant; built when first asked for.

    Args:
        evidence: the bundle.
        declared: the tables, by id.
        at: the instant; items captured later are not seen. None sees all.
    """

    evidence: Evidence
    declared: dict[str, Table]
    at: datetime | None
    _frames: dict[tuple[str, bool], tuple[pd.DataFrame, State]] = field(default_factory=dict)
    _decoded: dict[tuple[str, object], object] = field(default_factory=dict)
    _shared: dict[type, object] = field(default_factory=dict)
    _departed: dict[str, datetime] | None = None

    def frame(self, name: str) -> pd.DataFrame:
        """The table as of `at`: per (kind, subject) the newest item that is not later, of pods that are still there."""
        return self._get(name, over_time=False)[0]

    def over_time(self, name: str) -> pd.DataFrame:
        """The table from every item up to `at`: all samples of a series."""
        return self._get(name, over_time=True)[0]

    def state(self, name: str, *, over_time: bool = False) -> State:
        """How the table came about; `reason` is empty when at least one item was decoded."""
        return self._get(name, over_time=over_time)[1]

    def decode(self, item: Item, decoder: Callable[[bytes], T]) -> T:
        """`decoder` applied to the bytes of `item`, once; a refusal is remembered and raised again."""
        key = (item.id + (item.sha256 or ""), decoder)
        if key not in self._decoded:
            try:
                self._decoded[key] = decoder(self.evidence.read(item))
            except UNUSABLE as error:
                self._decoded[key] = error
        made = self._decoded[key]
        if isinstance(made, UNUSABLE):
            raise made
        return cast("T", made)

    def shared(self, kind: type[T]) -> T:
        """One `kind()` for the whole investigation."""
        return cast("T", self._shared.setdefault(kind, kind()))

    def _gone(self) -> dict[str, datetime]:
        """Pods that are there no more, and the time of the list that says so."""
        if self._departed is None:
            self._departed = departed(self.evidence.items, self.at, self._objects)
        return self._departed

    def _objects(self, item: Item) -> tuple[KubernetesObject, ...]:
        try:
            return self.decode(item, decode_objects)
        except UNUSABLE:
            return ()

    def _get(self, name: str, *, over_time: bool) -> tuple[pd.DataFrame, State]:
        if name not in self.declared:
            raise UnknownNameError("table", name, self.declared)
        key = (name, over_time)
        if key not in self._frames:
            table = self.declared[name]
            make = self._derive if table.derives else self._read
            self._frames[key] = make(table, over_time)
        return self._frames[key]

    def _derive(self, table: Table, over_time: bool) -> tuple[pd.DataFrame, State]:
        derives = cast("Callable[..., pd.DataFrame]", table.derives)
        arguments: dict[str, Any] = {}
        needed: list[str] = []
        optional: list[str] = []
        for name, parameter in inspect.signature(derives).parameters.items():
            reason = self.state(name, over_time=over_time).reason
            arguments[name] = self._get(name, over_time=over_time)[0]
            (needed if parameter.default is inspect.Parameter.empty else optional).append(reason)
        reasons = [reason for reason in needed if reason]
        if not needed and all(optional):
            reasons = optional
        made = derives(**arguments)
        frame = typed(table, made, over_time=over_time)
        return frame, State(items=0, rows=len(frame), reason="; ".join(dict.fromkeys(reasons)))

    def _read(self, table: Table, over_time: bool) -> tuple[pd.DataFrame, State]:
        blocks: list[Block] = []
        refused: list[tuple[str, str]] = []
        wanted = [item for item in self.evidence.items if table.rows_function(item.kind)]
        wanted.sort(key=lambda item: table.rank(item.kind))
        seen = visible(wanted, self.at, over_time=over_time)
        kept = seen if over_time else [item for item in seen if not is_over(item, self._gone())]
        gone, seen = bool(seen) and not kept, kept
        silent: set[str] = set()
        once = _Seen()
        for item in seen:
            try:
                made = self._block(table, item, once)
            except UNUSABLE as error:
                refused.append((item.id, str(error)))
                continue
            if made is None:
                silent.add(item.id)
            else:
                blocks.append(made)
        frame = build(table, blocks, over_time=over_time)
        told = [item for item in seen if item.id not in silent]
        mute = {(item.kind, item.subject) for item in seen} - {(item.kind, item.subject) for item in told}
        wanted, seen = [item for item in wanted if (item.kind, item.subject) not in mute], told
        state = State(
            items=len(seen) - len(refused),
            rows=len(frame),
            reason=f"captured only of pods that are gone: {table.id}"
            if gone
            else _reason(table, wanted, seen, refused),
            not_decoded=tuple(refused),
        )
        return frame, state

    def _block(self, table: Table, item: Item, once: _Seen) -> Block | None:
        """The rows of one item; None when the item is not about the table."""
        rows_function = table.rows_function(item.kind)
        made = rows_function(_Reading(item, self, once)) if rows_function else None
        if made is None:
            return None
        namespace, pod = pod_of(item.subject) or ("", item.subject)
        return Block(namespace, pod, item.captured_at, item.id, stretches(made))


def visible(items: Iterable[Item], at: datetime | None, *, over_time: bool) -> list[Item]:
    """The stored items that count as of `at`: all of them over time, else the newest per kind and subject.

    An item of unknown capture time is seen always, and is older than any other. A list of one namespace, or of what a
    selector selects, counts until the whole list is captured.
    """
    stored = [
        item for item in items if item.stored and (at is None or item.captured_at is None or item.captured_at <= at)
    ]
    if over_time:
        return stored
    newest: dict[tuple[str, str], Item] = {}
    for item in stored:
        key = (item.kind, item.subject)
        held = newest.get(key)
        if held is None or _later(item, held):
            newest[key] = item
    return [item for item in newest.values() if not _replaced(item, newest.get((item.kind, MESH)))]


def _replaced(item: Item, whole: Item | None) -> bool:
    """Whether a list is of a part of the mesh, and no newer than that of all of it."""
    part = item.kind.startswith("kubernetes.") and item.subject.startswith(("Namespace:", "Selector:"))
    return part and whole is not None and whole.status is Status.CAPTURED and not _later(item, whole)


def _later(item: Item, held: Item) -> bool:
    if item.captured_at is None:
        return False
    return held.captured_at is None or item.captured_at >= held.captured_at


def _reason(table: Table, wanted: Sequence[Item], seen: Sequence[Item], refused: list[tuple[str, str]]) -> str:
    if len(seen) > len(refused):
        return ""
    if refused:
        return f"not decoded: {table.id} ({refused[0][0]}: {refused[0][1]})"
    if any(item.stored for item in wanted):
        return f"captured later than the instant asked for: {table.id}"
    if wanted:
        first = wanted[0]
        return f"not captured: {table.id} ({first.kind} of {first.subject} {first.status}: {first.cause or ''})"
    return f"not captured: {table.id}"
