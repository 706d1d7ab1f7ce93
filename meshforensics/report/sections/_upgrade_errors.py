"""An upgrade, second part: errors by route and flag with their cause, blast radius, order of events, rollback."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import errors
from meshforensics.model.words import noun
from meshforensics.report._blocks import Block, Content, Dim, Figure, Paragraph, Phrase
from meshforensics.report._case import Case, asked
from meshforensics.report._shown import Shown, evidence, missing, table_of
from meshforensics.report._words import clock, count, listed, share
from meshforensics.report.figures import NARROW, WIDE, Line, draw_lines
from meshforensics.report.sections._section import section
from meshforensics.report.sections._upgrade import said_at, told


@section
def errors_by_route(case: Case) -> Content:
    """Failed calls by route and response flag, each with the change of configuration that it comes from."""
    frame = errors.errors_by_route(asked(case))
    if frame.empty:
        why = case.reason("calls")
        said = f"Which calls failed is not known: {why}." if why else "No call of the window failed."
        title = "Errors: not captured" if why else "Errors: no call failed"
        return Content(anchor="errors", title=title, blocks=(Paragraph(text=said),))
    source = frame[frame["decided_by"] == "caller"]
    explained = source[source["cause"] != ""]
    title = (
        f"Errors: {int(explained['failed'].sum()):,} of {count(int(source['failed'].sum()), 'call')} that fail at "
        "their source come from a change that was captured"
    )
    note = "A call that is decided upstream passes on the failure of the next hop; it is no fault of its own."
    blocks = (Paragraph(text=note), table_of(frame, _ERRORS), *evidence(case, frame, quoted=2))
    return Content(anchor="errors", title=title, blocks=(*blocks, *missing(case, "calls", "routes", "rejections")))


def _cause(row: "pd.Series[Any]") -> Phrase:
    if row["cause"]:
        return str(row["cause"])
    return (Dim("passed on" if row["decided_by"] == "upstream" else "nothing that was captured explains it"),)


def _flagged(row: "pd.Series[Any]") -> Phrase:
    said = " ".join(str(row[name]) for name in ("flags", "details") if row[name])
    return (said or "-", Dim(f", decided by {'the caller' if row['decided_by'] == 'caller' else 'the next hop'}"))


_ERRORS = (
    Shown(head="Caller and host", say=lambda row: f"{row['caller']} to {told(row['host'])}"),
    Shown(head="Route", say=lambda row: told(row["route"])),
    Shown(head="Flag and details", say=_flagged),
    Shown(head="Failed", say=lambda row: share(row["failed"], row["total"]), number=True),
    Shown(head="First (UTC)", say=lambda row: said_at(row["first"])[11:] or "-"),
    Shown(head="Comes from", say=_cause),
)


@section
def blast_radius(case: Case) -> Content:
    """The share of calls that fail, and the share of services, over time."""
    frame = errors.share_over_time(asked(case))
    if frame.empty:
        why = case.reason("calls") or "no call of the window has a time"
        said = f"How far it reached is not known: {why}."
        return Content(anchor="radius", title="Blast radius: not captured", blocks=(Paragraph(text=said),))
    failed, total = int(frame["failed"].sum()), int(frame["calls"].sum())
    worst = frame.assign(share=frame["failed"] / frame["calls"]).sort_values("share", kind="stable").iloc[-1]
    by_host = errors.errors_by_route(asked(case))
    hosts = sorted(set(by_host["host"])) if len(by_host) else []
    known = int(frame["known"].max())
    title = (
        f"Blast radius: {share(failed, total)} {noun(total, 'call fails', 'calls fail')}, to {len(hosts)} "
        f"of {count(known, 'service')} called"
    )
    if not failed:
        title = f"Blast radius: none of {count(total, 'call')} failed"
    blocks: list[Block] = [_figure(frame)]
    if failed:
        said = (
            f"At worst {share(int(worst['failed']), int(worst['calls']))} of a step from {clock(worst['at'])} UTC. "
            f"Services that fail: {listed(hosts, 8)}. A call is counted once at each hop, by its caller."
        )
        blocks.append(Paragraph(text=said))
        blocks += evidence(case, by_host)
    return Content(anchor="radius", title=title, blocks=tuple(blocks))


def _figure(frame: pd.DataFrame) -> Figure:
    at = [each.to_pydatetime() for each in frame["at"]]
    of_calls = tuple(zip(at, (frame["failed"] / frame["calls"]).astype(float), strict=True))
    of_services = tuple(zip(at, (frame["services"] / frame["known"]).astype(float), strict=True))
    lines = [
        Line(label="calls that fail", points=of_calls, hurt=True),
        Line(label="services that fail", points=of_services, stroke=1),
    ]
    most = max(value for _, value in of_calls), max(value for _, value in of_services)
    said = f"calls up to {100 * most[0]:.0f} %, services up to {100 * most[1]:.0f} %"
    step = (at[1] - at[0]).total_seconds() if len(at) > 1 else 0.0
    return Figure(
        name="radius",
        title=f"Share that fails over time: {said}",
        alt=f"Share of calls and of services that fail over time, {count(len(at), 'step')}: {said}.",
        caption=f"Share of calls and of called services that fail, in steps of {step:.1f} s, UTC; by callers' logs.",
        wide=draw_lines(lines, None, _percent, WIDE),
        narrow=draw_lines(lines, None, _percent, NARROW),
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


@section
def first_push(case: Case) -> Content:
    """The first bad push against the first error: changes, pushes, refusals and failures in order."""
    frame = errors.pushes_and_errors(asked(case))
    lacking = missing(case, "calls", "pushes", "config")
    if frame.empty:
        said = "No change, push or refusal is dated that a failed call could come from."
        return Content(anchor="order", title="Order: nothing to set in order", blocks=(Paragraph(text=said), *lacking))
    before = frame[frame["seconds"] <= 0]
    causes = before[~before["what"].str.startswith(("first failed", "last sight", "first sight"))]
    title = "Order: no failed call is dated"
    if frame["seconds"].notna().any():
        title = "Order: no change is dated before the first failed call"
    if len(causes):
        first = causes.iloc[0]
        title = f"Order: the first failed call comes {-first['seconds']:.1f} s after “{first['what']}”"
    return Content(anchor="order", title=title, blocks=(table_of(frame, _ORDER), *evidence(case, frame), *lacking))


def _seconds(row: "pd.Series[Any]") -> str:
    return "-" if pd.isna(row["seconds"]) else f"{row['seconds']:+.1f} s"


_ORDER = (
    Shown(head="UTC", say=lambda row: said_at(row["at"])),
    Shown(head="From the first error", say=_seconds, number=True),
    Shown(head="What", say=lambda row: str(row["what"])),
)


@section
def rollback(case: Case) -> Content:
    """The smallest rollback: which few changes undone end the failures, and what is left for the version."""
    frame = errors.smallest_rollback(asked(case))
    by_route = errors.errors_by_route(asked(case))
    source = int(by_route[by_route["decided_by"] == "caller"]["failed"].sum()) if len(by_route) else 0
    if frame.empty:
        said = (
            f"{count(source, 'call')} fail at their source, and no captured change of configuration explains them: "
            "neither a small rollback nor one of the version is known to help."
            if source
            else "No call fails at its source and no update is refused: there is nothing to roll back."
        )
        title = "Rollback: no small one can be named" if source else "Rollback: none is called for"
        return Content(anchor="rollback", title=title, blocks=(Paragraph(text=said), *missing(case, "calls", "config")))
    mends = int(frame["mends"].sum())
    undo = [str(row["undo"]) for _, row in frame.iterrows() if row["mends"]]
    title = "Rollback: no failed call asks for one"
    if undo:
        title = f"Rollback: undoing {listed(undo, 3)} ends {share(mends, source)} {noun(source, 'failure')}"
    left = source - mends
    rest = (
        f"{count(left, 'failure')} are left that no change explains: for these roll the revision back by its tag."
        if left
        else "Nothing is left for a rollback of the version: that would change more than it takes."
    )
    safe = "Undo by correcting the object; do not restart a proxy that refuses an update, it has no last good one then."
    return Content(
        anchor="rollback",
        title=title,
        blocks=(table_of(frame, _ROLLBACK), *evidence(case, frame), Paragraph(text=f"{rest} {safe}")),
    )


_ROLLBACK = (
    Shown(head="Step", say=lambda row: str(row["step"])),
    Shown(head="Undo the change of", say=lambda row: str(row["undo"])),
    Shown(head="It ends that", say=lambda row: str(row["ends"])),
    Shown(head="Mends", say=lambda row: f"{row['mends']:,}", number=True),
    Shown(head="Left", say=lambda row: f"{row['left']:,}", number=True),
)
