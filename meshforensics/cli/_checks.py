"""Print declarations of checks, with the limits that a profile gives them."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any

from meshforensics.checks import Check, declared_checks
from meshforensics.model import UnknownNameError
from meshforensics.model.words import of_many
from meshforensics.profile import Profile, Threshold

_INDENT = 38
_ROOM = "meshforensics.checks."


def listing(profile: Profile) -> str:
    """A line a check with its severity and title; below it the limits of those that are judged by some."""
    lines = []
    for each in declared_checks().values():
        severity = each.severity.value if each.severity else "by threshold"
        lines.append(f"{each.id:<{_INDENT - 1}} {severity:<14}{each.title}")
        if each.threshold:
            lines.append(f"{'':<{_INDENT}}{levels(profile.threshold(each.threshold))}, by {each.threshold}")
        lines += [f"{'':<{_INDENT}}{name} {said}" for name, said in _numbers(each, profile)]
    return "\n".join([*lines, "", f"limits of profile {profile.name}, SHA-256 {profile.sha256}"]) + "\n"


def declaration(name: str, profile: Profile) -> str:
    """Everything that the check `name` declares, and the limits that it judges by.

    Raises:
        UnknownNameError: no such check.
    """
    known = declared_checks()
    if name not in known:
        raise UnknownNameError("check", name, known)
    each = known[name]
    facts = [
        ("title", each.title),
        ("phase", each.phase.value),
        ("plane", each.plane.value),
        ("severity", each.severity.value if each.severity else f"by threshold {each.threshold}"),
        *_threshold(each, profile),
        *(("number", f"{number} {said}") for number, said in _numbers(each, profile)),
        ("profile", f"{profile.name}, SHA-256 {profile.sha256}"),
        ("reads", ", ".join(parameter.name for parameter in each.parameters)),
        ("says", of_many(each.detail)),
        ("remediation", each.remediation),
        ("source", each.source),
    ]
    lines = [
        textwrap.fill(f"{key + ':':<13}{value}", 98, subsequent_indent=" " * 13, break_on_hyphens=False)
        for key, value in facts
    ]
    return "\n".join([name, *lines]) + "\n"


def levels(threshold: Threshold) -> str:
    """``warning above 0.01, error above 0.05 ratio``."""
    said = ", ".join(f"{level} {threshold.direction} {limit:,.10g}" for level, limit in threshold.levels.items())
    return f"{said} {threshold.unit}"


def _threshold(check: Check, profile: Profile) -> Iterator[tuple[str, str]]:
    if check.threshold:
        threshold = profile.threshold(check.threshold)
        fewest = f", of at least {threshold.minimum:,}" if threshold.minimum else ""
        yield "levels", f"{levels(threshold)}{fewest}"
        yield "measures", threshold.about
        yield "limits from", threshold.source


def _numbers(check: Check, profile: Profile) -> Iterator[tuple[str, str]]:
    for name in sorted(_texts(check.rows, check.rows.__globals__, set()) & set(profile.numbers)):
        yield name, f"{profile.numbers[name].value:,.10g} {profile.numbers[name].unit}"


def _texts(function: Callable[..., Any], known: Mapping[str, Any], seen: set[CodeType]) -> set[str]:
    """Every text that the code of a function names, and of the functions of its room that it calls."""
    code = getattr(function, "__code__", None)
    if code is None or code in seen:
        return set()
    seen.add(code)
    own = {each for each in code.co_consts if isinstance(each, str)}
    called = [
        known[name] for name in code.co_names if str(getattr(known.get(name), "__module__", "")).startswith(_ROOM)
    ]
    return own.union(*(_texts(each, getattr(each, "__globals__", {}), seen) for each in called))


def _module(anything: object) -> str:
    return str(getattr(anything, "__module__", ""))
