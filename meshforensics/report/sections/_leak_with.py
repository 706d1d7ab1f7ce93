"""A leak, second part: what grows with memory, in which proxies, through which pool, opened by whom."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import drivers, groups, series
from meshforensics.report._blocks import Block, Content, Dim, Figure, Paragraph, Phrase, Subheading
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case, asked
from meshforensics.report._shown import Shown, evidence, missing, table_of
from meshforensics.report._words import count, listed
from meshforensics.report.figures import NARROW, WIDE, Line, draw_lines
from meshforensics.report.sections._leak import octets, tenth
from meshforensics.report.sections._section import section

DRAWN = 3
"""Growing proxies that are drawn one by one."""

FLAT = 0.1
"""A driver that varies by no more of its most is not drawn."""

_FLAT = ("flat", "not judged", "fragmentation")


@section
def memory_drivers(case: Case) -> Content:
    """Live memory beside connections, streams, requests, clusters, listeners, stats and pushes, and for one of each."""
    frame = drivers.with_drivers(asked(case))
    if frame.empty:
        why = case.reason("stats", over_time=True) or "no proxy has a series of memory with stats beside it"
        said = f"What memory grows with cannot be told: {why}."
        return Content(anchor="drivers", title="Drivers: not captured", blocks=(Paragraph(text=said),))
    grown = _growing(case)
    shown = frame[frame["proxy"].isin(grown)] if grown else frame
    figures = tuple(_figure(case, number, proxy) for number, proxy in enumerate(grown[:DRAWN], start=1))
    rest = len(set(frame["proxy"])) - len(set(shown["proxy"]))
    left_out = f" Left out, for want of change: {count(rest, 'proxy')}." if rest else ""
    blocks: tuple[Block, ...] = (
        Paragraph(text=_HOW),
        *figures,
        table_of(shown, _DRIVERS, caption=f"Driver by driver, from the first sample to the last.{left_out}"),
        *evidence(case, shown),
    )
    return Content(anchor="drivers", title=_title(shown, grown), blocks=blocks)


_HOW = (
    "Normalised: live bytes for one connection, stream, request a second, cluster, listener, stat, push. What is left "
    "is the slope of live memory after the straight line on that driver is taken away: around zero, the driver "
    "accounts for the growth; as large as before, it does not. A driver that hardly varies accounts for nothing."
)


def _growing(case: Case) -> list[str]:
    return [proxy for proxy, kind in sorted(series.kinds_of(asked(case)).items()) if kind["kind"] not in _FLAT]


def _title(shown: pd.DataFrame, grown: list[str]) -> str:
    if not grown:
        return "Drivers: no proxy's live memory changes, so nothing has to account for it"
    close = shown[shown["r"].fillna(0).astype(float) >= 0.9]
    names = short_names(grown)
    told = [f"{names[str(proxy)]} with {listed(rows['driver'], 3)}" for proxy, rows in close.groupby("proxy")]
    lone = [names[proxy] for proxy in grown if proxy not in set(close["proxy"])]
    said = [f"memory goes with drivers: {'; '.join(told)}"] if told else []
    return "Drivers: " + "; ".join([*said, *([f"{listed(lone, 3)} with none of them"] if lone else [])])


def _figure(case: Case, number: int, proxy: str) -> Figure:
    """Live memory and its drivers, each as a share of its own most: what has the same shape goes together."""
    samples = series.held(asked(case))
    live = samples[samples["proxy"] == proxy].set_index("at")["allocated"].astype(float)
    stats = case.over_time("stats")
    own = stats[(stats["namespace"].astype(str) + "/" + stats["pod"].astype(str)) == proxy]
    lines, flat = [_share("live memory", live, hurt=True)], []
    for name, driver in drivers.all_drivers(own).items():
        near = drivers.aligned(live, driver).set_index("at")["driver"]
        if len(near) < 2 or name not in _DRAWN:
            continue
        if float(near.max() - near.min()) <= FLAT * float(near.max()):
            flat.append(_DRAWN[name])
        else:
            lines.append(_share(_DRAWN[name], near, stroke=len(lines)))
    told = "; ".join(f"{line.label} {line.points[0][1]:.0%} to {line.points[-1][1]:.0%}" for line in lines)
    return Figure(
        name=f"drivers-{number}",
        title=f"{short_names([proxy])[proxy]}: live memory and its drivers, by capture",
        alt=f"Live memory of {proxy} and its drivers over time, each as a share of its own most. {told}.",
        caption="Each as a share of its own most, UTC; in ink the live memory. Lines of one shape go together."
        + (f" Not drawn, for they hardly vary: {listed(flat)}." if flat else ""),
        wide=draw_lines(lines, None, _percent, WIDE),
        narrow=draw_lines(lines, None, _percent, NARROW),
    )


_DRAWN = {
    "connections": "connections",
    "requests": "requests a second",
    "series": "stats",
    "clusters": "clusters",
    "pushes": "pushes",
}


def _share(label: str, values: "pd.Series[float]", *, hurt: bool = False, stroke: int = 0) -> Line:
    most = float(values.max()) or 1.0
    points = tuple(
        (at, float(value) / most)
        for at, value in zip(pd.DatetimeIndex(values.index).to_pydatetime(), values, strict=True)
    )
    return Line(label=label, points=points, hurt=hurt, stroke=stroke)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _correlation(row: "pd.Series[Any]") -> Phrase:
    return (Dim("hardly varies"),) if pd.isna(row["r"]) else f"{row['r'] + 0.0:.2f}".replace("-0.00", "0.00")


def _left(row: "pd.Series[Any]") -> str:
    return f"{tenth(row['left_low'] / 2**20)} to {tenth(row['left_high'] / 2**20)}"


def number(value: Any) -> str:
    """A count with at most one digit after the point."""
    return "-" if pd.isna(value) else f"{value:,.1f}".removesuffix(".0")


_DRIVERS = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Driver", say=lambda row: (str(row["driver"]), Dim(f": {row['about']}"))),
    Shown(head="First", say=lambda row: number(row["first"]), number=True),
    Shown(head="Last", say=lambda row: number(row["last"]), number=True),
    Shown(head="Live for one, first", say=lambda row: octets(row["each_first"]), number=True),
    Shown(head="Live for one, last", say=lambda row: octets(row["each_last"]), number=True),
    Shown(head="Correlation", say=_correlation, number=True),
    Shown(head="MiB/h left (95 %)", say=_left, number=True),
)


@section
def memory_groups(case: Case) -> Content:
    """Which versions, builds, workloads and nodes grow, and whether that is more than chance."""
    frame = groups.grown_by_group(asked(case))
    if frame.empty:
        why = case.reason("proxies") or "no proxy has a series of memory"
        said = f"Which versions and nodes grow cannot be told: {why}."
        return Content(anchor="groups", title="Groups: not captured", blocks=(Paragraph(text=said),))
    suspects = frame[frame["suspect"].astype(bool)]
    named = [f"{row['by']} {row['group']}" for _, row in suspects.iterrows()]
    grown = _growers(case)
    title = (
        f"Groups: {listed(named, 3)} grows more than chance explains"
        if named
        else "Groups: no version or node stands out"
    )
    who = f"{listed(grown, 6)} of {count(_followed(case), 'proxy')} followed." if grown else "No proxy grows."
    how = (
        f"Growing: {who} p is Fisher's exact probability that a group has so many by chance; below {groups.SUSPECT} it "
        "is named. A group without others beside it cannot be compared."
    )
    return Content(
        anchor="groups",
        title=title,
        blocks=(
            Paragraph(text=how),
            table_of(frame, _GROUPS),
            *evidence(case, frame),
            *missing(case, "pods", "versions"),
        ),
    )


def _growers(case: Case) -> list[str]:
    kinds = series.kinds_of(asked(case))
    return [proxy for proxy, kind in sorted(kinds.items()) if kind["kind"] not in {*_FLAT, "traffic"}]


def _followed(case: Case) -> int:
    return len(case.over_time("growth"))


_GROUPS = (
    Shown(head="By", say=lambda row: str(row["by"])),
    Shown(head="Group", say=lambda row: str(row["group"])),
    Shown(head="Growing", say=lambda row: f"{row['growing']} of {row['followed']}", number=True),
    Shown(head="p", say=lambda row: "no others" if pd.isna(row["p"]) else f"{row['p']:.3f}", number=True),
)


@section
def memory_pools(case: Case) -> Content:
    """The upstream or listener that memory grows with, the pool's own stats, and who opens what piles up."""
    frame = drivers.pools(asked(case))
    if frame.empty:
        why = (
            case.reason("stats", over_time=True)
            or "no gauge of a pool or listener rises with the live memory of a grower"
        )
        said = f"No pool is to blame that was captured: {why}."
        return Content(anchor="pools", title="Pools: none goes with the growth", blocks=(Paragraph(text=said),))
    opened = drivers.openers(asked(case))
    blocks: list[Block] = [
        table_of(frame, _POOLS, caption="Gauges that rise with live memory."),
        *evidence(case, frame),
    ]
    for _, pool in frame[frame["what"] == "upstream"].drop_duplicates("proxy").iterrows():
        told = drivers.pool_stats(asked(case), pool["proxy"], pool["name"])
        blocks += [Subheading(text=f"{pool['name']} of {pool['proxy']}"), table_of(told, _STATS), *evidence(case, told)]
    blocks += [Subheading(text="Who opens them")]
    if opened.empty:
        blocks.append(Paragraph(text="Not known: no caller's own pools were captured."))
    else:
        blocks += [table_of(opened, _OPENERS), *evidence(case, opened)]
    return Content(anchor="pools", title=_pooled(frame), blocks=tuple(blocks))


def _pooled(frame: pd.DataFrame) -> str:
    first = frame.sort_values(["what", "proxy"], ascending=[False, True], kind="stable").drop_duplicates("proxy")
    names = short_names(first["proxy"])
    told = [f"{names[row['proxy']]} with {row['name']} ({number(row['last'])} open)" for _, row in first.iterrows()]
    return f"Pools: memory grows in {listed(told, 3)}"


_POOLS = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Where", say=lambda row: f"{row['what']} {row['name']}"),
    Shown(head="Gauge", say=lambda row: str(row["gauge"])),
    Shown(head="First", say=lambda row: number(row["first"]), number=True),
    Shown(head="Last", say=lambda row: number(row["last"]), number=True),
    Shown(head="Correlation", say=lambda row: f"{row['r']:.3f}", number=True),
    Shown(head="Live for one more", say=lambda row: octets(row["each"]), number=True),
)
_STATS = (
    Shown(head="Stat", say=lambda row: str(row["stat"])),
    Shown(head="First", say=lambda row: number(row["first"]), number=True),
    Shown(head="Last", say=lambda row: number(row["last"]), number=True),
)
_OPENERS = (
    Shown(head="Proxy", say=lambda row: str(row["proxy"])),
    Shown(head="Opened by", say=lambda row: str(row["opener"])),
    Shown(head="Known by", say=lambda row: str(row["known_by"])),
    Shown(head="Open", say=lambda row: number(row["cx_active"]), number=True),
)
