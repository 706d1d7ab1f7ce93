"""Envoy's ``/stats`` as text or JSON: counters, gauges, texts and histograms (Envoy admin.rst).

Of a histogram's two numbers, interval and cumulative, only the cumulative one is kept: an interval is the
time since the last flush, which nobody knows afterwards.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from meshforensics.formats._json import decode_json
from meshforensics.formats._stat_records import LARGEST, Bucket, Stat, Stats, exact, owner_of_name, real_of
from meshforensics.formats._text_lines import shown, whole_lines
from meshforensics.model import NotTheFormError

__all__ = ["Bucket", "Stat", "Stats", "decode"]

_WHAT = "an answer of /stats"
_NUMBER = re.compile(r"(?P<name>\S.*): (?P<value>-?\d+)\Z")
_READOUT = re.compile(r'(?P<name>\S.*?): "(?P<value>.*)"\Z')
_HISTOGRAM = re.compile(r"(?P<name>\S.*): (?P<value>No recorded values|[PB][\d.eE+]+\(.*)\Z")
_DETAILED = re.compile(r"(?P<name>\S.*):\Z")
_DETAIL = re.compile(r"\s+(?P<part>totals|intervals|summary)=(?P<value>.*)\Z")
_POINT = re.compile(r"([PB])([\d.eE+]+)\(([^,)]*),([^)]*)\)")
_TOTAL = re.compile(r"([\d.eE+-]+),([\d.eE+-]+):(\d+)")


def decode(payload: bytes) -> Stats:
    """Every stat of an answer; in text, lines of another form are listed in `unread`.

    Raises:
        TruncatedError: JSON that ends in the middle; text is read to its last whole line.
        NotTheFormError: it is something else, such as a Prometheus scrape.
    """
    if payload.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _json(decode_json(payload, what=_WHAT))
    return _text(payload)


def _text(payload: bytes) -> Stats:
    stats: list[Stat] = []
    histograms: list[Bucket] = []
    unread: list[tuple[int, str]] = []
    detailed = ""
    lines = 0
    for number, line in whole_lines(payload, what=_WHAT):
        if not line.strip():
            continue
        lines += 1
        detail = _DETAIL.match(line) if detailed else None
        if detail:
            histograms += _detail(f"L{number}", detailed, detail["part"], detail["value"])
        elif not _line(f"L{number}", line, stats, histograms):
            begins = _DETAILED.match(line)
            if not begins:
                unread.append((number, line))
                continue
            detailed = begins["name"]
    _refuse_others(lines, unread)
    return Stats(tuple(stats), tuple(histograms), tuple(number for number, _ in unread))


def _refuse_others(lines: int, unread: list[tuple[int, str]]) -> None:
    if 2 * len(unread) <= lines:
        return
    number, line = unread[0]
    if line.startswith(("# TYPE ", "# HELP ")):
        raise NotTheFormError(f"not {_WHAT}: a Prometheus scrape")
    raise NotTheFormError(f"not {_WHAT}: line {number} is {shown(line)}")


def _line(pointer: str, line: str, stats: list[Stat], histograms: list[Bucket]) -> bool:
    """Take a line of one of the three forms; False where it is none of them."""
    found = _NUMBER.match(line)
    if found:
        stats.append(_number(pointer, found["name"], found["value"]))
        return True
    found = _READOUT.match(line)
    if found:
        stats.append(_readout(pointer, found["name"], found["value"]))
        return True
    found = _HISTOGRAM.match(line)
    if found:
        histograms += _points(pointer, found["name"], found["value"])
        return True
    return False


def _number(pointer: str, name: str, text: str) -> Stat:
    return Stat(pointer, name, None, *owner_of_name(name), exact(text), real_of(text), None)


def _readout(pointer: str, name: str, text: str) -> Stat:
    return Stat(pointer, name, "text", *owner_of_name(name), None, None, text)


def _points(pointer: str, name: str, text: str) -> Iterator[Bucket]:
    """Quantiles ``P50(interval,cumulative)`` or buckets ``B5(interval,cumulative)``; nan is no value."""
    for kind, at, _, cumulative in _POINT.findall(text):
        place = real_of(at)
        if place is None:
            continue
        if kind == "P":
            yield _quantile(pointer, name, place / 100, real_of(cumulative))
        else:
            yield _bucket(pointer, name, place, exact(cumulative))


def _detail(pointer: str, name: str, part: str, text: str) -> Iterator[Bucket]:
    """The buckets of the detailed form are counted each on its own; here they are summed up, as elsewhere."""
    if part == "summary":
        yield from _points(pointer, name, text)
    elif part == "totals":
        so_far = 0
        for lower, width, count in _TOTAL.findall(text):
            start, wide = real_of(lower), real_of(width)
            so_far += int(count[:20])
            if start is not None and wide is not None and so_far <= LARGEST:
                yield _bucket(pointer, name, start + wide, so_far)


def _quantile(pointer: str, name: str, quantile: float, real: float | None) -> Bucket:
    labels, cluster, listener, _ = owner_of_name(name)
    return Bucket(pointer, name, "summary", labels, cluster, listener, None, round(quantile, 6), None, None, real)


def _bucket(pointer: str, name: str, le: float, count: int | None) -> Bucket:
    labels, cluster, listener, _ = owner_of_name(name)
    return Bucket(pointer, name, "histogram", labels, cluster, listener, le, None, count, None, None)


def _json(document: Any) -> Stats:
    held = document.get("stats") if isinstance(document, dict) else None
    if not isinstance(held, list):
        raise NotTheFormError(f"not {_WHAT}: JSON without a list stats")
    stats: list[Stat] = []
    histograms: list[Bucket] = []
    for index, each in enumerate(held):
        if not isinstance(each, dict):
            raise NotTheFormError(f"not {_WHAT}: /stats/{index} is no object")
        if "histograms" in each:
            histograms += _json_histograms(each["histograms"], f"/stats/{index}/histograms")
        elif isinstance(each.get("name"), str):
            stats.append(_json_stat(f"/stats/{index}", each["name"], each.get("value")))
    return Stats(tuple(stats), tuple(histograms))


def _json_stat(pointer: str, name: str, value: Any) -> Stat:
    """A number, or the text of a readout; Envoy prints numbers bare, so a quoted one is a text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _readout(pointer, name, value if isinstance(value, str) else "")
    return _number(pointer, name, str(value))


def _json_histograms(held: Any, pointer: str) -> Iterator[Bucket]:
    """Histograms in one of three forms: quantiles, buckets, or both in detail."""
    if isinstance(held, list):
        for index, each in _objects(held):
            yield from _json_buckets(each, f"{pointer}/{index}")
    elif isinstance(held, dict):
        levels = _numbers(held.get("supported_quantiles")) or _numbers(held.get("supported_percentiles"))
        for index, each in _objects(held.get("computed_quantiles")):
            yield from _json_quantiles(each, f"{pointer}/computed_quantiles/{index}", "values", levels)
        for index, each in _objects(held.get("details")):
            yield from _json_details(each, f"{pointer}/details/{index}", levels)


def _json_buckets(each: dict[str, Any], pointer: str) -> Iterator[Bucket]:
    for index, bucket in _objects(each.get("buckets")):
        le = _real(bucket.get("upper_bound"))
        if le is not None:
            count = exact(str(bucket.get("cumulative")))
            yield _bucket(f"{pointer}/buckets/{index}", str(each.get("name") or ""), le, count)


def _json_quantiles(each: dict[str, Any], pointer: str, key: str, levels: list[float]) -> Iterator[Bucket]:
    name = str(each.get("name") or "")
    for (index, value), level in zip(_objects(each.get(key)), levels, strict=False):
        yield _quantile(f"{pointer}/{key}/{index}", name, level / 100, _real(value.get("cumulative")))


def _json_details(each: dict[str, Any], pointer: str, levels: list[float]) -> Iterator[Bucket]:
    yield from _json_quantiles(each, pointer, "percentiles", levels)
    so_far = 0
    for index, bucket in _objects(each.get("totals")):
        lower, width = _real(bucket.get("lower_bound")), _real(bucket.get("width"))
        so_far += exact(str(bucket.get("count"))) or 0
        if lower is not None and width is not None and so_far <= LARGEST:
            yield _bucket(f"{pointer}/totals/{index}", str(each.get("name") or ""), lower + width, so_far)


def _objects(held: Any) -> Iterable[tuple[int, dict[str, Any]]]:
    return ((n, each) for n, each in enumerate(held if isinstance(held, list) else []) if isinstance(each, dict))


def _numbers(held: Any) -> list[float]:
    return [one for each in (held if isinstance(held, list) else []) if (one := _real(each)) is not None]


def _real(value: Any) -> float | None:
    return None if value is None or isinstance(value, bool) else real_of(str(value))
