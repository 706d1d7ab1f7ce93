"""The fast way through a dump as Envoy prints it today: what is known already is compared, not parsed.

Envoy prints with one space of indentation, in fixed order, in snake case (MessageUtil, since admin.v3 of
1.13). So the wrapper around resources is read by regular expressions that accept that form and no other,
and a known resource by one comparison of memory. Anything unexpected ends the scan, and the tolerant way
decides; whatever this way accepts, the tolerant way reads the same (held by a property test).
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from meshforensics.formats._xds_bootstrap import read_bootstrap
from meshforensics.formats._xds_dump import TIME_SIZE, Bootstrap, ConfigDump, Part, Section, State
from meshforensics.formats._xds_message import Message
from meshforensics.formats._xds_sections import LISTS, SECTIONS, Listed, element_entries, once
from meshforensics.formats._xds_steps import TIME_BYTES, Elements, Said, Step, Steps
from meshforensics.formats._xds_store import Kind
from meshforensics.model import NotTheFormError

_Match = Callable[[bytes, int], "re.Match[bytes] | None"]
_TEXT = rb'"([^"\\\x00-\x1f]*)"'
_OPEN: Final = b'{\n "configs": [\n  '
_SECTION: Final[_Match] = re.compile(
    rb'\{\n   "@type": "type\.googleapis\.com/envoy\.admin\.v3\.(\w+)"(,\n|\n  \}(?:,\n  |(\n \]\n\}\s*\Z)))'
).match
_MEMBER: Final[_Match] = re.compile(rb'   "(\w+)": (?:' + _TEXT + rb"|\[\n    )").match
_AFTER: Final[_Match] = re.compile(rb"(,\n)|\n  \}(?:,\n  |(\n \]\n\}\s*\Z))").match
_NEXT: Final[_Match] = re.compile(rb"(,\n    )|\n   \]").match


class _Form(NamedTuple):
    """How an element of a list is printed around its resource.

    `first` matches at an element, up to its resource. Groups: name, version, time before the resource.
    `behind` matches behind a resource: to the end of its element, and on to the next. Groups: time behind
    the resource, whether more follows.
    """

    kind: Kind
    state: State | None
    first: _Match
    behind: _Match
    close: bytes
    inner: str
    named: bool


def _form(name: str, listed: Listed) -> _Form:
    """The form of a list: members of elements come in the order of their field numbers."""
    state, label, indent = listed.state, rb'(?:"name": ' + _TEXT + rb",\n     )?", b" " * 5
    inner = f"/{listed.field}"
    open_, shut = rb"\{\n     " + label, rb"\n    \}"
    if name == "dynamic_listeners":
        state, inner, indent = "active", "/active_state/listener", b" " * 6
        open_, shut = open_ + rb'"active_state": \{\n      ', rb"\n     \}" + shut
    head = open_ + b"".join(
        rb'(?:"' + member + rb'": ' + _TEXT + rb",\n" + indent + rb")?" for member in (b"version_info", b"last_updated")
    )
    head += rb'"' + inner.rpartition("/")[2].encode() + rb'": (?=\{\n)'
    tail = rb"(?:,\n" + indent + rb'"last_updated": ' + _TEXT + rb")?" + shut
    return _Form(
        kind=listed.kind,
        state=state,
        first=re.compile(head).match,
        behind=re.compile(tail + rb"(?:\n   \]|(,\n    ))").match,
        close=b"\n" + indent + b"}",
        inner=inner,
        named=name == "dynamic_listeners",
    )


_FORMS: Final[dict[str, _Form]] = {
    name: _form(name, listed) for name, listed in LISTS.items() if listed.field or name == "dynamic_listeners"
}


class _Otherwise(Exception):  # noqa: N818 - never leaves this module
    """The dump is printed otherwise; the tolerant way shall read it."""


class _List(NamedTuple):
    """One repeated field of a section, and where its elements go."""

    payload: bytes
    key: str
    pointer: str
    steps: Steps
    elements: Elements


class _Element(NamedTuple):
    """An element of a common form: its step, its time, its cut (see `Trail`), and what is behind it."""

    step: Step
    time: bytes | None
    cut: int
    more: bool
    end: int


class _Section(NamedTuple):
    section: Section
    end: int
    last: bool


def scan(payload: bytes, steps: Steps) -> ConfigDump | None:
    """The records of a dump in the form that Envoy prints today; None for any other form."""
    if not payload.startswith(_OPEN):
        return None
    try:
        return _scan(payload, steps)
    except (_Otherwise, NotTheFormError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
        return None


def _scan(payload: bytes, steps: Steps) -> ConfigDump:
    at, index, last = len(_OPEN), 0, False
    bootstrap: Bootstrap | None = None
    sections: list[Section] = []
    unknown: list[str] = []
    while not last:
        found = _must(_SECTION(payload, at))
        name = found.group(1).decode()
        pointer = f"/configs/{index}"
        if name in SECTIONS:
            section, at, last = _section(payload, found, name, pointer, steps)
            sections.append(section)
        elif name == "BootstrapConfigDump":
            value, at, last = _whole(payload, at, found)
            if bootstrap is None and "bootstrap" in value:
                bootstrap = read_bootstrap(Message(value, pointer))
        else:
            _, at, last = _whole(payload, at, found)
            unknown.append(f"envoy.admin.v3.{name}")
        index += 1
    cleaned, rejections = once(sections)
    return ConfigDump(bootstrap, tuple(cleaned), rejections, tuple(dict.fromkeys(unknown)))


def _whole(payload: bytes, start: int, found: "re.Match[bytes]") -> tuple[dict[str, Any], int, bool]:
    """A section that is parsed as one value."""
    if found.group(2) != b",\n":
        return {}, found.end(), found.group(3) is not None
    end = payload.find(b"\n  }", start) + 4
    value = msgspec.json.decode(payload[start:end], type=dict[str, Any])
    after = _must(_AFTER(payload, end - 4))
    return value, after.end(), after.group(2) is not None


def _section(payload: bytes, found: "re.Match[bytes]", name: str, pointer: str, steps: Steps) -> _Section:
    version: str | None = None
    parts: list[Part] = []
    if found.group(2) != b",\n":
        return _Section(Section(SECTIONS[name], pointer, None, ()), found.end(), found.group(3) is not None)
    at = found.end()
    while True:
        member = _must(_MEMBER(payload, at))
        key = member.group(1).decode()
        at = member.end()
        if member.group(2) is None:
            elements = Elements(steps.distinct, f"{pointer}/{key}")
            at = _elements(_List(payload, key, f"{pointer}/{key}", steps, elements), at)
            parts.extend(elements.parts)
        elif key == "version_info":
            version = member.group(2).decode() or None
        after = _must(_AFTER(payload, at))
        at = after.end()
        if after.group(1) is None:
            break
    section = Section(SECTIONS[name], pointer, version, tuple(parts))
    return _Section(section, at, after.group(2) is not None)


def _elements(held: _List, at: int) -> int:
    """Collect the elements of one list; the place behind its ``]``."""
    form = _FORMS.get(held.key)
    before: tuple[Step, int] | None = None
    more = True
    while more:
        found = None if form is None else _common(held, at, form)
        if found is None:
            at, more = _uncommon(held, at)
            before = None
            continue
        if before is not None:
            stop = found.cut - TIME_SIZE if found.step.timed else found.cut
            held.steps.follows(before[0], found.step, held.payload[before[1] : stop], at - before[1])
        held.elements.add(found.step, found.time)
        at, before = _run(held, found)
        more = found.more
    held.elements.close()
    return at


def _common(held: _List, at: int, form: _Form) -> _Element | None:
    """The element at a place; None where it is not of the form."""
    head = form.first(held.payload, at)
    place = head and held.steps.resources.at(form.kind, held.payload, head.end(), form.close)
    behind = place and form.behind(held.payload, place[1])
    if not head or not place or not behind:
        return None
    name, version, early = head.group(1, 2, 3)
    time = behind.group(1)
    if early or (time and (len(time) > TIME_SIZE or time.translate(None, TIME_BYTES))):
        return None
    shown = place[0].resource.name
    if name and (shown is None or form.named):
        shown = name.decode()
    timed = time is not None and len(time) == TIME_SIZE
    step = held.steps.of(place[0], Said(form.state, form.inner, shown, version), timed=timed)
    cut = behind.end(1) if timed else place[1]
    return _Element(step, time, cut, behind.group(2) is not None, behind.end())


def _run(held: _List, found: _Element) -> tuple[int, tuple[Step, int] | None]:
    """Collect the elements behind `found`, as long as each is followed by what followed it before.

    One loop over the bytes, kept flat: it runs once per element of every proxy. Whether the last ends as it
    should is seen when it is read on its own, so it is left to that.

    Returns:
        Where the next element begins; the step before it and that one's cut, if it is not known to follow.
    """
    payload, starts = held.payload, held.payload.startswith
    cut, trail, first = found.cut, found.step.trail, found.step.place + 1
    times: list[bytes] = []
    if trail is not None:
        pieces, gap = trail.pieces, trail.gap
        for place in range(first, len(pieces)):
            piece = pieces[place]
            if not starts(piece, cut):
                break
            cut += len(piece) + gap
            times.append(payload[cut - TIME_SIZE : cut])  # here, while these bytes are in the cache
    if trail is None or not times:
        return found.end, (found.step, found.cut)
    last = first + len(times) - 1
    printed = b"".join(times[:-1]) if trail.gap else b""
    if printed.translate(None, TIME_BYTES):
        raise _Otherwise
    held.elements.run(trail.numbers[first:last], printed)
    return cut - len(trail.pieces[last]) - trail.gap + trail.opens[last], None


def _uncommon(held: _List, at: int) -> tuple[int, bool]:
    """Collect the entries of an element of a less common form, which is parsed."""
    end = held.payload.find(b"\n    }", at) + 6
    listed = LISTS.get(held.key)
    if end < 6 or listed is None:
        raise _Otherwise
    value = msgspec.json.decode(held.payload[at:end], type=dict[str, Any])
    element = Message(value, f"{held.pointer}/{held.elements.count}")
    held.elements.alone(tuple(element_entries(element, listed, held.steps.resources)))
    after = _must(_NEXT(held.payload, end))
    return after.end(), after.group(1) is not None


def _must(found: "re.Match[bytes] | None") -> "re.Match[bytes]":
    if found is None:
        raise _Otherwise
    return found
