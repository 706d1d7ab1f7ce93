"""Prometheus and OpenMetrics text, as Envoy, istiod, ztunnel and Linkerd expose it.

Labels are read by prometheus_client's own parser where a line holds an escape; values are kept exact: gauges
of Envoy go to 2^64-1, which a float cannot hold. Lines that are no samples (a tool's greeting, comment blocks
between pods) are passed over, and a payload without any sample is refused.
"""

import re
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from meshforensics.model import NotTheFormError

_LINE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?[ \t]+(?P<value>[^\s#]+)"
    r"(?:[ \t]+-?[\d.]+)?(?:[ \t]+#.*)?\Z"
)
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"\s*(?:,|\Z)')
_WHOLE = re.compile(r"\d{1,20}\Z")
LARGEST = 2**64 - 1

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """One sample: `value` where it is a whole number of 0 to 2^64-1, and `real` always; `line` from 1."""

    line: int
    name: str
    labels: Labels
    value: int | None
    real: float


class Exposition(NamedTuple):
    """The samples of one scrape, and the type of each family."""

    samples: tuple[Sample, ...]
    types: dict[str, str]

    def type_of(self, name: str) -> str:
        """counter, gauge, histogram or summary of a sample's family; empty when the scrape does not say."""
        for suffix in ("", "_bucket", "_count", "_sum", "_total"):
            base = name.removesuffix(suffix) if suffix else name
            if base in self.types and (suffix == "" or base != name):
                return self.types[base]
        return ""


def decode(payload: bytes) -> Exposition:
    """Decode a scrape; a last line that is cut is left out.

    Raises:
        NotTheFormError: there is no sample in it.
    """
    text = payload.decode("utf-8", "replace")
    whole = text if text.endswith("\n") else text[: text.rfind("\n") + 1] or text
    samples: list[Sample] = []
    types: dict[str, str] = {}
    for number, line in enumerate(whole.split("\n"), start=1):
        if line.startswith("#"):
            words = line.split()
            if len(words) == 4 and words[1] == "TYPE":
                types.setdefault(words[2], words[3])
            continue
        sample = _sample(number, line.rstrip("\r")) if line else None
        if sample is not None:
            samples.append(sample)
    if not samples:
        raise NotTheFormError(f"no Prometheus text: it holds no sample; it begins {text[:40]!r}")
    return Exposition(tuple(samples), types)


def _sample(number: int, line: str) -> Sample | None:
    found = _LINE.match(line)
    if found is None:
        return None
    labels = _labels(found["labels"] or "", line)
    if labels is None:
        return None
    exact, real = _number(found["value"])
    return None if real is None else Sample(number, found["name"], labels, exact, real)


def _labels(text: str, line: str) -> Labels | None:
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None:
            return _escaped(line)
        pairs.append((found.group(1), found.group(2)))
        at = found.end()
    return tuple(sorted(pairs))


def _escaped(line: str) -> Labels | None:
    """The labels of a line with escapes, by the library's parser; None where it is no sample."""
    try:
        for family in text_string_to_metric_families(line + "\n"):
            for sample in family.samples:
                return tuple(sorted(sample.labels.items()))
    except (ValueError, IndexError, KeyError):
        return None
    return None


def _number(text: str) -> tuple[int | None, float | None]:
    if _WHOLE.match(text) and int(text) <= LARGEST:
        return int(text), float(text)
    try:
        real = float(text)
    except ValueError:
        return None, None
    return (int(real) if real.is_integer() and 0 <= real <= 2**53 else None), real
