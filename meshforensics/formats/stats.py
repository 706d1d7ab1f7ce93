"""Envoy's ``/stats`` as text and as JSON: counters, gauges, text readouts, histograms."""

import re
from typing import Any, NamedTuple

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError

_TEXT = re.compile(r"(?P<name>\S.*?): (?P<value>\d+|\".*\"|No recorded values|(?:[PB][\d.e+]+\([^)]*\) ?)+)\Z")
_QUANTILE = re.compile(r"([PB])([\d.e+]+)\(([^,)]*),([^)]*)\)")
_DELIMITED = re.compile(r"^cluster\.(?P<cluster>[^;]+);\.(?P<rest>.+)\Z")
_PLAIN = re.compile(
    r"^cluster\.(?P<cluster>.+?)\."
    r"(?P<rest>(?:[a-z0-9]+_[a-z0-9_]*|ssl|http[123]|internal|external|version|default|canary|zone)(?:\..*)?)\Z"
)
"""Without Istio's delimiter: a stat begins with the first part that holds an underscore, which no host name can."""


class Stat(NamedTuple):
    """One counter or gauge. `value` is exact, up to 2^64-1; `type` is empty where the form does not say."""

    pointer: str
    name: str
    value: int


class Readout(NamedTuple):
    """One text readout."""

    pointer: str
    name: str
    text: str


class Quantile(NamedTuple):
    """One quantile (``P``) or bucket (``B``) of a histogram; only the cumulative value is comparable."""

    pointer: str
    name: str
    kind: str
    at: float
    cumulative: float | None


class Stats(NamedTuple):
    """``/stats``."""

    stats: tuple[Stat, ...]
    readouts: tuple[Readout, ...]
    quantiles: tuple[Quantile, ...]


def decode(payload: bytes) -> Stats:
    """Decode ``/stats`` in either form.

    Raises:
        NotTheFormError: the bytes are no such answer.
        TruncatedError: JSON that ends in the middle.
    """
    return _json(payload) if payload.lstrip()[:1] == b"{" else _text(payload)


def _text(payload: bytes) -> Stats:
    text = payload.decode("utf-8", "replace")
    whole = text if text.endswith("\n") else text[: text.rfind("\n") + 1]
    stats: list[Stat] = []
    readouts: list[Readout] = []
    quantiles: list[Quantile] = []
    for number, line in enumerate(whole.split("\n"), start=1):
        found = _TEXT.match(line.rstrip("\r"))
        if found is None:
            continue
        name, value, pointer = found["name"], found["value"], f"L{number}"
        if value.isdigit():
            stats.append(Stat(pointer, name, int(value)))
        elif value.startswith('"'):
            readouts.append(Readout(pointer, name, value[1:-1]))
        else:
            quantiles += [
                Quantile(pointer, name, kind, float(at), _real(cumulative))
                for kind, at, _, cumulative in _QUANTILE.findall(value)
            ]
    if not stats and not readouts and not quantiles:
        raise NotTheFormError(f"no Envoy /stats: no line is `name: value`; it begins {text[:40]!r}")
    return Stats(tuple(stats), tuple(readouts), tuple(quantiles))


def _json(payload: bytes) -> Stats:
    raw = decode_json(payload, dict[str, Any], what="Envoy's /stats")
    listed = raw.get("stats")
    if not isinstance(listed, list):
        raise NotTheFormError("not Envoy's /stats: it has no list `stats`")
    stats: list[Stat] = []
    readouts: list[Readout] = []
    quantiles: list[Quantile] = []
    for index, each in enumerate(listed):
        if not isinstance(each, dict):
            continue
        name, value, pointer = each.get("name"), each.get("value"), f"/stats/{index}"
        if isinstance(name, str) and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            stats.append(Stat(pointer, name, value))
        elif isinstance(name, str) and isinstance(value, str):
            readouts.append(Readout(pointer, name, value))
        elif "histograms" in each:
            quantiles += _histograms(each["histograms"], f"{pointer}/histograms")
    return Stats(tuple(stats), tuple(readouts), tuple(quantiles))


def _histograms(raw: object, pointer: str) -> list[Quantile]:
    """The summary form (quantiles) or the bucket form."""
    if isinstance(raw, dict):
        levels = raw.get("supported_quantiles")
        computed = raw.get("computed_quantiles")
        if not isinstance(levels, list) or not isinstance(computed, list):
            return []
        return [
            Quantile(f"{pointer}/computed_quantiles/{index}", str(each.get("name")), "P", float(level), _real(of))
            for index, each in enumerate(computed)
            if isinstance(each, dict)
            for level, of in zip(levels, _cumulative(each.get("values")), strict=False)
            if isinstance(level, (int, float))
        ]
    return [
        Quantile(
            f"{pointer}/{index}",
            str(each.get("name")),
            "B",
            float(bucket["upper_bound"]),
            _real(bucket.get("cumulative")),
        )
        for index, each in enumerate(raw if isinstance(raw, list) else [])
        if isinstance(each, dict)
        for bucket in each.get("buckets") or []
        if isinstance(bucket, dict) and isinstance(bucket.get("upper_bound"), (int, float))
    ]


def _cumulative(values: object) -> list[object]:
    return (
        [each.get("cumulative") if isinstance(each, dict) else None for each in values]
        if isinstance(values, list)
        else []
    )


def _real(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if number != number else number  # noqa: PLR0124 - nan: no value in the interval


def cluster_of(name: str) -> tuple[str, str]:
    """The Envoy cluster of a dotted stat name, and the rest of it; the cluster is empty for other stats.

    >>> cluster_of("cluster.outbound|80||a.b.svc.cluster.local;.upstream_cx_total")
    ('outbound|80||a.b.svc.cluster.local', 'upstream_cx_total')
    """
    for pattern in (_DELIMITED, _PLAIN):
        found = pattern.match(name)
        if found:
            return found["cluster"].rstrip(";"), found["rest"]
    return "", name
