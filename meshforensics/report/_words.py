"""How numbers, instants and names are written in a report."""

from collections.abc import Iterable
from datetime import datetime

from meshforensics.model import Quantity, format_time
from meshforensics.model.words import noun, unit_of


def clock(at: datetime) -> str:
    """The time of day with milliseconds: ``18:47:42.019``."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def instant(at: datetime | None) -> str:
    """``2026-11-23 18:48:12.173 UTC``, or that it is unknown."""
    return f"{at:%Y-%m-%d} {clock(at)} UTC" if at else "unknown"


def span(seconds: float) -> str:
    """A span in the unit that suits it: ``0.4 s``, ``12 min``, ``23.9 h``, ``3,619 days``."""
    size = abs(seconds)
    if size < 120:
        return f"{seconds:.1f} s"
    if size < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if size < 2 * 86400 else f"{seconds / 86400:,.0f} days"


def share(part: int, whole: int) -> str:
    """A part with its whole, and the share of it: no percentage stands alone."""
    return f"{part:,} of {whole:,}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def count(number: int, one: str, many: str = "") -> str:
    """``1 proxy``, ``8 proxies``."""
    return f"{number:,} {noun(number, one, many)}"


def size(octets: int) -> str:
    """Bytes in binary units."""
    value = float(octets)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} GiB"


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names with commas; at most so many, and how many more."""
    known = list(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more


def quantity(value: Quantity | None) -> str:
    """A value with its unit; ratios as shares of a hundred, instants as instants."""
    if value is None or value.value is None:
        return "-"
    if value.unit == "ratio" and isinstance(value.value, (int, float)):
        return f"{100 * value.value:.1f} %"
    if value.unit.startswith("bytes") and isinstance(value.value, (int, float)):
        return size(round(value.value)) + value.unit.removeprefix("bytes")
    if isinstance(value.value, float):
        return f"{value.value:,.6g} {value.unit}".strip()
    if isinstance(value.value, int):
        return f"{value.value:,} {unit_of(value.value, value.unit)}".strip()
    return f"{value.value} {value.unit}".strip()


def short_hash(text: str) -> str:
    """A hash by its first and last digits."""
    return f"{text[:8]}…{text[-6:]}" if len(text) > 18 else text


def sentence(text: str) -> str:
    """The first sentence, without its full stop: the form of a title."""
    cleaned = " ".join(text.split())
    end = cleaned.find(". ")
    return (cleaned if end < 0 else cleaned[:end]).removesuffix(".")


def said_at(at: datetime | None) -> str:
    """RFC 3339, for commands; empty when unknown."""
    return format_time(at) or ""
