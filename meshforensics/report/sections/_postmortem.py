"""A postmortem: what the evidence fills in, and what only people know, marked as such."""

from datetime import datetime
from typing import Any

import pandas as pd

from meshforensics.incidents.causes import postmortem
from meshforensics.model import Standing
from meshforensics.report._blocks import (
    Block,
    Bullets,
    Content,
    Facts,
    Head,
    Paragraph,
    Phrase,
    Row,
    Subheading,
    Table,
    Tag,
)
from meshforensics.report._case import Case, asked, decided, focus
from meshforensics.report._order import ordered, rests_on
from meshforensics.report._shown import Shown, evidence, evidence_at, missing, place, table_of
from meshforensics.report._words import count, instant, listed, share, span
from meshforensics.report.sections._section import section
from meshforensics.report.sections._upgrade import said_at

FILL = "to fill in"
"""The mark of what no evidence tells."""

_NEAR = 0.5
"""Seconds within which a sign and the first failure are one."""

ACTIONS = 12
"""Actions that are proposed at most."""


def to_fill(*questions: str) -> tuple[Block, ...]:
    """The questions that people have to answer, each with its mark."""
    entries: tuple[Phrase, ...] = tuple((Tag(FILL, "warning"), f" {question}") for question in questions)
    return (Subheading(text="For people to fill in"), Bullets(entries=entries))


def _onset(case: Case, incident: str) -> datetime | None:
    best = focus(case, incident)
    failing = postmortem.span_of_failure(asked(case))
    if decided(best) and best.onset:
        return best.onset
    return failing["first"].to_pydatetime() if failing else None


@section
def postmortem_summary(case: Case, incident: str = "") -> Content:
    """The head of a postmortem: what, since when, how many, and who wrote it."""
    best, failing = focus(case, incident), postmortem.span_of_failure(asked(case))
    facts: tuple[tuple[str, Phrase], ...] = (
        ("Incident", f"{best.incident}, {best.status}"),
        ("First failure", said_at(failing.get("first"))),
        ("Last failure captured", said_at(failing.get("last"))),
        ("Failed calls", share(failing["failed"], failing["total"]) if failing else "none captured"),
    )
    note = "Everything here is computed from the bundle but for what is marked so: "
    questions = (
        "Title, authors, date, reviewers, ticket.",
        "Severity, and by which scale.",
        "In one sentence for those who were not there.",
    )
    blocks = (Facts(pairs=facts), Paragraph(text=(note, Tag(FILL, "warning"))), *to_fill(*questions))
    return Content(anchor="summary", title="Postmortem: draft from the evidence", blocks=blocks)


@section
def postmortem_impact(case: Case, incident: str = "") -> Content:
    """How long and how many, as captured; what it meant for customers is for people to say."""
    failing = postmortem.span_of_failure(asked(case))
    if not failing:
        why = case.reason("calls")
        said = f"Which calls failed is not known: {why}." if why else "No call of the window failed."
        return Content(
            anchor="pm-impact",
            title="Duration: no failed call was captured",
            blocks=(Paragraph(text=said), *_customers()),
        )
    seconds = (failing["last"] - failing["first"]).total_seconds()
    end = (
        "calls still fail when the capture ends, so the end is not in this bundle"
        if failing["goes_on"]
        else "it ends before the capture does"
    )
    best = focus(case, incident)
    who = f" Services: {listed(best.impact.services, 6)}." if best.impact else ""
    said = f"Calls fail from {said_at(failing['first'])} to {said_at(failing['last'])} UTC; {end}.{who}"
    return Content(
        anchor="pm-impact",
        title=f"Duration: calls fail for at least {span(seconds)}, {share(failing['failed'], failing['total'])}",
        blocks=(Paragraph(text=said), *evidence_at(case, failing["places"], quoted=2), *_customers()),
    )


def _customers() -> tuple[Block, ...]:
    return to_fill(
        "Which customers noticed what, and for how long.", "Cost: money, error budget, promises broken.",
        "When it was over, and how that was known.",
    )  # fmt: skip


@section
def postmortem_cause(case: Case, incident: str = "") -> Content:
    """The cause with its mechanism and evidence, and how its look-alikes were ruled out."""
    best = focus(case, incident)
    stands = decided(best)
    title = f"Cause: {best.mechanism or best.incident}" if stands else "Cause: not decided by what was captured"
    said = best.summary if stands else f"The nearest hypothesis, {best.incident}, is {best.status}."
    places = [(each.item, each.pointer) for ground in best.for_ for each in ground.evidence]
    blocks: list[Block] = [Paragraph(text=said or best.incident)]
    if best.for_:
        blocks.append(Bullets(entries=tuple(ground.text for ground in best.for_)))
    blocks += evidence_at(case, places, quoted=2)
    ruled = [each for each in case.hypotheses if each.status == Standing.REFUTED and each.against]
    if ruled:
        blocks += [
            Subheading(text="Ruled out, and by what"),
            Bullets(entries=tuple(f"{each.incident}: {each.against[0].text}" for each in ruled[:8])),
        ]
    questions = ("Why the change behind it was made.", "Why tests, reviews and the roll-out did not stop it.")
    return Content(anchor="pm-cause", title=title, blocks=(*blocks, *to_fill(*questions)))


@section
def contributing_factors(case: Case, incident: str = "") -> Content:
    """What contributed, as far as the evidence shows it, each with its place."""
    frame = postmortem.factors(asked(case), _onset(case, incident))
    lacking = missing(case, "config", "versions", "pods", "trust")
    blocks: tuple[Block, ...] = (Paragraph(text="No contributing factor that the evidence can show was found."),)
    if len(frame):
        blocks = (table_of(frame, _FACTORS), *evidence(case, frame))
    questions = ("Organisation: on call, hand-overs, knowledge, load.", "What went well, and where it was luck.")
    title = f"Contributing: {count(len(frame), 'factor')} that the evidence shows"
    return Content(anchor="factors", title=title, blocks=(*blocks, *lacking, *to_fill(*questions)))


_FACTORS = (
    Shown(head="Factor", say=lambda row: str(row["factor"])),
    Shown(head="What shows it", say=lambda row: str(row["says"])),
)


@section
def detection(case: Case, incident: str = "") -> Content:
    """What could have been noticed and when, against the first failure and the capture."""
    onset = _onset(case, incident)
    frame = postmortem.first_signs(asked(case), onset)
    blocks: list[Block] = []
    if onset is not None and case.bundle.at is not None:
        delay = (case.bundle.at - onset).total_seconds()
        blocks.append(
            Paragraph(
                text=f"It began at {instant(onset)}, captured {span(delay)} later: noticed by then at the latest."
            )
        )
    if len(frame):
        blocks += [table_of(frame, _SIGNS), *evidence(case, frame)]
    else:
        blocks.append(Paragraph(text="No finding has a time of its own."))
    unseen = postmortem.not_looked_at(asked(case))
    if unseen:
        blocks.append(
            Paragraph(text=f"Not captured, and it would tell when alerts could have fired: {listed(unseen)}.")
        )
    questions = (
        "Who or what noticed first, and when.",
        "Which alert fired, which should have.",
        "From noticing to knowing the cause: how long, and what took it.",
    )
    return Content(anchor="detection", title=_detected(frame, onset), blocks=(*blocks, *to_fill(*questions)))


def _detected(frame: pd.DataFrame, onset: datetime | None) -> str:
    early = frame[frame["seconds"] <= -_NEAR] if onset is not None else frame.iloc[:0]
    if len(early):
        first = early.iloc[0]
        return f"Detection: {first['check']} is dated {span(-first['seconds'])} before the first failure"
    return (
        "Detection: nothing that was captured is dated before the first failure"
        if onset
        else "Detection: no failure is dated"
    )


def _seconds(row: "pd.Series[Any]") -> str:
    return "-" if pd.isna(row["seconds"]) else f"{row['seconds']:+,.1f} s"


_SIGNS = (
    Shown(head="UTC", say=lambda row: said_at(row["at"])),
    Shown(head="From the first failure", say=_seconds, number=True),
    Shown(head="Sign", say=lambda row: str(row["sign"])),
    Shown(head="Check", say=lambda row: str(row["check"])),
)


@section
def actions(case: Case, incident: str = "") -> Content:
    """What to do: to mend by the verdict, to prevent by the factors, to detect by the findings; owners are people."""
    best = focus(case, incident)
    rows: list[Row] = []
    if decided(best) and best.next:
        first = best.for_[0].evidence if best.for_ else ()
        rows.append(
            _action("mend", best.next, best.incident, first[0].item if first else "", first[0].pointer if first else "")
        )
    for _, row in postmortem.factors(asked(case), _onset(case, incident)).drop_duplicates("factor").iterrows():
        rows.append(_action("avoid", row["remedy"], row["factor"], row["item"], row["pointer"]))
    seen: set[str] = set()
    for finding in ordered(case.findings, best):
        if finding.remediation and finding.check not in seen and not finding.muted:
            seen.add(finding.check)
            kind = "mend" if rests_on(best, finding) else "look into"
            rows.append(
                _action(kind, finding.remediation, finding.check, finding.evidence[0].item, finding.evidence[0].pointer)
            )
    heads = tuple(Head(text=name) for name in ("Kind", "Action", "Because of", "Owner", "Due", "Shown by"))
    blocks: tuple[Block, ...] = (
        (Table(heads=heads, rows=tuple(rows[:ACTIONS])),) if rows else (Paragraph(text="The evidence proposes none."),)
    )
    title = f"Actions: {count(len(rows), 'action')} proposed by the evidence"
    title += f", the first {ACTIONS} shown" if len(rows) > ACTIONS else ""
    return Content(
        anchor="actions",
        title=title,
        blocks=(*blocks, *to_fill("Owners and dates above.", "Actions that no evidence proposes.")),
    )


def _action(kind: str, what: str, because: str, item: str, pointer: str) -> Row:
    fill: Phrase = (Tag(FILL, "warning"),)
    return Row(cells=(kind, what, because, fill, fill, place(item, pointer)))
