"""What ``kubectl describe pods`` and ``describe nodes`` print: fields, containers, conditions, events.

Times are printed in the zone of the printing machine and given back in UTC; ages stay relative.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from meshforensics.formats.kubectl import age_seconds
from meshforensics.model import NotTheFormError, format_time

_TOP = re.compile(r"([A-Z][A-Za-z0-9 /()-]*):(?:\s+(.*)|\s*)$")
_FIELD = re.compile(r"    ([A-Z][A-Za-z0-9 ]*):(?:\s+(.*)|\s*)$")
_SUBFIELD = re.compile(r"      (\S[^:]*):\s+(.*)$")
_CONTAINER = re.compile(r"  ([a-z0-9][a-z0-9.-]*):\s*$")
_GAP = re.compile(r"\s{2,}")
_EVENT_AGE = re.compile(r"(\S+)(?: \(x(\d+) over (\S+)\))?")
_ROLES = {"Containers": "app", "Init Containers": "init", "Ephemeral Containers": "ephemeral"}
_TIME = "%a, %d %b %Y %H:%M:%S %z"
_NONE = {"<none>", "<unset>", "<unknown>", ""}


class DescribedContainer(msgspec.Struct, frozen=True):
    """One container of a described pod; `role` is app, init or ephemeral."""

    name: str
    role: str
    pointer: str
    fields: dict[str, str]
    state: dict[str, str]
    last_state: dict[str, str]
    limits: dict[str, str]
    requests: dict[str, str]


class DescribedEvent(msgspec.Struct, frozen=True):
    """One event of a described object; ages are in seconds before the capture."""

    type: str
    reason: str
    age_s: int | None
    first_age_s: int | None
    count: int
    source: str
    message: str
    pointer: str


class Described(msgspec.Struct, frozen=True):
    """One described object."""

    name: str
    namespace: str | None
    pointer: str
    fields: dict[str, str]
    labels: dict[str, str]
    annotations: dict[str, str]
    conditions: dict[str, str]
    containers: tuple[DescribedContainer, ...]
    events: tuple[DescribedEvent, ...]
    sections: dict[str, dict[str, str]]

    @property
    def kind(self) -> str:
        """``Pod``, ``Node``, or empty when it is something else."""
        if "System Info" in self.sections:
            return "Node"
        return "Pod" if self.containers and "Node" in self.fields else ""


_Lines = list[tuple[int, str]]


def decode(payload: bytes) -> tuple[Described, ...]:
    """Every described object, in order.

    Raises:
        NotTheFormError: no line begins an object with its name.
    """
    lines = payload.decode("utf-8", "replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line.lstrip(' "').startswith("Name:  ")]
    starts = [number for number in starts if not lines[number].startswith("  ")]
    if not starts:
        first = next((line.strip() for line in lines if line.strip()), "")
        raise NotTheFormError(f"not what kubectl describe prints: it begins {first[:60]!r}")
    ends = [*starts[1:], len(lines)]
    return tuple(
        _described(
            [
                (number + 1, lines[number].lstrip(' "') if number == start else lines[number])
                for number in range(start, end)
            ]
        )
        for start, end in zip(starts, ends, strict=True)
    )


def time_of(text: str | None) -> str | None:
    """RFC 3339 in UTC of a time as describe prints it; None for none.

    >>> time_of("Tue, 05 Sep 2023 15:02:10 +0800")
    '2023-09-05T07:02:10Z'
    """
    if text is None or text.strip() in _NONE:
        return None
    try:
        return format_time(datetime.strptime(text.strip(), _TIME))  # noqa: DTZ007 - the form has a zone
    except (ValueError, OverflowError):
        return None


def _described(lines: _Lines) -> Described:
    fields: dict[str, str] = {}
    blocks: dict[str, _Lines] = {}
    for number, line in lines:
        found = _TOP.match(line)
        if found:
            fields[found[1]] = (found[2] or "").strip()
            blocks[found[1]] = []
        elif blocks and line.startswith(" "):
            blocks[next(reversed(blocks))].append((number, line))
    last = max((number for number, line in lines if line.strip()), default=lines[0][0])
    return Described(
        name=fields.get("Name", ""),
        namespace=said(fields.get("Namespace")),
        pointer=f"L{lines[0][0]}-L{last}",
        fields=fields,
        labels=_pairs(fields, blocks, "Labels", "="),
        annotations=_pairs(fields, blocks, "Annotations", ": "),
        conditions=_conditions(blocks.get("Conditions", [])),
        containers=tuple(one for section, role in _ROLES.items() for one in _containers(blocks.get(section, []), role)),
        events=tuple(_events(blocks.get("Events", []))),
        sections={name: _section(block) for name, block in blocks.items() if block},
    )


def said(text: str | None) -> str | None:
    """The text, unless it is one of the words for nothing."""
    return None if text is None or text in _NONE else text


def _pairs(fields: dict[str, str], blocks: dict[str, _Lines], name: str, divider: str) -> dict[str, str]:
    texts = [fields.get(name, ""), *(line.strip() for _, line in blocks.get(name, []))]
    made: dict[str, str] = {}
    for text in texts:
        key, found, value = text.partition(divider)
        if found and key:
            made[key] = value.strip()
    return made


def _section(block: _Lines) -> dict[str, str]:
    return {
        key.strip(): value.strip()
        for key, found, value in (line.partition(":") for _, line in block)
        if found and value.strip()
    }


def _conditions(block: _Lines) -> dict[str, str]:
    """Status by type of condition; the times and messages of nodes are left to the text."""
    made: dict[str, str] = {}
    for _, line in block:
        words = line.split()
        if len(words) >= 2 and words[1] in {"True", "False", "Unknown"}:
            made[words[0]] = words[1]
    return made


def _containers(block: _Lines, role: str) -> Iterator[DescribedContainer]:
    parts: list[_Lines] = []
    for number, line in block:
        if _CONTAINER.match(line):
            parts.append([])
        if parts:
            parts[-1].append((number, line))
    for part in parts:
        yield _container(part, role)


def _container(part: _Lines, role: str) -> DescribedContainer:
    fields: dict[str, str] = {}
    below: dict[str, dict[str, str]] = {}
    for _, line in part[1:]:
        found = _FIELD.match(line)
        sub = _SUBFIELD.match(line)
        if found:
            fields[found[1]] = (found[2] or "").strip()
            below[found[1]] = {}
        elif sub and below:
            below[next(reversed(below))][sub[1].strip()] = sub[2].strip()
    return DescribedContainer(
        name=part[0][1].strip().rstrip(":"),
        role=role,
        pointer=f"L{part[0][0]}-L{part[-1][0]}",
        fields=fields,
        state=_state(fields, below, "State"),
        last_state=_state(fields, below, "Last State"),
        limits=below.get("Limits", {}),
        requests=below.get("Requests", {}),
    )


def _state(fields: dict[str, str], below: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    return {"": fields[name].lower(), **below.get(name, {})} if fields.get(name) else {}


def _events(block: _Lines) -> Iterator[DescribedEvent]:
    for number, line in block:
        cells = _GAP.split(line.strip(), maxsplit=4)
        age = _EVENT_AGE.fullmatch(cells[2]) if len(cells) == 5 else None
        if age is None or cells[0] in {"Type", "----"}:
            continue
        yield DescribedEvent(
            type=cells[0],
            reason=cells[1],
            age_s=age_seconds(age[1]),
            first_age_s=age_seconds(age[3] or age[1]),
            count=int((age[2] or "1")[:12]),
            source=cells[3],
            message=cells[4],
            pointer=f"L{number}",
        )
