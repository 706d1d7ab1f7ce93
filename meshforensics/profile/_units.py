"""Units that a profile may be written in: one converts into another of its kind, and into no other."""

from collections.abc import Iterable
from difflib import get_close_matches
from types import MappingProxyType

from meshforensics.model import UsageError

KINDS = MappingProxyType(
    {
        "size": {"bytes": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
        "time": {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "days": 86400.0},
        "share": {"ratio": 1.0, "%": 1e-2, "percent": 1e-2},
        "processor": {"millicores": 1.0, "cores": 1e3},
    }
)
"""Units by what they measure, with what one of them is in the first of them that is 1."""


def factor(unit: str, into: str, known: Iterable[str], where: str) -> float:
    """What a number in `unit` is multiplied with to be in `into`; `bytes/h` converts part by part.

    Args:
        known: every unit that something is measured in; what is none of these, and converts into none, is misspelt.
        where: the entry, for the error.

    Raises:
        UsageError: nothing is measured in that unit, or it is of another kind; says the nearest that will do.
    """
    if unit == into:
        return 1.0
    has, wants = unit.split("/"), into.split("/")
    shares = [_share(one, other) for one, other in zip(has, wants, strict=False)]
    if len(has) == len(wants) and all(shares):
        top, *rest = (share or 1.0 for share in shares)
        return top / rest[0] if rest else top
    able = convertible(into)
    every = {*known, *(each for units in KINDS.values() for each in units), *able}
    close = get_close_matches(unit, sorted(able), 1) or get_close_matches(unit, sorted(every), 1)
    hint = f"; did you mean {close[0]!r}?" if close and unit not in every else ""
    raise UsageError(f"{where}: {unit!r} is no unit of it{hint} It is in {into}; give one of: {', '.join(able)}")


def convertible(unit: str) -> list[str]:
    """The units that convert into `unit`, itself first."""
    parts = [[part, *_like(part)] for part in unit.split("/")]
    if len(parts) == 1:
        return list(dict.fromkeys(parts[0]))
    return list(dict.fromkeys(f"{one}/{other}" for one in parts[0] for other in parts[1]))


def _like(unit: str) -> tuple[str, ...]:
    return next((tuple(units) for units in KINDS.values() if unit in units), ())


def _share(unit: str, into: str) -> float | None:
    if unit == into:
        return 1.0
    units = next((units for units in KINDS.values() if unit in units and into in units), None)
    return units[unit] / units[into] if units else None
