"""Tables that kubectl prints: ``get events -o wide``, ``get secrets``, ``get pods``, ``top pods --containers``.

Cells are told apart by where the header's words begin, and where a table was printed unaligned, by runs of
spaces. Ages are relative to the capture, so they are given in seconds.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from meshforensics.model import NotTheFormError

_HEADER = re.compile(r"[A-Z][A-Z0-9/_%-]*(?:\([A-Za-z]+\))?(?: [A-Z][A-Z0-9/_%-]*(?:\([A-Za-z]+\))?)*")
_GAP = re.compile(r"\s{2,}")
_AGE = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (365 * 86400, 86400, 3600, 60, 1)
_RESTARTS = re.compile(r"(\d+)(?: \((\S+) ago\))?")
_NOTHING = "No resources found"
_MAY_BE_EMPTY = "SUBOBJECT"
_KINDS = {
    "pod": "Pod",
    "node": "Node",
    "replicaset": "ReplicaSet",
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "service": "Service",
    "endpoints": "Endpoints",
    "endpointslice": "EndpointSlice",
    "namespace": "Namespace",
    "configmap": "ConfigMap",
    "secret": "Secret",
    "ingress": "Ingress",
    "gateway": "Gateway",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "poddisruptionbudget": "PodDisruptionBudget",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "serviceaccount": "ServiceAccount",
    "lease": "Lease",
}
"""By the lower case in which kubectl prints them."""


class TextRow(NamedTuple):
    """One row: its cells by the header above them."""

    pointer: str
    cells: dict[str, str]


class _Header(NamedTuple):
    names: tuple[str, ...]
    starts: tuple[int, ...]


def decode(payload: bytes) -> tuple[TextRow, ...]:
    """Every row of every table in the payload.

    Raises:
        NotTheFormError: no line of it is a table's header.
    """
    lines = payload.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    if lines and lines[0].startswith(_NOTHING):
        return ()
    made = tuple(_rows(lines))
    if not made and not any(_header(line) for line in lines):
        raise NotTheFormError(f"no table of kubectl: {_beginning(lines)}")
    return made


def _beginning(lines: list[str]) -> str:
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"it begins {first[:60]!r}" if first else "it is empty"


def _rows(lines: list[str]) -> Iterator[TextRow]:
    header: _Header | None = None
    for number, line in enumerate(lines, start=1):
        found = _header(line)
        if found is not None:
            header = found
        elif not line.strip():
            header = None
        elif header is not None:
            cells = _cells(line, header)
            if cells is not None:
                yield TextRow(f"L{number}", dict(zip(header.names, cells, strict=True)))


def _header(line: str) -> _Header | None:
    body = line.lstrip(' "')
    offset = len(line) - len(body)
    words = [word for word in _GAP.split(body.rstrip()) if word]
    if len(words) < 2 or not all(_HEADER.fullmatch(word) for word in words):
        return None
    starts = []
    at = 0
    for word in words:
        at = body.index(word, at)
        starts.append(at)
        at += len(word)
    shift = offset if not line.startswith('"') and ' "' not in line[:offset] else 0
    return _Header(tuple(words), tuple(start + shift for start in starts))


def _cells(line: str, header: _Header) -> list[str] | None:
    """The cells of a row; None when it cannot be one."""
    starts = header.starts
    if all(_divides(line, start) for start in starts[1:]):
        ends = (*starts[1:], len(line))
        return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    return _by_gaps([cell for cell in _GAP.split(line.strip()) if cell], header.names)


def _divides(line: str, start: int) -> bool:
    """Whether a cell may begin at `start`: two blanks stand before it, or the line has ended."""
    return start >= len(line) or line[start - 2 : start].isspace()


def _by_gaps(cells: list[str], names: tuple[str, ...]) -> list[str] | None:
    if _MAY_BE_EMPTY in names and len(cells) < len(names):
        at = names.index(_MAY_BE_EMPTY)
        cells = [*cells[:at], "", *cells[at:]]
    if len(cells) > len(names) and "MESSAGE" in names:
        at = names.index("MESSAGE")
        end = at + len(cells) - len(names) + 1
        cells = [*cells[:at], "  ".join(cells[at:end]), *cells[end:]]
    return cells if len(cells) == len(names) else None


def age_seconds(text: str) -> int | None:
    """Seconds of an age such as ``7d12h`` or ``44m``; None for ``<unknown>``.

    >>> age_seconds("3d1h"), age_seconds("44m"), age_seconds("<unknown>")
    (262800, 2640, None)
    """
    found = _AGE.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return None
    return sum(int(part[:12]) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part)


def restarts_of(text: str) -> tuple[int | None, int | None]:
    """How often, and how many seconds ago for the last time, from the column RESTARTS.

    >>> restarts_of("7 (32s ago)"), restarts_of("0")
    ((7, 32), (0, None))
    """
    found = _RESTARTS.fullmatch(text.strip())
    if not found:
        return None, None
    return int(found[1][:12]), age_seconds(found[2]) if found[2] else None


def kind_of(word: str) -> str:
    """The kind that kubectl prints in lower case, as in the column OBJECT; one that is not known stays as it is.

    >>> kind_of("replicaset"), kind_of("widget")
    ('ReplicaSet', 'widget')
    """
    return _KINDS.get(word, word)
