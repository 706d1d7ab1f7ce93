"""A leak, third part: how long until the limit, when it began and what changed then, what remedies would do."""

import math
from typing import Any

import pandas as pd

from meshforensics.incidents.causes import changes, series
from meshforensics.report._blocks import Block, Content, Paragraph, Subheading
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case, asked
from meshforensics.report._shown import Shown, evidence, missing, table_of
from meshforensics.report._words import count, instant, span
from meshforensics.report.sections._leak import octets
from meshforensics.report.sections._section import section


@section
def memory_limit(case: Case) -> Content:
    """How long until each growing proxy reaches its container's limit, if the slope stays."""
    frame = series.time_to_limit(asked(case))
    if frame.empty:
        why = case.reason("memory", over_time=True) or "no proxy grows significantly"
        return Content(anchor="limit", title="Until the limit: no proxy grows towards it", blocks=(_not_told(why),))
    known = frame[frame["seconds"].map(math.isfinite)]
    title = "Until the limit: not known, no limit was captured"
    if len(known):
        first = known.sort_values("seconds").iloc[0]
        name = short_names(frame["proxy"])[first["proxy"]]
        title = f"Until the limit: {name} reaches it in {span(first['seconds'])} if the slope stays"
    how = "Limit less what the container holds, over the slope of live memory; soonest and latest by its interval."
    return Content(
        anchor="limit",
        title=title,
        blocks=(Paragraph(text=how), table_of(frame, _LIMIT), *evidence(case, frame), *missing(case, "containers")),
    )


def _not_told(why: str) -> Paragraph:
    return Paragraph(text=f"This is told of growing proxies only: {why}.")


def _span(value: Any) -> str:
    return span(float(value)) if not pd.isna(value) and math.isfinite(value) else "not known"


_LIMIT = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Holds", say=lambda row: f"{octets(row['holds'])} ({row['measure'].replace('_', ' ')})", number=True),
    Shown(head="Limit", say=lambda row: octets(row["limit"]), number=True),
    Shown(head="Until it", say=lambda row: _span(row["seconds"]), number=True),
    Shown(head="Soonest", say=lambda row: _span(row["soonest"]), number=True),
    Shown(head="Latest", say=lambda row: _span(row["latest"]), number=True),
)


@section
def memory_onset(case: Case) -> Content:
    """When growth began, and every dated change in the ten minutes before."""
    frame = changes.began(asked(case))
    if frame.empty:
        why = case.reason("memory", over_time=True) or "no proxy grows significantly"
        return Content(anchor="onset", title="Onset: nothing began to grow", blocks=(_not_told(why),))
    first = frame.sort_values("after").iloc[0]
    changed = changes.changes_before(asked(case), first["before"])
    blocks: list[Block] = [table_of(frame, _ONSET), *evidence(case, frame)]
    blocks.append(Subheading(text="What changed in the ten minutes before"))
    if changed.empty:
        blocks.append(Paragraph(text="No dated change was captured of that span; that is not the same as no change."))
    else:
        blocks += [table_of(changed, _CHANGES), *evidence(case, changed)]
    blocks += missing(case, "istiod_log", "config", "events")
    return Content(anchor="onset", title=_began(first, changed), blocks=tuple(blocks))


def _began(first: "pd.Series[Any]", changed: pd.DataFrame) -> str:
    if first["since_first"]:
        return "Onset: growth was there at the first sample, so it began earlier than the series"
    near = (
        f"{count(len(changed), 'dated change')} in the ten minutes before" if len(changed) else "no dated change before"
    )
    return f"Onset: growth began between {instant(first['after'])} and {instant(first['before'])}; {near}"


_ONSET = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Not grown yet (UTC)", say=lambda row: instant(row["after"]).removesuffix(" UTC")),
    Shown(head="Grown (UTC)", say=lambda row: instant(row["before"]).removesuffix(" UTC")),
)
_CHANGES = (
    Shown(head="UTC", say=lambda row: instant(row["at"]).removesuffix(" UTC")),
    Shown(head="Plane", say=lambda row: str(row["plane"])),
    Shown(head="Event", say=lambda row: str(row["text"])),
)


@section
def memory_remedies(case: Case) -> Content:
    """What a rollback, a pool's limits and a restart would do, as far as the evidence tells."""
    frame = changes.remedies(asked(case))
    if frame.empty:
        return Content(
            anchor="remedies", title="Remedies: nothing grows that needs one", blocks=(_not_told("none grows"),)
        )
    limits = changes.pool_limits(asked(case))
    blocks: list[Block] = [table_of(frame, _REMEDIES), *evidence(case, frame)]
    if len(limits):
        blocks += [
            Subheading(text="Limits that these pools have now"),
            table_of(limits, _POOL_LIMITS),
            *evidence(case, limits),
        ]
    bound = f", a bound on {count(len(limits), 'pool')}" if len(limits) else ""
    return Content(
        anchor="remedies",
        title=f"Remedies: what a rollback{bound} and a restart would do",
        blocks=(*blocks, *missing(case, "clusters")),
    )


UNLIMITED = 2**32 - 1
"""Istio writes a limit that it does not set as the largest number that fits."""


def _limit(name: str) -> Shown:
    head = name.removeprefix("max_").replace("_", " ").capitalize()

    def say(row: "pd.Series[Any]") -> str:
        value = row[name]
        if pd.isna(value):
            return "not set"
        return "none (2^32-1)" if value >= UNLIMITED else f"{value:,.0f}"

    return Shown(head=head, say=say, number=True)


def _idle(seconds: "float | None") -> str:
    """A connection that holds a request is not idle: what piles up is not closed by it."""
    if seconds is None or pd.isna(seconds):
        return "not set: 3,600"
    return f"{seconds:,.0f}" if seconds else "never"


_REMEDIES = (
    Shown(head="Remedy", say=lambda row: str(row["remedy"])),
    Shown(head="What it would do", say=lambda row: str(row["effect"])),
)
_POOL_LIMITS = (
    Shown(head="Pool", say=lambda row: f"{row['cluster']} of {row['proxy']}"),
    Shown(head="Set by", say=lambda row: row["object"] if isinstance(row["object"], str) else "no object"),
    _limit("max_connections"),
    _limit("max_requests"),
    _limit("max_requests_per_connection"),
    Shown(head="Idle timeout (s)", say=lambda row: _idle(row["idle_timeout_s"]), number=True),
    Shown(head="Open at last", say=lambda row: f"{row['last']:,.0f}", number=True),
)
