"""What an event is, and how rows of tables are thinned to the ones worth a line."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

import pandas as pd

from meshforensics.model import Plane
from meshforensics.tables import text

BURST = timedelta(seconds=2)
"""Like events that follow each other this closely are one line."""


class Source(Protocol):
    """Where the tables come from."""

    def frame(self, name: str) -> pd.DataFrame:
        """A table as of the instant."""


class Event(NamedTuple):
    """One line of the timeline. `plane` is empty for what belongs to no plane: the capture itself."""

    at: pd.Timestamp
    plane: str
    kind: str
    subject: str
    text: str
    item: str
    pointer: str


def dated(frame: pd.DataFrame, column: str = "at") -> pd.DataFrame:
    """The rows that have a time, oldest first; a stable order for equal times."""
    if frame.empty or column not in frame:
        return frame.iloc[:0]
    known = frame[frame[column].notna()]
    return known.sort_values([column, "item", "pointer"], key=_sortable)


def _sortable(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return values if str(values.dtype).startswith("datetime") else text(values)


def bursts(frame: pd.DataFrame, column: str) -> Iterator[pd.DataFrame]:
    """Runs of rows of `dated(frame, column)` without a pause longer than `BURST`."""
    if frame.empty:
        return
    pauses = frame[column].diff() > BURST
    for _, rows in frame.groupby(pauses.cumsum()):
        yield rows


def names(values: Iterable[str], most: int = 4) -> str:
    """The distinct names, sorted; at most so many, and how many more."""
    known = sorted(set(values))
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more


def event(row: "pd.Series[Any]", at: pd.Timestamp, plane: Plane | str, kind: str, subject: str, said: str) -> Event:
    """An event at the place of `row`."""
    return Event(at, str(plane), kind, subject, " ".join(said.split()), str(row["item"]), str(row["pointer"]))
