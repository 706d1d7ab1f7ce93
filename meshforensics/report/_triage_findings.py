"""Findings as lines of the triage screen: one line a check, its causes below as far as there is room."""

import textwrap
from collections.abc import Sequence
from itertools import groupby

from meshforensics.checks import declared_checks
from meshforensics.model import Finding, Phase, Quantity
from meshforensics.model.words import unit_of
from meshforensics.report._case import Case
from meshforensics.report._words import size
from meshforensics.report.plain_text import brief, plain

_INDENT = 26
_DETAIL = 100 - _INDENT
_TITLE = 46
_PHASES = list(Phase)

Group = tuple[Finding, ...]


def finding_lines(findings: Sequence[Finding], room: int) -> list[str]:
    """The findings by phase, in at most `room` lines (but never fewer than three)."""
    if not findings:
        return ["No finding."]
    ordered = sorted(findings, key=lambda each: (_PHASES.index(each.phase), each.severity.rank, each.check))
    groups = [tuple(rows) for _, rows in groupby(ordered, key=lambda each: (each.phase, each.check))]
    room = max(room, 3) - 1
    shown = _worst(groups, room if len(groups) <= room else room - 1)
    hidden = sum(len(group) for group in groups) - sum(len(group) for group in shown)
    details = _details(shown, room - len(shown) - bool(hidden))
    lines = [f"{'PHASE':<15}{'SEVERITY':<9}{'FINDING':<47}{'SUBJECTS':>8}{'OBSERVED':>12}{'LIMIT':>9}"]
    last = None
    for number, group in enumerate(shown):
        phase = group[0].phase
        lines.append(_row(group, "" if phase is last else phase.value))
        lines += [_detail(each) for each in group[: details[number]]]
        last = phase
    return [*lines, *([f"{'':<{_INDENT}}{hidden} more, all in --format json"] if hidden else [])]


def _worst(groups: Sequence[Group], most: int) -> list[Group]:
    """The worst groups, at most so many, in the order they came in."""
    ranked = sorted(range(len(groups)), key=lambda number: (groups[number][0].severity.rank, number))
    return [groups[number] for number in sorted(ranked[:most])]


def _details(groups: Sequence[Group], room: int) -> list[int]:
    """How many of each group's causes are told: turn by turn, the worst groups first, while there is room."""
    told = [0] * len(groups)
    ranked = sorted(range(len(groups)), key=lambda number: groups[number][0].severity.rank)
    while room > 0 and any(told[number] < len(groups[number]) for number in ranked):
        for number in ranked:
            if room > 0 and told[number] < len(groups[number]):
                told[number] += 1
                room -= 1
    return told


def _row(group: Group, phase: str) -> str:
    first = group[0]
    more = f" ×{len(group)}" if len(group) > 1 else ""
    title = textwrap.shorten(plain(first.title), _TITLE - len(more), placeholder=" …") + more
    subjects = len({subject for each in group for subject in each.subjects})
    numbers = f"{subjects or '':>8}{_number(first.observed, 12):>12}{_number(first.threshold, 9):>9}"
    return f"{phase:<15}{first.severity.value:<9}{title:<47}{numbers}"


def _detail(each: Finding) -> str:
    text = brief(each.detail)
    return " " * _INDENT + (text if len(text) <= _DETAIL else text[: _DETAIL - 2].rstrip() + " …")


def _number(quantity: Quantity | None, width: int) -> str:
    """A quantity in its column, a space before it; an instant by its date, a unit where it has room, else nothing."""
    if quantity is None or quantity.value is None:
        return ""
    value, unit = quantity.value, plain(unit_of(quantity.value, quantity.unit))
    if isinstance(value, str):
        return value[:10] if unit == "UTC" and width > 10 else plain(value) if len(value) < width else ""
    if unit == "ratio":
        return f"{value:.1%}"
    if unit.startswith("bytes"):
        return size(round(value)) + unit.removeprefix("bytes")
    said = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
    return f"{said} {unit}" if len(said) + 1 + len(unit) < width else said


def clear_phases(case: Case) -> str:
    """The phases without a finding: clear where every check of theirs could run, and which were not judged."""
    phase_of = {name: each.phase for name, each in declared_checks().items()}
    skipped = [phase_of[each.check] for each in case.not_evaluated if each.check in phase_of]
    found = {each.phase for each in case.findings if not each.muted}
    quiet = [phase for phase in Phase if phase not in found]
    clear = ", ".join(phase.value for phase in quiet if phase not in skipped)
    partly = ", ".join(f"{phase.value} ({skipped.count(phase)})" for phase in quiet if phase in skipped)
    said = (
        f"{clear}: clear." if clear else "",
        f"Nothing found, with checks not evaluated: {partly}." if partly else "",
    )
    return " ".join(part for part in said if part)
