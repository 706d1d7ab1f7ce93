"""Growers: proxies whose live memory grows over a series, and what explains it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from meshforensics.incidents._declare import Case

MIB = 1024 * 1024
_UNFINISHED = 0.5


@dataclass(frozen=True, kw_only=True)
class Grower:
    """A proxy whose live memory grows: how, since when, and what explains it (empty: nothing)."""

    subject: str
    row: dict[str, Any]
    onset: datetime
    explained_by: str
    mechanism: str
    drivers_known: bool


def growers(case: Case) -> list[Grower]:
    """The proxies whose live memory grows significantly, by subject."""
    growth = case.source.over_time("growth")
    rows = [{str(key): value for key, value in row.items()} for row in growth.to_dict("records")]
    made = [_grower(case, row) for row in rows if _significant(case, row)]
    return sorted(made, key=lambda grower: grower.subject)


def _significant(case: Case, row: dict[str, Any]) -> bool:
    """Enough samples, a rise, and a lower bound above the least growth of the profile."""
    share = case.profile.number("memory.growth-share-per-hour") * row["median_bytes"]
    least = max(share, case.profile.number("memory.growth-per-hour"))
    enough = row["samples"] >= case.profile.number("memory.samples")
    return bool(enough and row["rises"] and row["slope_low"] > least)


def _grower(case: Case, row: dict[str, Any]) -> Grower:
    piles_up = _known(row["unfinished_share"], 0.0) >= _UNFINISHED and _known(row["open_rises"], False)
    return Grower(
        subject=f"{row['namespace']}/{row['pod']}",
        row=row,
        onset=row["at"].to_pydatetime(),
        explained_by="" if piles_up else _explained(case, row),
        mechanism="pile-up of unfinished requests" if piles_up else "live memory grows",
        drivers_known=not pd.isna(row["with_requests"]),
    )


def _known(value: Any, otherwise: Any) -> Any:
    return otherwise if pd.isna(value) else value


def _explained(case: Case, row: dict[str, Any]) -> str:
    enough = case.profile.number("memory.explained-correlation")
    drivers = ("requests", "configuration", "series")
    return next((name for name in drivers if _known(row[f"with_{name}"], 0.0) >= enough), "")


def in_words(each: Grower) -> str:
    """How much it grew, over how long, from how many samples."""
    row = each.row
    return (
        f"{each.subject} grew from {row['first_bytes'] / MIB:.1f} to {row['last_bytes'] / MIB:.1f} MiB live in "
        f"{row['span_s']:.0f} s ({row['samples']} samples, at least {row['slope_low'] / MIB:.0f} MiB/h)"
    )
