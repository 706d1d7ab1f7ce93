"""A Prometheus scrape, of text format 0.0.4 or OpenMetrics, read line by line.

The usual form of a line is read here, because a row needs its line number and an exact number, and one bad
line must not end the scrape. What is unusual but right (escapes, spaces, exemplars) goes to
`prometheus_client`, line by line. What is no sample (a tool's message, ``{...}`` of a manual) is listed in
`unread`; merged scrapes of pilot-agent hold families twice, with two types, and are read as they stand.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from meshforensics.formats._stat_records import Bucket, Owner, Stat, Stats, exact, owner_of_labels, real_of
from meshforensics.formats._text_lines import shown, whole_lines
from meshforensics.model import NotTheFormError

_WHAT = "a Prometheus scrape"
_LABELS = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="([^"\\]*)",?')
_SAMPLE = re.compile(
    r'([A-Za-z_:][A-Za-z0-9_:]*)(?:\{((?:[A-Za-z_][A-Za-z0-9_]*="[^"\\]*",?)*)\})? '
    r"([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))(?: -?[0-9.]+)?\Z"
)
_NUMBER = re.compile(r"[}\s]([^}\s]+)(?:\s+-?[0-9.]+)?\s*\Z")
_EXEMPLAR = re.compile(r"\s#\s+\{[^{]*\}\s+\S+(?:\s+\S+)?\s*\Z")
_SUFFIX = re.compile(r"_(?:total|bucket|sum|count|created|info|gsum|gcount)\Z")
_TYPES = {"unknown": "untyped", "gaugehistogram": "histogram", "stateset": "gauge", "info": "gauge"}
_POINTS = ("histogram", "summary")


class _Sample(NamedTuple):
    name: str
    labels: str
    number: str


def decode(payload: bytes) -> Stats:
    """Every sample of a scrape that makes sense.

    Raises:
        NotTheFormError: there are no samples, or more lines that are none than lines that are.
    """
    types: dict[str, str] = {}
    stats: list[Stat] = []
    points: dict[tuple[str, str, str], _Points] = {}
    unread: list[tuple[int, str]] = []
    for number, line in whole_lines(payload, what=_WHAT):
        if not line or line.isspace():
            continue
        if line[0] == "#":
            _comment(line, types)
            continue
        sample = _sample(line)
        if sample is None:
            unread.append((number, line))
        else:
            _put(number, sample, types, stats, points)
    _refuse_others(len(stats) + sum(len(one.points) for one in points.values()), unread)
    histograms = [bucket for one in points.values() for bucket in one.buckets()]
    return Stats(tuple(stats), tuple(histograms), tuple(number for number, _ in unread))


def _refuse_others(samples: int, unread: list[tuple[int, str]]) -> None:
    if not samples and not unread:
        raise NotTheFormError(f"not {_WHAT}: comments without a sample")
    if len(unread) > samples:
        raise NotTheFormError(f"not {_WHAT}: line {unread[0][0]} is {shown(unread[0][1])}")


def _comment(line: str, types: dict[str, str]) -> None:
    parts = line.split(None, 3)
    if len(parts) == 4 and parts[1] == "TYPE":
        types[parts[2]] = _TYPES.get(parts[3], parts[3]).strip()


def _sample(line: str) -> _Sample | None:
    found = _SAMPLE.match(line)
    if found:
        return _Sample(found[1], found[2] or "", found[3])
    return _unusual(line)


def _unusual(line: str) -> _Sample | None:
    """A sample of a less usual form, read by the library; its number is read again, for it may be inexact."""
    plain = _EXEMPLAR.sub("", line)
    try:
        found = [sample for family in text_string_to_metric_families(plain) for sample in family.samples]
    except (ValueError, IndexError, KeyError):
        return None
    number = _NUMBER.search(plain)
    if len(found) != 1 or number is None or _not_a_number(number[1]):
        return None
    labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in found[0].labels.items())
    return _Sample(found[0].name, labels, number[1])


def _not_a_number(text: str) -> bool:
    return real_of(text) is None and text.lower() != "nan"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@lru_cache(maxsize=65536)
def _read_labels(text: str) -> dict[str, str]:
    """Labels of a text between braces. Whoever gets the result leaves it as it is."""
    if "\\" not in text:
        return dict(_LABELS.findall(text))
    found = next(iter(text_string_to_metric_families(f"x{{{text}}} 0")))
    return dict(found.samples[0].labels)


@lru_cache(maxsize=65536)
def _owner(labels: str, name: str) -> Owner:
    return owner_of_labels(_read_labels(labels), name)


def _put(
    number: int,
    sample: _Sample,
    types: dict[str, str],
    stats: list[Stat],
    points: "dict[tuple[str, str, str], _Points]",
) -> None:
    family, suffix = sample.name, ""
    type_ = types.get(family)
    if type_ is None:
        found = _SUFFIX.search(family)
        if found and family[: found.start()] in types:
            family, suffix = family[: found.start()], found[0]
            type_ = types[family]
    if type_ in _POINTS and suffix != "_created":
        _point(number, sample, (family, suffix, type_), points)
        return
    owner = _owner(sample.labels, sample.name)
    text = sample.number
    stats.append(
        Stat(
            f"L{number}",
            sample.name,
            type_,
            owner.labels,
            owner.cluster,
            owner.listener,
            owner.response_code,
            exact(text),
            real_of(text),
            None,
        )
    )


def _point(
    number: int,
    sample: _Sample,
    family: tuple[str, str, str],
    points: "dict[tuple[str, str, str], _Points]",
) -> None:
    name, suffix, type_ = family
    labels, bound = sample.labels, ""
    if suffix not in ("_sum", "_count"):
        labels, bound = _without_bound(labels)
    key = (name, type_, labels)
    held = points.get(key)
    if held is None:
        held = points[key] = _Points(name, type_, labels)
    held.add(f"L{number}", suffix, bound, sample.number)


@lru_cache(maxsize=65536)
def _without_bound(text: str) -> tuple[str, str]:
    """Labels without `le` or `quantile`, and its value."""
    labels = dict(_read_labels(text))
    bound = labels.pop("le", None) or labels.pop("quantile", None) or ""
    return ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()), bound


class _Points:
    """A histogram or summary while its lines come in."""

    def __init__(self, name: str, type_: str, labels: str) -> None:
        self.name = name
        self.type = type_
        self.labels = labels
        self.points: list[tuple[str, str, str]] = []
        self.sum: float | None = None
        self.count: int | None = None
        self.total = ""

    def add(self, pointer: str, suffix: str, bound: str, number: str) -> None:
        """Take one line."""
        if suffix == "_sum":
            self.sum = real_of(number)
        elif suffix == "_count":
            self.count = exact(number)
        else:
            self.points.append((pointer, bound, number))
            return
        self.total = self.total or pointer

    def buckets(self) -> Iterable[Bucket]:
        """Its points; the total is added where no bucket without bound was told."""
        owner = _owner(self.labels, self.name)
        about = (self.name, self.type, owner.labels, owner.cluster, owner.listener)
        told = False
        for pointer, bound, number in self.points:
            at = real_of(bound)
            if self.type == "summary":
                yield Bucket(pointer, *about, None, at, None, None, real_of(number))
            else:
                last = at == float("inf")
                told = told or last
                yield Bucket(pointer, *about, at, None, exact(number), self.sum if last else None, None)
        if not told and self.total:
            yield Bucket(self.total, *about, float("inf"), None, self.count, self.sum, None)
