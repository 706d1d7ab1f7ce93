"""What came after what: elements of lists by number, and the bytes that led from one to the next last time.

In a dump of a like sidecar the same elements come in the same order. So behind an element the bytes that
followed it before are compared with those that are there: one comparison of memory an element.
"""

from array import array
from typing import Final, NamedTuple

import msgspec

from meshforensics.formats._xds_dump import TIME_SIZE, Distinct, Entry, Listing, Part, State
from meshforensics.formats._xds_store import Known, Resources

TIME_BYTES: Final = b"0123456789-:.TZ"
"""The letters of a time as Envoy prints it."""

PATIENCE: Final = 2
"""So often something else must follow before what is known to follow is forgotten."""

REMEMBERED: Final = 128 * 2**20
"""Bytes between elements that are kept for comparison; what follows others beyond is found by reading it."""

_NO_TIME: Final = b" " * TIME_SIZE


class Trail(msgspec.Struct):
    """Elements in the order in which a list had them, with the bytes from each to the next: from cut to cut.

    The cut of an element lies behind its time, or behind its resource where no time of `TIME_SIZE` is. The
    bytes lie in one list, because following pointers from element to element costs more than comparing.

    Attributes:
        gap: the size of the time before each cut: `TIME_SIZE`, or 0 for elements without.
        pieces: the bytes from cut to cut, without that time; the first has none.
        opens: where in its piece each element begins.
        numbers: of the elements.
    """

    gap: int
    pieces: list[bytes]
    opens: "array[int]"
    numbers: "array[int]"


class Step(msgspec.Struct):
    """An element as many dumps have it.

    Attributes:
        number: of its entry.
        timed: whether its cut lies behind its time.
        trail: where it was found with what followed it.
        place: its place there.
        misses: how often something else has followed since.
    """

    number: int
    timed: bool
    trail: Trail | None = None
    place: int = 0
    misses: int = 0


class Said(NamedTuple):
    """What an element says beside its resource and its time, and in which list."""

    state: State | None
    inner: str
    name: str | None
    version: bytes | None


class Steps:
    """Every distinct element seen so far in one investigation."""

    def __init__(self) -> None:
        self.resources = Resources()
        self.distinct = Distinct([], set())
        self._steps: dict[tuple[int, Said, bool], Step] = {}
        self._growing: Trail | None = None
        self._held = 0

    def of(self, known: Known, said: Said, *, timed: bool) -> Step:
        """The step of an element that holds `known`."""
        key = (id(known), said, timed)
        found = self._steps.get(key)
        if found is None:
            self.distinct.entries.append(_entry(known, said))  # first, because a name may be no text
            found = self._steps[key] = Step(len(self.distinct.entries) - 1, timed)
            if known.resource.inner or getattr(known.resource.record, "pems", ()):
                self.distinct.bearing.add(found.number)
        return found

    def follows(self, before: Step, step: Step, piece: bytes, opens: int) -> None:
        """Remember that `step` followed `before`, where nothing else is known to, or no longer does."""
        if before.timed != step.timed or self._held + len(piece) > REMEMBERED:
            return
        trail = before.trail
        if trail is None or before.place + 1 < len(trail.pieces):
            before.misses += 1
            if trail is not None and before.misses < PATIENCE:
                return
            trail = self._trail_from(before)
        self._held += len(piece)
        trail.pieces.append(piece)
        trail.opens.append(opens)
        trail.numbers.append(step.number)
        self._growing = trail
        if step.trail is None:
            step.trail, step.place = trail, len(trail.pieces) - 1

    def _trail_from(self, step: Step) -> Trail:
        """A trail that ends with `step`: the one that grew last, or a new one."""
        trail = self._growing
        if trail is None or trail.numbers[-1] != step.number:
            gap = TIME_SIZE if step.timed else 0
            trail = Trail(gap, [b""], array("i", [0]), array("i", [step.number]))
        step.trail, step.place, step.misses = trail, len(trail.pieces) - 1, 0
        return trail


def _entry(known: Known, said: Said) -> Entry:
    return Entry(
        kind=known.resource.kind,
        pointer="",
        inner=said.inner,
        name=said.name,
        version_info=said.version.decode() if said.version else None,
        last_updated=None,
        state=said.state,
        resource=known.resource,
    )


class Elements:
    """The elements of one list of a dump, collected in their order."""

    def __init__(self, distinct: Distinct, pointer: str) -> None:
        self.count = 0
        self.parts: list[Part] = []
        self._distinct = distinct
        self._pointer = pointer
        self._numbers = array("i")
        self._times = bytearray()

    def add(self, step: Step, time: bytes | None) -> None:
        """Append one element whose time has at most `TIME_SIZE` letters."""
        self._numbers.append(step.number)
        self._times += (time or b"").ljust(TIME_SIZE)
        self.count += 1

    def run(self, numbers: "array[int]", times: bytes) -> None:
        """Append elements in a run, all with times of `TIME_SIZE` letters or all without."""
        self._numbers.extend(numbers)
        self._times += times or _NO_TIME * len(numbers)
        self.count += len(numbers)

    def alone(self, entries: tuple[Entry, ...]) -> None:
        """Append one element that has entries of its own."""
        self.close()
        self.parts.append(entries)
        self.count += 1

    def close(self) -> None:
        """Make a listing of what was collected."""
        if self._numbers:
            start = self.count - len(self._numbers)
            times = b"" if self._times.isspace() else bytes(self._times)
            self.parts.append(Listing(self._distinct, self._pointer, start, self._numbers, times))
            self._numbers, self._times = array("i"), bytearray()
