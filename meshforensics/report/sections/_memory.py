"""Memory: what each proxy held over the series, and which of them grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meshforensics.model import Hypothesis
from meshforensics.report._blocks import Beside, Block, Content, Figure, Head, Paragraph, Row, Table
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._words import count, instant, listed, size, span
from meshforensics.report.figures import NARROW, WIDE, Line, draw_lines
from meshforensics.report.sections._section import section
from meshforensics.tables import text

DRAWN = 8
"""Proxies that are drawn: those that grow, then the largest; the table has all."""

FEWEST = 3
"""Samples below which no line is drawn."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """One proxy: its live bytes by capture, in order."""

    proxy: str
    points: tuple[tuple[datetime, float], ...]
    grows: bool

    @property
    def rank(self) -> tuple[bool, float, str]:
        """Those that grow first, then the largest."""
        return (not self.grows, -self.points[-1][1], self.proxy)


@section
def memory(case: Case, incident: str = "") -> Content:
    """Live memory of each proxy; a series is drawn, one sample is only told."""
    held = _held(case)
    if not held:
        why = case.reason("memory", over_time=True) or "no proxy told what it holds"
        said = f"What proxies hold cannot be told: {why}."
        return Content(anchor="memory", title="Memory: not captured", blocks=(Paragraph(text=said),))
    drawn = sorted((each for each in held if len(each.points) >= FEWEST), key=lambda each: each.rank)[:DRAWN]
    if not drawn:
        low, high = min(each.points[-1][1] for each in held), max(each.points[-1][1] for each in held)
        said = f"{count(len(held), 'proxy')} hold {_said(low)} to {_said(high)} live. "
        more = "Growth is not judged: that takes a series of captures."
        return Content(anchor="memory", title="Memory: no series was captured", blocks=(Paragraph(text=said + more),))
    figure = _figure(drawn, len(held), focus(case, incident))
    return Content(anchor="memory", title=_title(held), blocks=(Beside(blocks=(figure,), notes=_NOTES), _table(held)))


_NOTES = (
    "Live memory is what the allocator has handed out and not got back; heap that is free is not in it.",
    "Who grows has a significant trend above the profile's least growth; the hypotheses say what explains it.",
)


def _held(case: Case) -> list[Held]:
    samples = case.over_time("memory")
    known = samples[samples["captured_at"].notna() & samples["allocated"].notna()]
    growing = {subject for each in case.findings if each.check == "proxies.memory-grows" for subject in each.subjects}
    return [
        Held(
            proxy=str(proxy),
            points=tuple(
                (at.to_pydatetime(), float(value))
                for at, value in zip(rows["captured_at"], rows["allocated"], strict=True)
            ),
            grows=str(proxy) in growing,
        )
        for proxy, rows in known.sort_values("captured_at", kind="stable").groupby(
            text(known["namespace"]) + "/" + text(known["pod"])
        )
    ]


def _title(held: Sequence[Held]) -> str:
    growing = [each for each in held if each.grows]
    names = short_names(each.proxy for each in held)
    if not growing:
        return f"Memory: none of {count(len(held), 'proxy')} grows"
    who = listed((names[each.proxy] for each in sorted(growing, key=lambda each: each.rank)), 3)
    return f"Memory: {who} {'grow' if len(growing) > 1 else 'grows'}, {len(held) - len(growing)} of {len(held)} do not"


def _figure(drawn: Sequence[Held], known: int, best: Hypothesis) -> Figure:
    names = short_names(each.proxy for each in drawn)
    lines = [Line(label=names[each.proxy], points=each.points, hurt=each.grows) for each in drawn]
    onset = best.onset if decided(best) and best.incident.startswith("memory-") else None
    left_out = f" {known - len(drawn)} more in the table." if known > len(drawn) else ""
    said = [f"{names[each.proxy]} {_said(each.points[0][1])} to {_said(each.points[-1][1])}" for each in drawn]
    return Figure(
        name="memory",
        title="Live memory by capture",
        alt=f"Live memory over time. {'; '.join(said)}.",
        caption=f"Bytes that Envoy's allocator has handed out, on one scale from zero. In ink: grows.{left_out}",
        wide=draw_lines(lines, onset, _said, WIDE),
        narrow=draw_lines(lines, onset, _said, NARROW),
    )


def _table(held: Sequence[Held]) -> Block:
    names = ("Proxy", "Samples", "Over", "First", "Last", "Last sample (UTC)")
    heads = tuple(Head(text=name, number=0 < place < 5) for place, name in enumerate(names))
    rows = tuple(
        Row(
            cells=(
                each.proxy,
                f"{len(each.points):,}",
                span((each.points[-1][0] - each.points[0][0]).total_seconds()),
                _said(each.points[0][1]),
                _said(each.points[-1][1]),
                instant(each.points[-1][0]).removesuffix(" UTC"),
            )
        )
        for each in sorted(held, key=lambda each: each.rank)
    )
    return Table(heads=heads, rows=rows)


def _said(octets: float) -> str:
    return size(round(octets))
