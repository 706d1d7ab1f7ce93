"""A leak, first part: what proxies held by every measure, and what two rules of growth say of it."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import series
from meshforensics.report._blocks import Block, Content, Dim, Figure, Paragraph, Phrase
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case, asked, decided, focus
from meshforensics.report._shown import Shown, evidence, evidence_at, missing, table_of
from meshforensics.report._words import clock, count, listed, size, span
from meshforensics.report.figures import NARROW, WIDE, Line, draw_lines
from meshforensics.report.sections._section import section

DRAWN = 3
"""Growing proxies that are drawn one by one; the table has all."""

_SAID = {
    "allocated": "live (allocated)",
    "heap": "heap",
    "free": "free pages",
    "physical": "resident (physical)",
    "working_set": "container's working set",
}
_STROKES = {"heap": 1, "free": 2, "physical": 3, "working_set": 4}
_LEAST_SHARE = 0.25
_LEAST_P = 0.0001
_CHANCE = 0.05
"""A change point that chance makes as often as this is none."""


@section
def memory_measures(case: Case) -> Content:
    """Live bytes, heap, free pages, resident memory and working set of each proxy, beside its limit."""
    samples = series.held(asked(case))
    if samples.empty:
        return _nothing("measures", "Measures", case)
    kinds = series.kinds_of(asked(case))
    grown = [proxy for proxy, kind in sorted(kinds.items()) if kind["kind"] not in {"flat", "not judged"}]
    figures = tuple(
        _figure(number, proxy, samples[samples["proxy"] == proxy])
        for number, proxy in enumerate(grown[:DRAWN], start=1)
        if int((samples["proxy"] == proxy).sum()) > 1
    )
    last = samples.drop_duplicates("proxy", keep="last")
    table = table_of(last, _MEASURES, caption="At each proxy's last sample.")
    blocks = (*figures, table, *evidence_at(case, _places(last)))
    return Content(
        anchor="measures",
        title=_measured(last, grown),
        blocks=(*blocks, *missing(case, "usage", "containers", over_time=True)),
    )


def _places(last: pd.DataFrame) -> list[tuple[str, str]]:
    """The places of a sample: of its memory, its working set and its limit."""
    pairs = (("item", "pointer"), ("usage_item", "usage_pointer"), ("limit_item", "limit_pointer"))
    return [
        (str(row[item]), str(row[pointer]))
        for item, pointer in pairs
        for _, row in last.iterrows()
        if pd.notna(row[item])
    ]


def _nothing(anchor: str, title: str, case: Case) -> Content:
    why = case.reason("memory", over_time=True) or "no proxy told what it holds"
    said = f"This cannot be told: {why}."
    return Content(anchor=anchor, title=f"{title}: not captured", blocks=(Paragraph(text=said),))


def _measured(last: pd.DataFrame, grown: list[str]) -> str:
    names = short_names(last["proxy"])
    low, high = last["allocated"].min(), last["allocated"].max()
    who = f"; {listed((names[each] for each in grown), 3)} changed" if grown else ""
    held = f"{octets(low)} live" if low == high else f"{octets(low)} to {octets(high)} live"
    return f"Measures: {count(len(last), 'proxy')} hold {held} at last{who}"


def _figure(number: int, proxy: str, samples: pd.DataFrame) -> Figure:
    lines = tuple(_line(samples, name) for name in _SAID if samples[name].notna().sum() > 1)
    top = max(value for line in lines for _, value in line.points)
    limit = samples["limit"].iloc[-1]
    said = (
        f"The container's limit is {octets(limit)}" if not pd.isna(limit) else "The container's limit was not captured"
    )
    if not pd.isna(limit) and top > _LEAST_SHARE * float(limit):
        lines = (*lines, Line(label="limit", points=tuple((at, float(limit)) for at, _ in lines[0].points)))
    told = "; ".join(f"{line.label} {octets(line.points[0][1])} to {octets(line.points[-1][1])}" for line in lines)
    return Figure(
        name=f"measures-{number}",
        title=f"{short_names([proxy])[proxy]}: {told.split('; ')[0]}",
        alt=f"Memory of {proxy} over time, by measure. {told}. {said}.",
        caption=f"Bytes held by {proxy}, on one scale from zero, UTC; in ink what is live. {said}.",
        wide=draw_lines(lines, None, octets, WIDE),
        narrow=draw_lines(lines, None, octets, NARROW),
    )


def _line(samples: pd.DataFrame, name: str) -> Line:
    known = samples[samples[name].notna()]
    points = tuple((at.to_pydatetime(), float(value)) for at, value in zip(known["at"], known[name], strict=True))
    return Line(label=_SAID[name], points=points, hurt=name == "allocated", stroke=_STROKES.get(name, 0))


def octets(value: Any) -> str:
    """Bytes in binary units; an unknown number as a dash."""
    return "-" if pd.isna(value) else size(round(float(value)))


def _column(head: str, name: str) -> Shown:
    return Shown(head=head, say=lambda row: octets(row[name]), number=True)


_MEASURES = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    _column("Live", "allocated"),
    _column("Heap", "heap"),
    _column("Free pages", "free"),
    _column("Resident", "physical"),
    _column("Working set", "working_set"),
    _column("Limit", "limit"),
)


@section
def memory_rules(case: Case) -> Content:
    """The guide's rule beside a trend with its interval, change point and kind of growth, proxy by proxy."""
    guided, robust = series.guide_rule(asked(case)), series.robust_rule(asked(case))
    if guided.empty:
        return _nothing("rules", "Two rules", case)
    blocks: list[Block] = [
        Paragraph(text=_GUIDE),
        table_of(guided, _GUIDED, caption="The guide's rule."),
        *evidence(case, guided),
        Paragraph(text=_ROBUST),
    ]
    if robust.empty:
        blocks.append(Paragraph(text="No trend can be told: that takes at least three samples of one proxy."))
    else:
        blocks += [table_of(robust, _TRENDS, caption="The trend of live memory."), *evidence(case, robust)]
    return Content(anchor="rules", title=_ruled(guided, robust), blocks=(*blocks, *_span(case, robust)))


_GUIDE = (
    "The guide's script warns of a leak when at least 5 samples of an hour never fall and rise by more than 10 MiB a "
    "sample ((last - first) / samples), and takes a dump over 400 MiB. It depends on how often one looks, and a "
    "single fall hides a leak."
)
_ROBUST = (
    "The trend is Theil-Sen's slope with its 95 % interval and Mann-Kendall's p; the change point is where the rate "
    "changed most, with the probability that a shuffled series shows as much."
)


def _ruled(guided: pd.DataFrame, robust: pd.DataFrame) -> str:
    judged = guided["leaks"].notna()
    fires = int(guided[judged]["leaks"].astype(bool).sum())
    guide = f"the guide's warns of {count(fires, 'proxy')}"
    guide = guide if judged.any() else "the guide's cannot judge, with too few samples in the hour"
    grows = 0 if robust.empty else int((~robust["kind"].isin(["flat", "not judged", "fragmentation"])).sum())
    leaks = 0 if robust.empty else int((robust["kind"] == "leak").sum())
    told = f"the trend tells of {grows}, {leaks} of them by no known driver" if len(robust) else "no trend can be told"
    return f"Two rules: {guide}; {told}"


def _yes(value: Any) -> str:
    return "too few samples" if value is None or pd.isna(value) else ("yes" if value else "no")


_GUIDED = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Measured by", say=lambda row: _SAID.get(row["measure"], str(row["measure"]))),
    Shown(head="Samples in the hour", say=lambda row: f"{row['samples']:,}", number=True),
    Shown(head="Never falls", say=lambda row: _yes(row["monotone"])),
    Shown(head="MiB a sample", say=lambda row: tenth(row["growth"] / 2**20), number=True),
    Shown(head="Leak", say=lambda row: _yes(row["leaks"])),
    Shown(head="Over 400 MiB", say=lambda row: _yes(row["dumps"])),
)


def _slope(row: "pd.Series[Any]") -> Phrase:
    slope, low, high = (tenth(row[name] / 2**20) for name in ("slope", "slope_low", "slope_high"))
    return f"{slope} ({low} to {high})"


def tenth(value: float) -> str:
    """A number with one digit after the point, and no sign where that is none."""
    said = f"{value:,.1f}"
    return "0.0" if said == "-0.0" else said


def _changed(row: "pd.Series[Any]") -> Phrase:
    if pd.isna(row["changed_at"]):
        return "-"
    if row["change_p"] >= _CHANCE:
        return (Dim(f"none (p {row['change_p']:.2f})"),)
    rates = f"{tenth(row['rate_before'] / 2**20)} to {tenth(row['rate_after'] / 2**20)} MiB/h"
    return (clock(row["changed_at"]), Dim(f" {rates}, p {row['change_p']:.3f}"))


_TRENDS = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Samples", say=lambda row: f"{row['samples']:,} in {span(row['span_s'])}", number=True),
    Shown(head="MiB/h (95 % interval)", say=_slope, number=True),
    Shown(head="p", say=lambda row: f"{row['p']:.4f}" if row["p"] >= _LEAST_P else f"< {_LEAST_P}", number=True),
    Shown(head="Change point (UTC)", say=_changed),
    Shown(head="Kind", say=lambda row: (str(row["kind"]), Dim(f": {row['why']}"))),
)


def _span(case: Case, robust: pd.DataFrame) -> tuple[Block, ...]:
    """Whether the series is long enough, by the profile: a shorter one supports nothing."""
    need = case.profile.number("memory.span")
    fewest = case.profile.number("memory.samples")
    have = 0.0 if robust.empty else float(robust["span_s"].max())
    judged = focus(case, "memory-leak")
    more = f" memory-leak is {judged.status}." if decided(judged) else ""
    said = (
        f"The profile wants a series of {span(need)} and {fewest:.0f} samples before it supports a leak; the longest "
        f"here is {span(have)}"
    )
    verdict = ": long enough." if have >= need else ": too short, so that growth can at most be possible."
    return (Paragraph(text=f"{said}{verdict}{more}"),)
