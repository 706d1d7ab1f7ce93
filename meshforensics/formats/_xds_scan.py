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
from meshforensics.formats._xds_dump import Bootstrap, ConfigDump, Entry, Section, State
from meshforensics.formats._xds_message import Message
from meshforensics.formats._xds_sections import LISTS, SECTIONS, Listed, element_entries, once
from meshforensics.formats._xds_store import Kind, Known, Resources, Step
from meshforensics.model import NotTheFormError

_Match = Callable[[bytes, int], "re.Match[bytes] | None"]
_TEXT = rb'"([^"\\\x00-\x1f]*)"'
_TIME_SIZE: Final = len("2026-11-23T18:49:44.432Z")
_TIME_BYTES: Final = b"0123456789-:.TZ"
_OPEN: Final = b'{\n "configs": [\n  '
_SECTION: Final[_Match] = re.compile(
    rb'\{\n   "@type": "type\.googleapis\.com/envoy\.admin\.v3\.(\w+)"(,\n|\n  \}(?:,\n  |(\n \]\n\}\s*\Z)))'
).match
_MEMBER: Final[_Match] = re.compile(rb'   "(\w+)": (?:' + _TEXT + rb"|\[\n    )").match
_AFTER: Final[_Match] = re.compile(rb"(,\n)|\n  \}(?:,\n  |(\n \]\n\}\s*\Z))").match
_NEXT: Final[_Match] = re.compile(rb"(,\n    )|\n   \]").match


class _Form(NamedTuple):
    """How an element of a list is printed around its resource.

    `first` matches at an element, `between` behind a resource: to the end of its element, and on to the
    next resource. Groups of both: time behind the resource, whether more follows, (start of element,
    name, version, time before the resource), the four of the element to come.
    """

    kind: Kind
    state: State | None
    first: _Match
    between: _Match
    close: bytes
    lead: bytes
    inner: str
    named: bool


def _form(name: str, listed: Listed) -> _Form:
    """The form of a list: members of elements come in the order of their field numbers."""
    state, label, indent = listed.state, rb'(?:"name": ' + _TEXT + rb",\n     )?", b" " * 5
    inner = f"/{listed.field}"
    open_, shut = rb"()\{\n     " + label, rb"\n    \}"
    if name == "dynamic_listeners":
        state, inner, indent = "active", "/active_state/listener", b" " * 6
        open_, shut = open_ + rb'"active_state": \{\n      ', rb"\n     \}" + shut
    field = inner.rpartition("/")[2].encode()
    head = open_ + b"".join(
        rb'(?:"' + member + rb'": ' + _TEXT + rb",\n" + indent + rb")?" for member in (b"version_info", b"last_updated")
    )
    head += rb'"' + field + rb'": (?=\{\n)'
    tail = rb"(?:,\n" + indent + rb'"last_updated": ' + _TEXT + rb")?" + shut
    first = re.compile(rb"()()(?:" + head + rb")?")
    between = re.compile(tail + rb"(?:\n   \]|(,\n    )(?:" + head + rb")?)")
    return _Form(
        kind=listed.kind,
        state=state,
        first=first.match,
        between=between.match,
        close=b"\n" + indent + b"}",
        lead=b",\n" + indent + b'"last_updated": "',
        inner=inner,
        named=name == "dynamic_listeners",
    )


_FORMS: Final[dict[str, _Form]] = {
    name: _form(name, listed) for name, listed in LISTS.items() if listed.field or name == "dynamic_listeners"
}


class _Otherwise(Exception):  # noqa: N818 - never leaves this module
    """The dump is printed otherwise; the tolerant way shall read it."""


class _List(NamedTuple):
    """One repeated field of a section, and where its entries go."""

    payload: bytes
    key: str
    pointer: str
    resources: Resources
    entries: list[Entry]


class _Section(NamedTuple):
    section: Section
    end: int
    last: bool


def scan(payload: bytes, resources: Resources) -> ConfigDump | None:
    """The records of a dump in the form that Envoy prints today; None for any other form."""
    if not payload.startswith(_OPEN):
        return None
    try:
        return _scan(payload, resources)
    except (_Otherwise, NotTheFormError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
        return None


def _scan(payload: bytes, resources: Resources) -> ConfigDump:
    at, index, last = len(_OPEN), 0, False
    bootstrap: Bootstrap | None = None
    sections: list[Section] = []
    unknown: list[str] = []
    while not last:
        found = _must(_SECTION(payload, at))
        name = found.group(1).decode()
        pointer = f"/configs/{index}"
        if name in SECTIONS:
            section, at, last = _section(payload, found, name, pointer, resources)
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


def _section(payload: bytes, found: "re.Match[bytes]", name: str, pointer: str, resources: Resources) -> _Section:
    version: str | None = None
    entries: list[Entry] = []
    if found.group(2) != b",\n":
        return _Section(Section(SECTIONS[name], pointer, None, ()), found.end(), found.group(3) is not None)
    at = found.end()
    while True:
        member = _must(_MEMBER(payload, at))
        key = member.group(1).decode()
        at = member.end()
        if member.group(2) is None:
            at = _elements(_List(payload, key, f"{pointer}/{key}", resources, entries), at)
        elif key == "version_info":
            version = member.group(2).decode() or None
        after = _must(_AFTER(payload, at))
        at = after.end()
        if after.group(1) is None:
            break
    section = Section(SECTIONS[name], pointer, version, tuple(entries))
    return _Section(section, at, after.group(2) is not None)


def _elements(held: _List, at: int) -> int:
    """Append the entries of one list; the place behind its ``]``."""
    form, payload = _FORMS.get(held.key), held.payload
    if form is None:
        return _parsed(held, at)
    head, before, index = _must(form.first(payload, at)), None, 0
    more: bytes | None = b","
    while more:
        behind = None
        found = _step(held, head, before, form)
        if found is not None:
            at, end, step, index = _run(held, (at, *found), form, index)
            behind = form.between(payload, end)
        if found is None or behind is None:
            at, more = _element(held, at, index)
            head, before = _must(form.first(payload, at)), None
        else:
            late = behind.group(1)
            time = step.early or (late.decode() if late else None)
            held.entries.append(_entry(step, form, f"{held.pointer}/{index}", time))
            more, before, head = behind.group(2), step.known, behind
            at = behind.end() if behind.start(3) < 0 else behind.start(3)
        index += 1
    return at


def _step(held: _List, head: "re.Match[bytes]", before: Known | None, form: _Form) -> tuple[int, Step] | None:
    """The end of the resource that `head` leads to, and the step; `before` remembers it as what follows."""
    if head.start(3) < 0:
        return None
    found = held.resources.at(form.kind, held.payload, head.end(), form.close)
    if found is None:
        return None
    known, end = found
    name, version, early = head.group(4, 5, 6)
    shown = known.resource.name
    if name and (shown is None or form.named):
        shown = name.decode()
    stop, gap, timed = head.end(1), b"", head.group(1) is not None
    if before is not None and known.raw:
        if not timed:
            stop = head.start()
        if not timed or stop - head.start(1) == _TIME_SIZE:
            gap = held.payload[stop : head.end()]
    opens = head.start(3) - stop
    version = held.resources.text(version)
    step = Step(known, shown, version, early.decode() if early else None, gap, opens, timed)
    if gap and before is not None:
        before.follow = step
    return end, step


def _run(held: _List, start: tuple[int, int, Step], form: _Form, index: int) -> tuple[int, int, Step, int]:
    """Append entries as long as each is followed by what followed it last time.

    One loop over the bytes, kept flat: it runs once per resource of every proxy. Only the time between
    two resources is free to differ, and it may hold nothing but the letters of a time.

    Returns:
        Start of the element and end of the resource at which the run ended, its step, its index.
    """
    at, end, step = start
    payload, pointer, append = held.payload, held.pointer, held.entries.append
    kind, state, lead, inner, starts = form.kind, form.state, form.lead, form.inner, payload.startswith
    skip = len(lead)
    while step.early is None:
        follow = step.known.follow
        if follow is None:
            break
        stop = end
        time: str | None = None
        if follow.timed:
            stop = end + skip + _TIME_SIZE
            if not starts(lead, end):
                break
            printed = payload[end + skip : stop]
            if printed.translate(None, _TIME_BYTES):
                break
            time = printed.decode()
        begin, known = stop + len(follow.gap), follow.known
        if not starts(follow.gap, stop) or not starts(known.raw, begin):
            break
        resource, place = step.known.resource, f"{pointer}/{index}"
        append(Entry(kind, place, inner, step.name, step.version, time, state, resource))
        at, end, step, index = stop + follow.opens, begin + known.size, follow, index + 1
    return at, end, step, index


def _entry(step: Step, form: _Form, pointer: str, time: str | None) -> Entry:
    return Entry(
        kind=form.kind,
        pointer=pointer,
        inner=form.inner,
        name=step.name,
        version_info=step.version,
        last_updated=time,
        state=form.state,
        resource=step.known.resource,
    )


def _element(held: _List, at: int, index: int) -> tuple[int, bytes | None]:
    """Append the entries of an element of a less common form, which is parsed."""
    end = held.payload.find(b"\n    }", at) + 6
    listed = LISTS.get(held.key)
    if end < 6 or listed is None:
        raise _Otherwise
    value = msgspec.json.decode(held.payload[at:end], type=dict[str, Any])
    element = Message(value, f"{held.pointer}/{index}")
    held.entries.extend(element_entries(element, listed, held.resources))
    after = _must(_NEXT(held.payload, end))
    return after.end(), after.group(1)


def _parsed(held: _List, at: int) -> int:
    """A list whose elements have no form of their own here."""
    index, more = 0, True
    while more:
        at, found = _element(held, at, index)
        index, more = index + 1, bool(found)
    return at


def _must(found: "re.Match[bytes] | None") -> "re.Match[bytes]":
    if found is None:
        raise _Otherwise
    return found
