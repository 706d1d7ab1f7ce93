"""A rotation, second part: calls blocked over time, who recovers by what, the safe order, what would have warned."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import errors, rotation_effects
from meshforensics.model.words import noun
from meshforensics.report._blocks import Block, Content, Figure, Paragraph
from meshforensics.report._case import Case, asked, decided, focus
from meshforensics.report._shown import Shown, evidence, missing, table_of
from meshforensics.report._words import clock, count, instant, listed, share
from meshforensics.report.figures import NARROW, WIDE, Line, draw_lines
from meshforensics.report.sections._rotation import days
from meshforensics.report.sections._section import section
from meshforensics.report.sections._upgrade import said_at


@section
def blocked_calls(case: Case) -> Content:
    """The share of calls that TLS blocks, over time, beside what an even split of the mesh would give."""
    failing = rotation_effects.failing_calls(asked(case))
    frame = errors.share_over_time(asked(case), failing)
    if frame.empty:
        why = case.reason("calls") or "no call of the window has a time"
        said = f"How many calls are blocked is not known: {why}."
        return Content(anchor="blocked", title="Blocked calls: not captured", blocks=(Paragraph(text=said),))
    blocked, total = int(frame["failed"].sum()), int(frame["calls"].sum())
    blocks: list[Block] = [_figure(frame)] if blocked else []
    bound = rotation_effects.even_split_bound(asked(case))
    if bound is not None:
        said = (
            f"{100 * bound[0]:.0f} % of the proxies trust the newest root alone. If pairs were taken at random, "
            f"2p(1-p) = {100 * bound[1]:.0f} % of new connections would fail, and never more than 50 %; who calls whom "
            "is not random, so that the share differs."
        )
        blocks.append(Paragraph(text=said))
    if blocked:
        worst = frame.assign(share=frame["failed"] / frame["calls"]).sort_values("share", kind="stable").iloc[-1]
        said = f"At worst {share(int(worst['failed']), int(worst['calls']))} of a step from {clock(worst['at'])} UTC."
        blocks += [Paragraph(text=said), *evidence(case, failing.head(60))]
    some = f"{share(blocked, total)} {noun(total, 'call fails', 'calls fail')} in TLS"
    title = f"Blocked calls: {some}" if blocked else f"Blocked calls: 0 of {total:,}"
    return Content(anchor="blocked", title=title, blocks=tuple(blocks))


def _figure(frame: pd.DataFrame) -> Figure:
    at = [each.to_pydatetime() for each in frame["at"]]
    points = tuple(zip(at, (frame["failed"] / frame["calls"]).astype(float), strict=True))
    most = max(value for _, value in points)
    step = (at[1] - at[0]).total_seconds() if len(at) > 1 else 0.0
    lines = (Line(label="fail in TLS", points=points, hurt=True),)
    return Figure(
        name="blocked",
        title=f"Share of calls that fail in TLS: up to {100 * most:.0f} %",
        alt=f"Share of calls that fail in TLS over time, {count(len(at), 'step')}: up to {100 * most:.0f} %.",
        caption=f"Share of logged calls, in steps of {step:.1f} s, UTC; each call once at each hop, by its caller.",
        wide=draw_lines(lines, None, _percent, WIDE),
        narrow=draw_lines(lines, None, _percent, NARROW),
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


@section
def who_recovers(case: Case) -> Content:
    """Who recovers by a restart, and who by a root bundle of all roots: computed from what each proxy holds."""
    frame = rotation_effects.who_recovers(asked(case))
    if frame.empty:
        why = case.reason("trust", over_time=True) or "no dump holds a trust set with its certificates"
        said = f"Who recovers by what cannot be computed: {why}."
        return Content(anchor="recovers", title="Who recovers: not captured", blocks=(Paragraph(text=said),))
    how = (
        "Computed: a restart gives one proxy the roots and the signer that were given out last, and leaves all others "
        "as they are; a bundle gives every proxy all roots, and leaves the leaves as they are."
    )
    blocks = (Paragraph(text=how), table_of(frame, _RECOVERS), *evidence(case, frame))
    return Content(anchor="recovers", title=_recovers(frame), blocks=blocks)


def _recovers(frame: pd.DataFrame) -> str:
    hurt = frame[frame["fails"] > 0]
    if hurt.empty:
        worse = frame[frame["restarted"] > 0]
        more = f"; a restart would break {listed(worse['proxy'], 2)}" if len(worse) else ""
        return f"Who recovers: no pair fails that could be judged{more}"
    by_restart = hurt[hurt["restarted"] == 0]
    by_bundle = hurt[hurt["bundled"] == 0]
    worse = frame[frame["restarted"] > frame["fails"]]
    harm = f"; a restart makes it worse for {len(worse)}" if len(worse) else ""
    return (
        f"Who recovers: {len(by_bundle)} of {len(hurt)} by a bundle of all roots, {len(by_restart)} by a restart alone"
        f"{harm}"
    )


_RECOVERS = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Pairs", say=lambda row: f"{row['pairs']:,}", number=True),
    Shown(head="Fail now", say=lambda row: f"{row['fails']:,}", number=True),
    Shown(head="If it alone is restarted", say=lambda row: f"{row['restarted']:,}", number=True),
    Shown(head="If all get every root", say=lambda row: f"{row['bundled']:,}", number=True),
    Shown(head="Not known", say=lambda row: f"{row['unknown']:,}", number=True),
)


@section
def safe_rotation(case: Case) -> Content:
    """The order of a safe rotation: each stage with its gate, and what the evidence says of it."""
    frame = rotation_effects.safe_order(asked(case))
    note = (
        "A proxy takes its roots with each leaf, at half of the leaf's life or at a restart; so both roots have to be "
        "everywhere before the signer changes. An old leaf never verifies again once its root is taken out."
    )
    return Content(
        anchor="safe",
        title="The order of a safe rotation, and where this mesh stands",
        blocks=(Paragraph(text=note), table_of(frame, _SAFE), *evidence(case, frame), *missing(case, "trust")),
    )


_SAFE = (
    Shown(head="Stage", say=lambda row: str(row["stage"])),
    Shown(head="Do", say=lambda row: str(row["do"])),
    Shown(head="Gate before the next", say=lambda row: str(row["gate"])),
    Shown(head="Here, now", say=lambda row: str(row["now"])),
)


@section
def would_have_warned(case: Case, incident: str = "") -> Content:
    """The checks that would have warned, and how much earlier than the first failure."""
    onset = _onset(case, incident)
    frame = rotation_effects.warnings(asked(case), onset)
    if frame.empty:
        why = case.reason("trust", over_time=True) or "no root was captured"
        said = f"What would have warned is not known: {why}."
        return Content(anchor="warned", title="Warnings: not captured", blocks=(Paragraph(text=said),))
    since = (
        f"The first failure is of {instant(onset.to_pydatetime())}." if onset is not None else "No failure is dated."
    )
    blocks = (Paragraph(text=since), table_of(frame, _WARNED), *evidence(case, frame))
    return Content(anchor="warned", title=_warned(frame, onset), blocks=blocks)


def _onset(case: Case, incident: str) -> pd.Timestamp | None:
    failing = rotation_effects.failing_calls(asked(case))
    first = failing["at"].min() if len(failing) else pd.NaT
    if not pd.isna(first):
        return pd.Timestamp(first)
    best = focus(case, incident)
    return pd.Timestamp(best.onset) if decided(best) and best.onset else None


def _warned(frame: pd.DataFrame, onset: pd.Timestamp | None) -> str:
    if onset is None:
        return "Warnings: no failure is dated that a check could have come before"
    early = frame[frame["days"] > 0]
    if early.empty:
        return "Warnings: no check would have warned before the first failure"
    gate = early[early["check"] == rotation_effects.GATE]
    checks = early[early["check"] != rotation_effects.GATE]
    said = [f"{row['check']} would have warned {days(row['days'])} earlier" for _, row in checks.head(1).iterrows()]
    said += [f"a gate could have stopped it {days(row['days'])} earlier" for _, row in gate.head(1).iterrows()]
    return f"Warnings: {'; '.join(said)}"


def _lead(row: "pd.Series[Any]") -> str:
    if pd.isna(row["days"]):
        return "-"
    return f"{days(row['days'])} earlier" if row["days"] > 0 else f"{days(row['days'])} too late"


_WARNED = (
    Shown(head="Check", say=lambda row: str(row["check"])),
    Shown(head="Warns at (UTC)", say=lambda row: said_at(row["warns_at"])),
    Shown(head="Before the first failure", say=_lead, number=True),
    Shown(head="What it says", say=lambda row: str(row["says"])),
)
