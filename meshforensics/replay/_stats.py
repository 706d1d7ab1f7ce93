"""``/stats`` as Envoy filters and formats it, out of the text and the Prometheus form that were captured.

Source: Envoy source/server/admin/{stats_params,stats_request,stats_render}.cc, 1.40.
"""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from meshforensics.replay._answer import JSON, Answer, NoAnswerError, Query, cannot

_NUMBER = re.compile(r"(?P<name>\S.*): (?P<value>-?\d+)\Z")
_READOUT = re.compile(r'(?P<name>\S.*?): "(?P<value>.*)"\Z')
_HISTOGRAM = re.compile(r"(?P<name>\S.*): (?P<value>No recorded values|P[\d.]+\(.*)\Z")
_POINT = re.compile(r"P(?P<percent>[\d.]+)\((?P<interval>[^,)]*),(?P<cumulative>[^)]*)\)")
_SAMPLE = re.compile(r"(?P<series>[^ {]+(?:\{.*\})?) (?P<value>\S+)")
_LE = re.compile(r'(?:,le="[^"]*"|le="[^"]*",?)')
_TYPES = ("All", "TextReadouts", "Counters", "Gauges", "Histograms")
_PERCENTS = (0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100)
_UNUSED = "0"
_EMPTY = "No recorded values"
_NOTE = "gauges that stood at 0 are left out; Envoy shows those that were ever set"


class _Stat(NamedTuple):
    """One line: ``type`` is TextReadouts, Histograms, or nothing where a number may be a counter or a gauge."""

    name: str
    type: str
    value: str
    line: str

    @property
    def used(self) -> bool:
        """Whether it was ever set, as far as a text tells."""
        return self.value not in {_UNUSED, _EMPTY}


def stats(payload: bytes, query: Query) -> Answer:
    """The text, filtered, as text or JSON.

    Raises:
        NoAnswerError: Envoy refuses the query, or the captured text does not tell.
    """
    if payload.lstrip()[:1] == b"{":
        return _as_captured(payload, query, JSON)
    wanted, type_ = _filter(query), query.get("type", "All")
    _refuse(query, type_)
    kept = [
        each
        for each in _parsed(payload)
        if wanted.search(each.name) and type_ in {"All", each.type} and ("usedonly" not in query or each.used)
    ]
    note = _NOTE if "usedonly" in query else ""
    if query.get("format") == "json":
        return Answer(status=200, body=msgspec.json.encode({"stats": list(_json(kept))}), content_type=JSON, note=note)
    return Answer(status=200, body="".join(each.line for each in kept).encode("utf-8", "surrogateescape"), note=note)


def prometheus(payload: bytes, query: Query) -> Answer:
    """The Prometheus form; of a filter it is not known what it would match, as names are taken apart in it.

    Raises:
        NoAnswerError: the captured form does not tell.
    """
    rest = {key for key in query if key not in {"format", "usedonly", "pretty"}}
    if rest:
        raise cannot(f"the Prometheus form was captured without {', '.join(sorted(rest))}; names are changed in it")
    if "usedonly" not in query:
        return Answer(status=200, body=payload)
    text = payload.decode("utf-8", "surrogateescape")
    return Answer(status=200, body="".join(_used(text)).encode("utf-8", "surrogateescape"), note=_NOTE)


def _as_captured(payload: bytes, query: Query, content_type: str) -> Answer:
    """Stats that were captured as JSON are given as they are, and only so."""
    if set(query) - {"format"} or query.get("format", "json") != "json":
        raise cannot("the stats were captured as JSON")
    return Answer(status=200, body=payload, content_type=content_type)


def _filter(query: Query) -> re.Pattern[str]:
    try:
        return re.compile(query.get("filter", ""))
    except re.error as error:
        raise NoAnswerError(400, f"Invalid re2 regex: {error}") from error


def _refuse(query: Query, type_: str) -> None:
    """Refuse what Envoy refuses, and what a text of quantiles and numbers does not tell."""
    if type_ not in _TYPES:
        raise NoAnswerError(400, "invalid &type= param")
    form = query.get("format", "text")
    if form in {"html", "active-html"}:
        raise cannot(f"stats were captured as text and for Prometheus, not as {form}")
    if form not in {"text", "json"}:
        raise NoAnswerError(400, "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n")
    if type_ in {"Counters", "Gauges"}:
        raise cannot("the captured text does not tell counters from gauges")
    if query.get("histogram_buckets", "summary") not in {"summary", "none"}:
        raise cannot("histograms were captured as quantiles, without buckets")
    if query.get("hidden", "exclude") != "exclude":
        raise cannot("hidden stats were not captured")


def _parsed(payload: bytes) -> Iterator[_Stat]:
    for line in _lines(payload.decode("utf-8", "surrogateescape")):
        said = line.rstrip("\r\n")
        for type_, form in (("TextReadouts", _READOUT), ("", _NUMBER), ("Histograms", _HISTOGRAM)):
            if found := form.match(said):
                yield _Stat(found["name"], type_, found["value"], line)
                break


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a newline ends one, whatever a captured name holds."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _plain(text: str) -> str:
    """The text as JSON can hold it: what is no UTF-8 is replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _json(kept: Iterable[_Stat]) -> Iterator[dict[str, Any]]:
    histograms = []
    for each in kept:
        if each.type == "Histograms":
            histograms.append({"name": _plain(each.name), "values": _quantiles(each.value)})
        else:
            yield {"name": _plain(each.name), "value": _plain(each.value) if each.type else int(each.value)}
    if histograms:
        yield {"histograms": {"supported_quantiles": _PERCENTS, "computed_quantiles": histograms}}


def _quantiles(said: str) -> list[dict[str, float | None]]:
    points = [(_real(found["cumulative"]), _real(found["interval"])) for found in _POINT.finditer(said)]
    whole = points or [(None, None)] * len(_PERCENTS)
    return [{"cumulative": cumulative, "interval": interval} for cumulative, interval in whole]


def _real(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _used(text: str) -> Iterator[str]:
    """The metrics of which a series is used, with those series."""
    type_: list[str] = []
    for is_type, lines in groupby(_lines(text), key=lambda line: line.startswith("# TYPE ")):
        if is_type:
            type_ = list(lines)[-1:]
            continue
        samples = list(lines)
        said = [_SAMPLE.match(line) for line in samples]
        if type_ and type_[0].rstrip().endswith(" histogram"):
            counts = {_holder(one["series"], "_count") for one in said if one and _counted(one)}
            kept = [line for line, one in zip(samples, said, strict=True) if one and _holder(one["series"]) in counts]
        else:
            kept = [line for line, one in zip(samples, said, strict=True) if one is None or one["value"] != _UNUSED]
        yield from (*type_, *kept) if any(line.strip() for line in kept) else ()


def _counted(sample: re.Match[str]) -> bool:
    return sample["series"].partition("{")[0].endswith("_count") and sample["value"] != _UNUSED


def _holder(series: str, end: str = "") -> tuple[str, str]:
    """The histogram that a sample is of, by its labels but for the bucket's."""
    name, _, labels = series.partition("{")
    ends = (end,) if end else ("_bucket", "_sum", "_count")
    stem = next((name.removesuffix(each) for each in ends if name.endswith(each)), name)
    return stem, _LE.sub("", labels)
