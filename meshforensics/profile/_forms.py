"""What a profile is made of: thresholds with levels, numbers, known noise."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from meshforensics.model import Severity, UnknownNameError

Direction = Literal["above", "below"]


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Levels of one measure; a value past a level has that level's severity.

    `minimum` is the count below which no verdict is given (requests, handshakes, samples).
    """

    unit: str
    direction: Direction
    levels: dict[str, float]
    source: str
    about: str = ""
    minimum: int = 0

    def level(self, value: float) -> tuple[Severity, float] | None:
        """The worst level that `value` is past, with its limit; None when it is past none."""
        for severity in Severity:
            limit = self.levels.get(severity.value)
            if limit is not None and (value > limit if self.direction == "above" else value < limit):
                return severity, limit
        return None


class Number(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number that checks and incidents use: a span, a minimum count, a factor."""

    value: float
    unit: str
    source: str
    about: str = ""


class Mute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Known noise: findings of `check` about `subject` (a glob) are shown as muted until `expires`."""

    check: str
    reason: str
    expires: date
    subject: str = "*"


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile as it is written."""

    name: str
    extends: str = ""
    thresholds: dict[str, Threshold] = {}
    numbers: dict[str, Number] = {}
    muted: tuple[Mute, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything that a verdict depends on beside the evidence."""

    name: str
    sha256: str
    thresholds: dict[str, Threshold]
    numbers: dict[str, Number]
    muted: tuple[Mute, ...]

    def threshold(self, name: str) -> Threshold:
        """The threshold `name`.

        Raises:
            UnknownNameError: the profile has none of that name.
        """
        if name not in self.thresholds:
            raise UnknownNameError("threshold", name, self.thresholds)
        return self.thresholds[name]

    def number(self, name: str) -> float:
        """The value of the number `name`.

        Raises:
            UnknownNameError: the profile has none of that name.
        """
        if name not in self.numbers:
            raise UnknownNameError("number", name, self.numbers)
        return self.numbers[name].value
