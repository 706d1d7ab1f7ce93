"""What the guide claims, line by line, and what is so: data that the commands and the docs are made of."""

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml

Verdict = Literal["right", "partly", "outdated", "wrong", "invented", "unsourced", "dangerous"]


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One claim.

    Attributes:
        place: where in the guide.
        says: what it says, in short words of ours.
        right: what is so, with the versions that it holds for.
        source: where that can be read.
        see: what does the right thing here: ``check:ID``, ``incident:ID``, ``guide:TOPIC``, ``recover:STEP``,
            ``command:NAME``, ``table:NAME``, ``alert:NAME`` or ``docs:PAGE``.
    """

    number: str
    place: str
    says: str
    verdict: Verdict
    right: str
    source: str = ""
    see: tuple[str, ...] = ()


@cache
def claims() -> dict[str, Claim]:
    """Every claim by its number, in the order of the guide."""
    payload = files("meshforensics.guide").joinpath("claims.yaml").read_bytes()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read = msgspec.convert(yaml.load(payload, Loader=loader), list[Claim])  # noqa: S506 - both are safe loaders
    return {each.number: each for each in read}
