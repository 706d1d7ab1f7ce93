"""Alert rules as data: an expression, the limit that it is held against, and how long it must stand."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
import yaml

from meshforensics.model import DeclarationError


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"lasting": "for"}):
    """One rule. It is active while its value is `above` or `below` the limit, and fires after `lasting` seconds.

    Attributes:
        name: as it stands in the rules file.
        about: what the value is.
        expression: PromQL of the value, without the comparison.
        unit: of the value.
        was: the debugging guide's alert that this one corrects; empty for one that the guide lacks.
    """

    about: str
    expression: str
    unit: str
    lasting: int
    severity: Literal["warning", "critical"]
    summary: str
    source: str
    name: str = ""
    above: float | None = None
    below: float | None = None
    was: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule without a limit, or with two."""
        if (self.above is None) == (self.below is None):
            raise DeclarationError(f"alert {self.name}: give `above` or `below`, one of them")

    @property
    def limit(self) -> float:
        """What the value is held against."""
        return self.above if self.above is not None else self.below or 0.0

    @property
    def operator(self) -> Literal[">", "<"]:
        """How it is held against it."""
        return ">" if self.above is not None else "<"


@cache
def alerts() -> dict[str, Alert]:
    """Every rule that ships, by name, in the order of the file.

    >>> alerts()["SidecarMemoryNearLimit"].limit
    0.9
    """
    payload = files("meshforensics.alerts").joinpath("alerts.yaml").read_bytes()
    document = yaml.load(payload, Loader=yaml.CSafeLoader)
    return {name: msgspec.convert({"name": name, **fields}, Alert) for name, fields in document.items()}


def rules_file(rules: dict[str, Alert]) -> dict[str, Any]:
    """The document that Prometheus loads as a rules file.

    >>> list(rules_file(alerts())["groups"][0])
    ['name', 'rules']
    """
    return {"groups": [{"name": "meshforensics", "rules": [_rule(each) for each in rules.values()]}]}


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": f"(\n{alert.expression.strip()}\n) {alert.operator} {alert.limit:.15g}\n",
        "for": f"{alert.lasting}s",
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.about},
    }
