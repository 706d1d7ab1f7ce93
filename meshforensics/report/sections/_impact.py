"""Impact: which calls fail, where that is decided, and out of how many."""

from collections.abc import Sequence
from datetime import datetime

from meshforensics.model import Plane
from meshforensics.model.words import noun
from meshforensics.report._blocks import (
    Beside,
    Block,
    Content,
    Figure,
    Head,
    Paragraph,
    Phrase,
    PlaneName,
    Row,
    Table,
)
from meshforensics.report._calls import Edge, edges, short_names
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._words import clock, count, instant, listed, share
from meshforensics.report.figures import NARROW, WIDE, Strip, draw_strips
from meshforensics.report.sections._section import section

DRAWN = 14
"""Edges that are drawn; the table and the text count all."""

GROUPS = ("Fails here: the caller's own proxy ended the call", "Passes on a failure it was answered", "Untouched")


@section
def impact(case: Case, incident: str = "") -> Content:
    """Failed calls with their denominators, by where the fault is."""
    reason = case.reason("calls")
    known = edges(case)
    if reason or not known:
        why = reason or "no call was logged in the window"
        said = f"Which calls failed cannot be told: {why}. This is not the same as no failure."
        return Content(anchor="impact", title="Impact: not captured", blocks=(Paragraph(text=said),))
    onset = focus(case, incident).onset if decided(focus(case, incident)) else None
    return Content(
        anchor="impact",
        title=_title(known),
        blocks=(Beside(blocks=_drawn(known, onset), notes=_notes(case, known, incident)), _table(known)),
    )


def _title(known: Sequence[Edge]) -> str:
    failed, total = sum(len(edge.failed) for edge in known), sum(edge.total for edge in known)
    bad = sum(bool(edge.failed) for edge in known)
    if not failed:
        return f"Impact: 0 of {count(total, 'logged call')} failed"
    refused = sum(edge.refused for edge in known)
    edges_of = f"on {bad} of {count(len(known), 'edge')}"
    if refused and refused < failed:
        return (
            f"Impact: {refused:,} of {count(total, 'call')} {noun(refused, 'fails', 'fail')} at their "
            f"source, {failed - refused:,} more {noun(failed - refused, 'passes', 'pass')} that on"
        )
    return f"Impact: {failed:,} of {count(total, 'logged call')} failed, {edges_of}"


def group_of(edge: Edge) -> str:
    """Where the fault of an edge is: here, behind, nowhere."""
    if edge.refused:
        return GROUPS[0]
    return GROUPS[1] if edge.failed else GROUPS[2]


def _drawn(known: Sequence[Edge], onset: datetime | None) -> tuple[Block, ...]:
    shown = sorted(known[:DRAWN], key=lambda edge: GROUPS.index(group_of(edge)))
    names = short_names(name for edge in known for name in (edge.caller, edge.callee))
    instants = [at for edge in known for at in (*edge.passed, *edge.failed)]
    start, end = min(instants), max(instants)
    strips = [
        Strip(
            group=group_of(edge),
            label=f"{names[edge.caller]} → {names[edge.callee]}",
            said=f"{len(edge.failed):,} of {edge.total:,} failed",
            passed=edge.passed,
            failed=edge.failed,
        )
        for edge in shown
    ]
    inside = onset if onset and start <= onset <= end else None
    said = "; ".join(f"{strip.label} {strip.said}" for strip in strips)
    left_out = f" {count(len(known) - len(shown), 'edge')} with fewer failures not drawn." if len(known) > DRAWN else ""
    return (
        Figure(
            name="impact",
            title=_figure_title(known),
            alt=f"Calls over time on {count(len(shown), 'edge')} of the call graph. {said}.{left_out}",
            caption="Calls over time, one scale, by the caller's access log. Solid: failed. Pale: passed."
            + (" Shaded: after the onset." if inside else "")
            + f" UTC.{left_out}",
            wide=draw_strips(strips, start, end, inside, WIDE),
            narrow=draw_strips(strips, start, end, inside, NARROW),
        ),
    )


def _figure_title(known: Sequence[Edge]) -> str:
    names = short_names(name for edge in known for name in (edge.caller, edge.callee))
    sources = [edge for edge in known if edge.refused]
    if not sources:
        bad = sum(bool(edge.failed) for edge in known)
        return f"Calls on {bad} of {count(len(known), 'edge')} failed" if bad else "No logged call failed"
    pairs = [f"{names[edge.caller]} → {names[edge.callee]}" for edge in sources]
    return f"Calls fail at their source on {count(len(sources), 'edge')}: {listed(pairs, 3)}"


def _notes(case: Case, known: Sequence[Edge], incident: str) -> tuple[Phrase, ...]:
    notes: list[Phrase] = []
    explained = focus(case, incident).impact
    if explained is not None:
        services = f" to {listed(explained.services, 4)}" if explained.services else ""
        notes.append(
            f"The verdict explains {share(explained.failed, explained.total)} "
            f"{noun(explained.total, 'call')}{services}."
        )
    passing = [edge for edge in known if edge.failed and not edge.refused]
    if passing:
        notes.append(
            "A failure that a proxy passes on is no fault of that proxy: it hands on the answer of the next one."
        )
    start, end = (case.window.start, case.window.end) if case.window else (None, None)
    notes.append(f"Counted from {instant(start)} to {instant(end)}; a share depends on this window.")
    return tuple(notes)


def _table(known: Sequence[Edge]) -> Table:
    rows = []
    for plane in (Plane.EDGE, Plane.SERVICE):
        own = [edge for edge in known if edge.plane == plane]
        what = "Calls that gateways made" if plane == Plane.EDGE else "Calls that workloads made"
        if own:
            rows.append(_counted(what, plane, own, [len(edge.failed) for edge in own]))
            rows.append(_counted(f"{what}, ended by their own proxy", plane, own, [edge.refused for edge in own]))
    worst = [edge for edge in known if edge.failed][:20]
    names = short_names(name for edge in known for name in (edge.caller, edge.callee))
    for edge in worst:
        name = f"{names[edge.caller]} → {names[edge.callee]}"
        rows.append(_counted(name, edge.plane, [edge], [len(edge.failed)]))
    heads = (
        Head(text="What is counted"),
        Head(text="Plane"),
        Head(text="Failed", number=True),
        Head(text="First failure (UTC)", number=True),
    )
    return Table(heads=heads, rows=tuple(rows))


def _counted(what: str, plane: Plane, own: Sequence[Edge], failed: Sequence[int]) -> Row:
    first = min((edge.first_failed for edge in own if edge.first_failed), default=None)
    total = sum(edge.total for edge in own)
    since = clock(first) if first and sum(failed) else "-"
    return Row(cells=(what, (PlaneName(plane),), share(sum(failed), total), since))
