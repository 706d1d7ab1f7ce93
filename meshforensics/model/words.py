"""Numbers with what they count: ``1 proxy``, ``8 proxies``."""

import re
import string
from typing import Any


def noun(number: object, one: str, many: str = "") -> str:
    """The word for so many; either may be a whole phrase.

    >>> noun(1, "pod has", "pods have"), noun(2, "pod has", "pods have"), noun(0, "call"), noun(2, "proxy")
    ('pod has', 'pods have', 'calls', 'proxies')
    """
    if number == 1 or many:
        return one if number == 1 else many
    return f"{one[:-1]}ies" if one[-1:] == "y" and one[-2:-1] not in set("aeiou") else f"{one}s"


def count_of(number: object, one: str, many: str = "") -> str:
    """A number and the word for so many.

    >>> count_of(1, "proxy"), count_of(8, "proxy"), count_of(1, "call fails", "calls fail")
    ('1 proxy', '8 proxies', '1 call fails')
    """
    return f"{number} {noun(number, one, many)}"


def unit_of(number: object, unit: str) -> str:
    """A unit as it is written behind a number; words lose their plural, and signs have none.

    >>> unit_of(1, "proxies"), unit_of(1, "lines"), unit_of(1, "ms"), unit_of(2, "lines"), unit_of(1, "series")
    ('proxy', 'line', 'ms', 'lines', 'series')
    """
    if number != 1 or not (unit.isalpha() and unit.endswith("s") and len(unit) > 2) or unit == "series":
        return unit
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]


_COUNTS = re.compile(r"\{(\w+):(~?)([^|{}]*)\|([^{}]*(?:\{\w+\}[^{}]*)*)\}")


def of_many(template: str) -> str:
    """A template as it is said of several, for a page that explains it.

    >>> of_many("{count:pod|s}, {first}{count:~| among them}, {count:~has|have} none")
    '{count} pods, {first} among them, have none'
    """

    def said(found: re.Match[str]) -> str:
        name, alone, one, many = found.groups()
        word = noun(2, one, "" if many == "s" else many)
        return word if alone else f"{{{name}}} {word}"

    return _COUNTS.sub(said, template)


class _Words(string.Formatter):
    """Templates that count: ``{n:proxy has|proxies have}``, ``{n:call|s}``; ``{n:~has|have}`` is the word alone."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, found, many = format_spec.partition("|")
        if not found:
            return str(super().format_field(value, format_spec))
        many = "" if many == "s" else many
        return noun(value, one[1:], many) if one.startswith("~") else f"{value} {noun(value, one, many)}"


def in_words(template: str, /, **values: Any) -> str:
    """A template with its fields filled in.

    >>> in_words("{count:pod|s}, {first}{count:~| among them}, {count:~has|have} none", count=1, first="a")
    '1 pod, a, has none'
    >>> in_words("{count:~the only pod is|all {count} pods are} ready", count=3)
    'all 3 pods are ready'
    """
    return _Words().vformat(template, (), values)
