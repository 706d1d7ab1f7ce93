"""Validity: whether time is the cause."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from meshforensics.report._blocks import Content, Details, Figure, Head, Paragraph, Row, Table
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case
from meshforensics.report._words import count, instant, listed, span
from meshforensics.report.figures import NARROW, WIDE, Bar, Scale, draw_bars
from meshforensics.report.sections._section import section
from meshforensics.tables import text

DRAWN = 10
"""Certificates of a role that are drawn, those that end first."""

_ROLES = (("root", "Roots"), ("intermediate", "Intermediates"), ("leaf", "Leaves"))
_DISTANT = datetime(2200, 1, 1, tzinfo=UTC)


@section
def validity(case: Case) -> Content:
    """From when to when each distinct certificate is valid, with the capture between."""
    certificates = _distinct(case.frame("certificates"))
    if certificates.empty:
        why = case.reason("certificates") or "no certificate with dates was captured"
        said = f"Whether a certificate has ended is not known: {why}."
        return Content(anchor="validity", title="Validity: not captured", blocks=(Paragraph(text=said),))
    figure, table = _figure(case, certificates), _table(case, certificates)
    return Content(anchor="validity", title=_title(case, certificates), blocks=(figure, table))


def _distinct(certificates: pd.DataFrame) -> pd.DataFrame:
    """One row a certificate, with the pods that hold it; an object that holds it is no pod."""
    dated = certificates[certificates["not_before"].notna() & certificates["not_after"].notna()]
    if dated.empty:
        return dated.iloc[:0]
    holder = (text(dated["namespace"]) + "/" + text(dated["pod"])).where(text(dated["namespace"]) != "", "")
    keyed = dated.assign(key=_told_apart(dated), holder=holder, kind=text(dated["role"]))
    named = {key: tuple(sorted(set(pods) - {""})) for key, pods in keyed.groupby("key")["holder"]}
    ranked = keyed.sort_values(["not_after", "key"]).drop_duplicates("key")
    return ranked.assign(holders=ranked["key"].map(named)).reset_index(drop=True)


def _told_apart(certificates: pd.DataFrame) -> "pd.Series[str]":
    """The fingerprint; of a summary that of the one certificate with its serial, else the serial.

    Two authorities may give the same serial: Linkerd's roots all have the serial 1.
    """
    serial, fingerprint = text(certificates["serial"]).str.lower(), text(certificates["fingerprint"])
    known = pd.DataFrame({"serial": serial, "fingerprint": fingerprint})[fingerprint != ""].drop_duplicates()
    alone = known.drop_duplicates("serial", keep=False)
    of_serial = dict(zip(alone["serial"], alone["fingerprint"], strict=True))
    return fingerprint.where(fingerprint != "", serial.map(lambda one: of_serial.get(one, one)).astype("str"))


def _ended(case: Case, certificates: pd.DataFrame) -> "pd.Series[bool]":
    if case.at is None:
        return pd.Series([False] * len(certificates), index=certificates.index)
    at = pd.Timestamp(case.at)
    return (certificates["not_after"] < at) | (certificates["not_before"] > at)


def _title(case: Case, certificates: pd.DataFrame) -> str:
    if case.at is None:
        return f"Validity: {count(len(certificates), 'certificate')}; the capture time is unknown, give --at"
    bad = int(_ended(case, certificates).sum())
    if bad:
        return f"Validity: {bad} of {count(len(certificates), 'certificate')} are not valid at the capture"
    return f"Validity: {len(certificates)} of {count(len(certificates), 'certificate')} are valid at the capture"


def _figure(case: Case, certificates: pd.DataFrame) -> Figure:
    scales = tuple(
        _scale(case, heading, rows)
        for role, heading in _ROLES
        if len(rows := certificates[certificates["kind"] == role])
    )
    if not scales:
        scales = (_scale(case, "Certificates", certificates),)
    said = "; ".join(f"{bar.label} {bar.said}" for scale in scales for bar in scale.bars)
    bad = int(_ended(case, certificates).sum())
    title = f"{bad} of {len(certificates)} have ended or not begun" if bad else "None has ended, all have begun"
    if case.at is None:
        title = "From when to when each certificate is valid"
    return Figure(
        name="validity",
        title=title,
        alt=f"Spans of validity. {said}.",
        caption="Each group has a scale of its own, in UTC; the line is the capture. Solid: not valid at the capture. "
        "Each certificate once, named by its serial.",
        wide=draw_bars(scales, case.at, WIDE),
        narrow=draw_bars(scales, case.at, NARROW),
    )


def _scale(case: Case, heading: str, rows: pd.DataFrame) -> Scale:
    names = short_names(holder for holders in rows["holders"] for holder in holders)
    shown = rows.head(DRAWN)
    ended = _ended(case, shown)
    bars = tuple(
        Bar(
            label=_label(row, names),
            start=row["not_before"].to_pydatetime(),
            end=min(row["not_after"].to_pydatetime(), _DISTANT),
            said=_left(case, row["not_after"].to_pydatetime()),
            ended=bool(bad),
        )
        for (_, row), bad in zip(shown.iterrows(), ended, strict=True)
    )
    more = f", the {DRAWN} of {len(rows)} that end first" if len(rows) > DRAWN else ""
    return Scale(heading=f"{heading}{more}", bars=bars)


def _label(row: "pd.Series[Any]", names: dict[str, str]) -> str:
    holders: tuple[str, ...] = tuple(row["holders"])
    serial = f"{str(row['serial'])[:8]}…" if row["serial"] else f"{str(row['fingerprint'])[:8]}…"
    if len(holders) == 1:
        return f"{names[holders[0]]} {serial}"
    return f"{serial} in {count(len(holders), 'proxy')}" if holders else serial


def _left(case: Case, end: datetime) -> str:
    if case.at is None:
        return f"ends {end:%Y-%m-%d}"
    seconds = (end - case.at).total_seconds()
    return f"{span(seconds)} left" if seconds >= 0 else f"ended {span(-seconds)} ago"


def _table(case: Case, certificates: pd.DataFrame) -> Details:
    shown = certificates.head(100)
    rows = tuple(
        Row(
            cells=(
                str(row["serial"] or row["fingerprint"]),
                str(row["kind"]) or "-",
                instant(row["not_before"].to_pydatetime()).removesuffix(" UTC"),
                instant(row["not_after"].to_pydatetime()).removesuffix(" UTC"),
                _left(case, row["not_after"].to_pydatetime()),
                listed(row["holders"], 3) or "not held by a proxy",
            )
        )
        for _, row in shown.iterrows()
    )
    heads = tuple(Head(text=name) for name in ("Serial", "Role", "From (UTC)", "To (UTC)", "At the capture", "Held by"))
    left_out = f", the first 100 of {len(certificates):,}" if len(certificates) > 100 else ""
    return Details(
        summary=f"{count(len(shown), 'certificate')} as a table{left_out}", blocks=(Table(heads=heads, rows=rows),)
    )
