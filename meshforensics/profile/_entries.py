"""What a user's profile says of an entry, checked against and completed from the entry that it changes."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from meshforensics.model import Severity, UnknownNameError, UsageError
from meshforensics.profile._forms import Document, Mute, Number, Profile, Threshold
from meshforensics.profile._units import factor

SECTIONS = ("thresholds", "numbers")


def refuse_unknown_keys(raw: Mapping[str, Any], where: str) -> None:
    """Every key of a profile is one that is read; a misspelt one would silently change nothing.

    Raises:
        UnknownNameError: one is not.
    """
    _known(raw, Document.__struct_fields__, f"key in {where}")
    for section, form in zip(SECTIONS, (Threshold, Number), strict=True):
        for name, entry in _entries(raw, section, where).items():
            _known(entry, form.__struct_fields__, f"key of {name} in {where}")
            _known(entry.get("levels") or {}, [each.value for each in Severity], f"level of {name} in {where}")
    for rule in raw.get("muted") or ():
        _known(rule if isinstance(rule, dict) else {}, Mute.__struct_fields__, f"key of a muted finding in {where}")


def completed(raw: Mapping[str, Any], base: Profile, where: str) -> dict[str, dict[str, Any]]:
    """The entries of a profile, each whole: what it does not say is as in `base`, and its numbers are in base's unit.

    Raises:
        UnknownNameError: an entry that `base` does not have.
        UsageError: a unit that does not convert into the entry's.
    """
    forms: tuple[Mapping[str, Threshold | Number], ...] = (base.thresholds, base.numbers)
    units = {each.unit for held in forms for each in held.values()}
    made: dict[str, dict[str, Any]] = {}
    for section, held in zip(SECTIONS, forms, strict=True):
        given = _entries(raw, section, where)
        _known(given, held, f"{section.removesuffix('s')} in {where}")
        made[section] = {
            name: _whole(entry, msgspec.to_builtins(held[name]), units, f"{name} in {where}")
            for name, entry in given.items()
        }
    return made


def _whole(entry: dict[str, Any], base: dict[str, Any], units: Iterable[str], where: str) -> dict[str, Any]:
    share = factor(str(entry.get("unit", base["unit"])), base["unit"], units, where)
    scaled = {
        key: _scaled(value, share) if key in {"value", "levels"} and share != 1.0 else value
        for key, value in entry.items()
    }
    return {**base, "source": where, **scaled, "unit": base["unit"]}


def _scaled(given: Any, share: float) -> Any:
    """A number, or each number of a mapping, times `share`; what is no number is left to the form to refuse."""
    if isinstance(given, dict):
        return {key: _scaled(value, share) for key, value in given.items()}
    return given * share if isinstance(given, (int, float)) and not isinstance(given, bool) else given


def _entries(raw: Mapping[str, Any], section: str, where: str) -> dict[str, dict[str, Any]]:
    entries = raw.get(section) or {}
    if not isinstance(entries, dict) or not all(isinstance(each, dict) for each in entries.values()):
        raise UsageError(f"{where} does not have the form: {section} are names, each with its own keys below it")
    return entries


def _known(given: Iterable[Any], names: Iterable[str], what: str) -> None:
    known = list(names)
    for name in given:
        if name not in known:
            raise UnknownNameError(what, str(name), known)
