"""A rotation, first part: who held which root when, who is signed by it, which pairs that lets verify."""

from typing import Any

import pandas as pd

from meshforensics.incidents.causes import rotation, rotation_effects
from meshforensics.model.words import noun
from meshforensics.report._blocks import Block, Cell, Content, Details, Dim, Figure, Matrix, Paragraph, Phrase
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case, asked
from meshforensics.report._shown import Shown, evidence, missing, table_of
from meshforensics.report._trust import SIGNS
from meshforensics.report._words import clock, count, listed, share, span
from meshforensics.report.figures import NARROW, WIDE, Bar, Scale, draw_bars
from meshforensics.report.sections._section import section
from meshforensics.report.sections._upgrade import said_at, told

DRAWN = 16
"""Proxies that are drawn, and whose pairs make a matrix; a larger mesh is told by groups."""


def _nothing(case: Case, anchor: str, title: str) -> Content:
    why = case.reason("trust", over_time=True) or "no dump holds a trust set with its certificates"
    said = f"Which roots proxies trust is not known: {why}."
    return Content(anchor=anchor, title=f"{title}: not captured", blocks=(Paragraph(text=said),))


def _signs(case: Case) -> dict[str, str]:
    """A shape for each root, by serial: the oldest first."""
    known = rotation.roots(asked(case))
    return {str(serial): SIGNS[min(number, len(SIGNS) - 1)] for number, serial in enumerate(known["serial"])}


def _marked(serials: tuple[str, ...], signs: dict[str, str]) -> str:
    return ", ".join(f"{signs.get(serial, '')} {serial[:10]}…" for serial in serials) if serials else "not known yet"


@section
def trust_over_time(case: Case) -> Content:
    """Which proxies trusted which roots at each moment, and how many pairs could verify."""
    frame = rotation.trust_over_time(asked(case))
    if frame.empty:
        return _nothing(case, "trust-time", "Trust over time")
    signs = _signs(case)
    columns = (
        Shown(head="UTC", say=lambda row: said_at(row["at"])),
        Shown(head="Roots trusted", say=lambda row: _marked(row["serials"], signs)),
        Shown(head="Proxies", say=lambda row: f"{len(row['proxies'])}: {listed(row['proxies'], 4)}"),
        Shown(head="Pairs that fail", say=_pairs, number=True),
    )
    blocks: list[Block] = [*_figure(case, signs), table_of(frame, columns), *evidence(case, frame)]
    blocks += _matrices(case, frame, signs)
    return Content(anchor="trust-time", title=_title(frame), blocks=(*blocks, *missing(case, "secret_instances")))


def _pairs(row: "pd.Series[Any]") -> Phrase:
    known = row["fails"] + row["works"]
    more = f", {row['unknown']} not known" if row["unknown"] else ""
    return f"{share(row['fails'], known)}{more}"


def _title(frame: pd.DataFrame) -> str:
    moments = frame.drop_duplicates("at")
    first, last = moments.iloc[0], moments.iloc[-1]
    bad = moments[moments["fails"] > 0]
    if bad.empty:
        return f"Trust over time: no pair that calls fails at any of {count(len(moments), 'moment')}"
    since = bad.iloc[0]
    return (
        f"Trust over time: {count(first['fails'], 'pair fails', 'pairs fail')} at {clock(first['at'])}, "
        f"{since['fails']} from "
        f"{clock(since['at'])} on, {last['fails']} at last"
    )


def _figure(case: Case, signs: dict[str, str]) -> tuple[Figure, ...]:
    known = rotation.holdings(asked(case))
    proxies = sorted({each.proxy for each in known})
    if not known:
        return ()
    names = short_names(proxies)
    newest = {str(key) for key in rotation.roots(asked(case)).query("newest")["key"]}
    several = len({each.keys for each in known}) > 1
    spans: dict[tuple[str, tuple[str, ...]], list[rotation.Holding]] = {}
    for each in known:
        if each.proxy in set(proxies[:DRAWN]):
            spans.setdefault((each.proxy, each.keys), []).append(each)
    bars = tuple(
        Bar(
            label=f"{names[proxy]} {''.join(signs.get(serial, '') for serial in own[0].serials)}",
            start=min(each.since for each in own).to_pydatetime(),
            end=max(each.until for each in own).to_pydatetime(),
            said=" ".join(f"{serial[:8]}…" for serial in own[0].serials[:2]),
            ended=several and set(held) == newest,
        )
        for (proxy, held), own in spans.items()
    )
    left_out = (
        f" {count(len(proxies) - DRAWN, 'more proxy is', 'more proxies are')} in the table."
        if len(proxies) > DRAWN
        else ""
    )
    said = "; ".join(f"{bar.label} from {clock(bar.start)} to {clock(bar.end)}" for bar in bars)
    scale = (Scale(heading="Each proxy by its roots", bars=bars),)
    return (
        Figure(
            name="trust-time",
            title="From when to when each proxy is known to hold which roots",
            alt=f"Spans for which trust sets are known. {said}.",
            caption="A bar begins when the proxy took its secrets and ends when that was captured; one scale, UTC. "
            f"Solid: the newest root alone.{left_out}",
            wide=draw_bars(scale, case.at, WIDE),
            narrow=draw_bars(scale, case.at, NARROW),
        ),
    )


def _matrices(case: Case, frame: pd.DataFrame, signs: dict[str, str]) -> tuple[Block, ...]:
    """Who can verify whom, at the first moment and at the last."""
    instants = list(dict.fromkeys([frame["at"].iloc[0], frame["at"].iloc[-1]]))
    proxies = sorted({each.proxy for each in rotation.holdings(asked(case))})
    if len(proxies) > DRAWN:
        return (Paragraph(text=f"{len(proxies)} proxies are too many for a matrix of pairs; the table groups them."),)
    return tuple(
        Details(summary=f"Matrix of pairs at {said_at(at)} UTC", blocks=(_matrix(case, at, proxies, signs),))
        for at in instants
    )


def _matrix(case: Case, at: pd.Timestamp, proxies: list[str], signs: dict[str, str]) -> Matrix:
    state, names = rotation.at_instant(asked(case), at), short_names(proxies)
    calls = set(rotation.calling_pairs(asked(case)))
    cells = tuple(
        tuple(
            _cell(
                rotation.pair_works(state.get(caller), state.get(server), at),
                (caller, server) in calls,
                caller == server,
            )
            for server in proxies
        )
        for caller in proxies
    )
    marks = {
        proxy: "".join(signs.get(serial, "") for serial in state[proxy].serials) if proxy in state else "?"
        for proxy in proxies
    }
    fails = sum("fails" in cell.look for row in cells for cell in row)
    pairs = len(proxies) * (len(proxies) - 1)
    caption = (
        f"Row: caller. Column: server. {fails} of {count(pairs, 'pair')} {noun(fails, 'fails', 'fail')}; "
        "framed or black: they call"
    )
    return Matrix(caption=caption, names=tuple(f"{names[proxy]} {marks[proxy]}" for proxy in proxies), cells=cells)


def _cell(works: bool | None, calls: bool, same: bool) -> Cell:
    if same:
        return Cell(text="", means="the same proxy", look="self")
    if works is None:
        return Cell(text="?", means="not known", look="unknown")
    if works:
        return Cell(
            text="✓" if calls else "·",
            means="both verify" + ("; they call" if calls else ""),
            look="called" if calls else "",
        )
    return Cell(text="✕", means="cannot verify", look="fails called" if calls else "fails")


@section
def root_holders(case: Case) -> Content:
    """For each root, who holds it and whose leaf is signed under it."""
    frame = rotation.roots(asked(case))
    if frame.empty:
        return _nothing(case, "roots", "Roots")
    signs = _signs(case)
    total = len(rotation.at_last(asked(case)))
    columns = (
        Shown(head="Root", say=lambda row: f"{signs.get(str(row['serial']), '')} {row['serial']}"),
        Shown(head="Valid (UTC)", say=lambda row: f"{row['not_before']:%Y-%m-%d} to {row['not_after']:%Y-%m-%d}"),
        Shown(
            head="Trusted by",
            say=lambda row: (share(len(row["holders"]), total), Dim(f": {listed(row['holders'], 4)}")),
        ),
        Shown(
            head="Signs the leaf of",
            say=lambda row: (share(len(row["signed"]), total), Dim(f": {listed(row['signed'], 4)}")),
        ),
    )
    title = f"Roots: {count(len(frame), 'root')} by key"
    if len(frame) > 1:
        newest = frame[frame["newest"]].iloc[-1]
        title = (
            f"{title}; the newest is trusted by {len(newest['holders'])} and signs {len(newest['signed'])} of {total}"
        )
    return Content(anchor="roots", title=title, blocks=(table_of(frame, columns), *evidence(case, frame)))


@section
def failing_pairs(case: Case) -> Content:
    """The pairs that cannot verify by key, against the TLS failures of logs and counters."""
    frame = rotation_effects.pairs_against_seen(asked(case))
    if frame.empty:
        why = case.reason("tls_pairs") or "no pair of caller and server is known"
        said = f"Which pairs fail is not known: {why}."
        return Content(anchor="pairs", title="Pairs: not captured", blocks=(Paragraph(text=said),))
    judged, fails = frame[frame["works"].notna()], frame[frame["works"].eq(False)]
    checked = frame[frame["agrees"].notna()]
    agree = int(checked["agrees"].astype(bool).sum())
    bad = share(len(fails), len(judged))
    title = (
        f"Pairs: {bad} {noun(len(judged), 'pair')} cannot verify; logs and counters agree on {agree} of {len(checked)}"
    )
    note = (
        "Predicted by key and time, both ways; seen is what callers logged to the server's address and what their TLS "
        "counters say since start (several servers of one cluster share a counter). Connections that were there before "
        "live on, so that a pair that fails need not be seen failing."
    )
    told_of = frame[~(frame["works"].eq(True) & frame["agrees"].ne(False))]
    table = (table_of(told_of, _SEEN), *evidence(case, told_of)) if len(told_of) else ()
    rest = f"{count(len(frame) - len(told_of), 'other pair')}: by key both can verify, and no failure of TLS was seen."
    blocks = (Paragraph(text=note), *table, Paragraph(text=rest), *missing(case, "calls", "stats"))
    return Content(anchor="pairs", title=title, blocks=blocks)


def _predicted(row: "pd.Series[Any]") -> Phrase:
    if pd.isna(row["works"]):
        return "not known"
    return "verifies" if row["works"] else ("fails", Dim(f": {row['reason']}" if row["reason"] else ""))


def _agrees(row: "pd.Series[Any]") -> str:
    if pd.isna(row["agrees"]):
        return "not seen"
    if row["agrees"]:
        return "agree"
    return "fails by another cause" if row["works"] else "not seen failing"


_SEEN = (
    Shown(head="Caller", say=lambda row: str(row["caller"])),
    Shown(head="Server", say=lambda row: str(row["server"])),
    Shown(head="Predicted", say=_predicted),
    Shown(head="Logged TLS failures", say=lambda row: share(row["failed"], row["total"]), number=True),
    Shown(head="Counted", say=lambda row: told(row["counted"]).removesuffix(".0"), number=True),
    Shown(head="Together", say=_agrees),
)


@section
def missing_overlap(case: Case) -> Content:
    """What an overlap of two roots would have taken, and who lacked it when the first new leaf was there."""
    frame = rotation_effects.overlap(asked(case))
    if frame.empty:
        known = not case.reason("trust", over_time=True)
        said = "One root, or no leaf of a newer one: no overlap was called for." if known else "This is not known."
        title = "Overlap: none was called for" if known else "Overlap: not captured"
        return Content(anchor="overlap", title=title, blocks=(Paragraph(text=said),))
    first = frame.iloc[0]
    total = len(first["both"]) + len(first["only_older"]) + len(first["only_newer"])
    title = (
        f"Overlap: {len(first['both'])} of {count(total, 'proxy')} trusted both roots when the first new leaf was there"
    )
    how = (
        "A leaf of a new root may be given out only when every proxy trusts both roots. Told of the instant at which "
        "the first leaf of the newer root reached a proxy."
    )
    blocks = (Paragraph(text=how), table_of(frame, _OVERLAP), *evidence(case, frame))
    return Content(anchor="overlap", title=title, blocks=blocks)


def _who(name: str) -> Shown:
    heads = {"both": "Trust both", "only_older": "Lack the new", "only_newer": "Lack the old", "unknown": "Not known"}
    return Shown(
        head=heads[name], say=lambda row: f"{len(row[name])}" + (f": {listed(row[name], 3)}" if row[name] else "")
    )


_OVERLAP = (
    Shown(head="New root", say=lambda row: str(row["root"])),
    Shown(head="Beside", say=lambda row: str(row["older"])),
    Shown(head="First new leaf (UTC)", say=lambda row: said_at(row["first_leaf_at"])),
    *(_who(name) for name in ("both", "only_older", "only_newer", "unknown")),
)


def days(value: Any) -> str:
    """A lead in the unit that suits it."""
    return "-" if pd.isna(value) else span(abs(float(value)) * 86400)
