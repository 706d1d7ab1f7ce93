"""The timeline: a figure of the seconds around the onset, and every event as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from meshforensics.model import Plane
from meshforensics.report._blocks import (
    Block,
    Code,
    Content,
    Details,
    Figure,
    Head,
    Paragraph,
    Phrase,
    PlaneName,
    Row,
    Table,
)
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._words import clock, count, instant
from meshforensics.report.figures import NARROW, WIDE, Lane, Mark, draw_lanes, list_lanes
from meshforensics.report.sections._section import section
from meshforensics.timeline import timeline as events_of

LISTED = 200
"""Rows of the table; what is beyond is counted."""

MARKS = 5
"""Events drawn on a lane."""

_BAD = frozenset({"first-failure", "rejection", "restart", "proxy-error", "istiod-error"})
_EMPTY = {
    Plane.EDGE: "no failure at a gateway is logged",
    Plane.SERVICE: "no failure between workloads is logged",
    Plane.STATE: "no change of state is dated",
    Plane.CONTROL: "no event of the control plane is dated",
}
_NEEDS = {
    Plane.EDGE: "calls",
    Plane.SERVICE: "calls",
    Plane.STATE: "secret_instances",
    Plane.CONTROL: "istiod_log",
}


@section
def timeline(case: Case, incident: str = "") -> Content:
    """What happened first, on which plane."""
    events = events_of(case)
    if events.empty:
        said = "Not captured: nothing in this bundle has a time of its own."
        return Content(anchor="timeline", title="Timeline: not captured", blocks=(Paragraph(text=said),))
    hypothesis = focus(case, incident)
    onset = hypothesis.onset if decided(hypothesis) else None
    near = _near(events, onset)
    blocks: list[Block] = []
    if len(near):
        blocks.append(_figure(case, near, onset))
    blocks.append(_all(events))
    return Content(anchor="timeline", title=_title(near if len(near) else events, onset), blocks=tuple(blocks))


def _near(events: pd.DataFrame, onset: datetime | None) -> pd.DataFrame:
    """The events worth drawing: those on a plane, around the onset, the first ones of each lane."""
    placed = events[events["plane"] != ""]
    if onset is not None:
        at = pd.Timestamp(onset)
        placed = placed[(placed["at"] >= at - pd.Timedelta("10min")) & (placed["at"] <= at + pd.Timedelta("10min"))]
        placed = placed.assign(far=(placed["at"] - at).abs()).sort_values(["far", "text"], kind="stable")
        return placed.groupby("plane").head(MARKS).sort_values(["at", "plane", "text"], kind="stable")
    bad = placed[placed["kind"].isin(_BAD)]
    return (bad if len(bad) else placed).groupby("plane").head(MARKS)


def _title(near: pd.DataFrame, onset: datetime | None) -> str:
    bad = near[near["kind"].isin(_BAD)]
    if bad.empty:
        return f"Timeline: {count(len(near), 'event')}, no failure among them"
    first = bad.iloc[0]
    causes = near[near["plane"].isin([Plane.CONTROL, Plane.STATE]) & (near["at"] < first["at"])]
    failed = bad[bad["kind"] == "first-failure"]
    if len(failed) and len(causes):
        last = causes.iloc[-1]
        seconds = (failed.iloc[0]["at"] - last["at"]).total_seconds()
        if 0 <= seconds <= 120:
            beside = int((causes["at"] == last["at"]).sum()) - 1
            more = f" and {count(beside, 'other event')} of that instant" if beside else ""
            return f"Timeline: the first failure comes {seconds:.1f} s after “{_cut(last['text'])}”{more}"
    return f"Timeline: the first failure is at {clock(first['at'])}" if onset else "Timeline: what is dated, in order"


def _cut(text: str, most: int = 70) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _figure(case: Case, near: pd.DataFrame, onset: datetime | None) -> Figure:
    start, end = near["at"].min().to_pydatetime(), near["at"].max().to_pydatetime()
    margin = max((end - start) * 0.04, timedelta(milliseconds=200))
    lanes = [_lane(case, plane, near[near["plane"] == plane]) for plane in Plane]
    order = ", then ".join(dict.fromkeys(str(plane) for plane in near["plane"]))
    told = "; ".join(f"{plane.plane}: " + _words(plane.marks) for plane in lanes if plane.marks)
    begins = f" The incident is dated to {instant(onset)}." if onset else ""
    return Figure(
        name="timeline",
        title=f"In order of their first event: {order}",
        alt=f"Events by plane. {told}.{begins}",
        caption=f"✕ failure, ● change. UTC, as each source wrote it.{begins} All events are in the table.",
        wide=draw_lanes(lanes, start - margin, end + margin, case.at, WIDE),
        narrow=list_lanes(lanes, NARROW),
    )


def _words(marks: Sequence[Mark]) -> str:
    return ", ".join(f"{mark.clock} {mark.text}" for mark in marks)


def _lane(case: Case, plane: Plane, rows: pd.DataFrame) -> Lane:
    marks = tuple(
        Mark(
            text=_cut(str(row["text"]), 110),
            at=row["at"].to_pydatetime(),
            clock=clock(row["at"]),
            look="bad" if row["kind"] in _BAD else "",
        )
        for _, row in rows.iterrows()
    )
    return Lane(plane=plane, marks=marks, empty=case.reason(_NEEDS[plane]) or _EMPTY[plane])


def _all(events: pd.DataFrame) -> Details:
    shown = events.head(LISTED)
    rows = tuple(
        Row(cells=(instant(row["at"]).removesuffix(" UTC"), _plane(row["plane"]), row["text"], _source(row)))
        for _, row in shown.iterrows()
    )
    heads = (Head(text="UTC"), Head(text="Plane"), Head(text="Event"), Head(text="Source"))
    left_out = f", the first {LISTED} of {len(events):,}" if len(events) > LISTED else ""
    return Details(
        summary=f"All {count(len(shown), 'event')} as a table{left_out}",
        blocks=(Table(heads=heads, rows=rows, named=False),),
    )


def _plane(name: str) -> Phrase:
    return (PlaneName(Plane(name)),) if name else "capture"


def _source(row: "pd.Series[str]") -> Phrase:
    item = str(row["item"]).partition("@")[0]
    return (Code(f"{item} {row['pointer']}".strip()),)
