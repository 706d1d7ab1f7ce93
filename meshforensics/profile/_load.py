"""Read a profile: the packaged ones by name, a user's own by path."""

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from meshforensics.model import Severity, UnknownNameError, UsageError

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


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


def load_profile(name: str | Path = "default") -> Profile:
    """The packaged profile `name`, or a user's YAML file; a file `extends` a packaged one.

    Raises:
        UsageError: no such profile, or it does not have the form.
    """
    document, digest = _document(str(name))
    base = load_profile(document.extends) if document.extends else None
    unknown = sorted(
        {*document.thresholds} - {*base.thresholds} | {*document.numbers} - {*base.numbers} if base else ()
    )
    if base and unknown:
        raise UnknownNameError(f"entry (in profile {name})", unknown[0], [*base.thresholds, *base.numbers])
    return Profile(
        name=document.name,
        sha256=hashlib.sha256((base.sha256 if base else "").encode() + digest).hexdigest(),
        thresholds={**(base.thresholds if base else {}), **document.thresholds},
        numbers={**(base.numbers if base else {}), **document.numbers},
        muted=(*(base.muted if base else ()), *document.muted),
    )


def _document(name: str) -> tuple[_Document, bytes]:
    packaged = files("meshforensics.profile").joinpath(f"{name}.yaml")
    path: Any = packaged if "/" not in name and packaged.is_file() else Path(name)
    try:
        payload: bytes = path.read_bytes()
    except OSError as error:
        raise UsageError(f"no profile {name!r}: give default, guide, or the path of a YAML file") from error
    try:
        return msgspec.convert(yaml.safe_load(payload), _Document), payload
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise UsageError(f"profile {name} does not have the form: {error}") from error
