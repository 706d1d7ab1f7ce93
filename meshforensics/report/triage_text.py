"""The triage screen: at most 40 lines of 100 columns, made to be pasted."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from meshforensics.model import Finding, Hypothesis, Severity, Standing
from meshforensics.model.words import count_of, noun
from meshforensics.report._case import HEALTHY, Case, decided
from meshforensics.report._order import ordered
from meshforensics.report._triage_findings import clear_phases, finding_lines
from meshforensics.report._words import instant, listed, share, short_hash
from meshforensics.report.plain_text import brief, plain
from meshforensics.report.triage_json import UNDETERMINED, coverage, next_step
from meshforensics.tables import text, texts

WIDTH = 100
LINES = 40
_LABEL = 12
_LONGEST_PATH = WIDTH - len("Next  meshforensics report  -o report/")


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many lines the parts beside the findings may take."""

    grounds: int
    ruled_out: int
    unseen: int


_ROOMS = (
    Room(grounds=3, ruled_out=3, unseen=5),
    Room(grounds=2, ruled_out=2, unseen=3),
    Room(grounds=1, ruled_out=1, unseen=1),
)
_ENOUGH = 9
"""Lines for findings below which the other parts are told more shortly."""


def triage_text(case: Case, path: str) -> str:
    """The screen for `case`; `path` is what the user named, for the commands at the end.

    The findings get the lines that the rest leaves: each check has one, the worst have their causes too.
    """
    shown = [each for each in ordered(case.findings, case.hypotheses[0]) if not each.muted]
    closing = [*_wrapped(clear_phases(case), 2), *_muted(case)]
    for room in _ROOMS:
        before, after = _before(case, room), _after(case, path, room)
        left = LINES - len(_joined([*before, [*closing, ""], *after])) + bool(closing)
        if left >= min(_ENOUGH, 2 * len(shown) + 1):
            break
    findings = [*finding_lines(shown, left), *closing]
    return "\n".join(line[:WIDTH].rstrip() for line in _joined([*before, findings, *after])) + "\n"


def _before(case: Case, room: Room) -> list[list[str]]:
    best = case.hypotheses[0]
    return [_headline(case, best), _facts(case, best, room.grounds)]


def _after(case: Case, path: str, room: Room) -> list[list[str]]:
    return [_ruled_out(case, room.ruled_out), _unseen(case, room.unseen), _next(case, path)]


def _joined(blocks: Iterable[list[str]]) -> list[str]:
    """The blocks with an empty line between them; an empty block leaves none."""
    return [line for block in blocks if block for line in (*block, "")][:-1]


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among findings that are not muted."""
    severities = [each.severity for each in findings if not each.muted]
    return min(severities, key=lambda severity: severity.rank) if severities else None


def _headline(case: Case, best: Hypothesis) -> list[str]:
    known = decided(best)
    left = (
        f"{best.incident}  {best.status.value.upper()}, confidence {best.confidence:.2f}" if known else "undetermined"
    )
    when = f"as of {instant(case.at)}" if case.at else "capture time unknown, give --at"
    return [f"{left}{when:>{max(2, WIDTH - len(left))}}", *_wrapped(best.summary if known else UNDETERMINED, 4)]


def _facts(case: Case, best: Hypothesis, grounds: int) -> list[str]:
    lines: list[str] = []
    if decided(best):
        if best.impact:
            to = f" to {', '.join(best.impact.services)}" if best.impact.services else ""
            lines += _labelled(
                "failed", f"{share(best.impact.failed, best.impact.total)} {noun(best.impact.total, 'call')}{to}"
            )
        if best.onset:
            lines += _labelled("since", instant(best.onset))
        if best.subjects:
            lines += _labelled("subjects", listed(_objects_first(best.subjects), 4))
        lines += _labelled("changed", listed(_changed(case, best), 2))
        for number, ground in enumerate(best.for_[:grounds]):
            lines += _labelled("" if number else "decided", ground.text)
    lines += _labelled("next", next_step(best))
    known = coverage(case)
    total = {name: sum(row[name] for row in known) for name in ("known", "captured", "decoded")}
    said = f"{total['decoded']} of {count_of(total['known'], 'proxy')} decoded, {total['captured']} captured"
    items = (
        f"{count_of(len(case.bundle.items), 'item')}, sha256 {short_hash(case.bundle.id)}; profile {case.profile.name}"
    )
    return [*lines, *_labelled("coverage", f"{said}; {items}")]


def _objects_first(subjects: Iterable[str]) -> list[str]:
    """What can be put right comes before whom it hurts."""
    return sorted(subjects, key=lambda subject: not _is_object(subject))


def _is_object(subject: str) -> bool:
    return ":" in subject and "://" not in subject and not subject.startswith("Pod:")


def _changed(case: Case, best: Hypothesis) -> list[str]:
    """When and by whom the objects of the verdict were last changed, where that was in the window; the newest first."""
    config = case.frame("config")
    if case.window is None or config.empty:
        return []
    when = config["changed_at"].fillna(config["created_at"])
    recent = (when >= pd.Timestamp(case.window.start)) & (when <= pd.Timestamp(case.window.end))
    named = text(config["object"]).isin([each for each in best.subjects if _is_object(each)])
    rows = config.assign(when=when)[recent & named].sort_values("when", ascending=False, kind="stable")
    said = zip(texts(rows["object"]), rows["when"], texts(rows["changed_by"]), strict=True)
    return list(dict.fromkeys(f"{one}, {instant(at)}{f' by {who}' if who else ''}" for one, at, who in said))


def _wrapped(said: str, most: int) -> list[str]:
    return textwrap.wrap(brief(said), WIDTH, max_lines=most, placeholder=" …", break_on_hyphens=False)


def _labelled(label: str, said: str, most: int = 2) -> list[str]:
    width = WIDTH - _LABEL
    lines = textwrap.wrap(brief(said), width, max_lines=most, placeholder=" …", break_on_hyphens=False)
    return [f"{'' if number else '  ' + label:<{_LABEL}}{line}" for number, line in enumerate(lines)]


def _muted(case: Case) -> list[str]:
    number = sum(bool(each.muted) for each in case.findings)
    return [f"Muted by the profile: {number}, with their reasons in --format json."] if number else []


def _ruled_out(case: Case, most: int) -> list[str]:
    def named(standing: Standing) -> list[str]:
        return [each.incident for each in case.hypotheses if each.status is standing]

    also = [f"{each.incident} ({each.status.value})" for each in case.hypotheses[1:] if decided(each)]
    said = (("Also", also), ("Refuted", named(Standing.REFUTED)), ("Undetermined", named(Standing.UNDETERMINED)))
    return [line for label, names in said if names for line in _wrapped(f"{label}: {', '.join(names)}.", most)]


def _unseen(case: Case, most: int) -> list[str]:
    """What was not captured by kind and reason, checks that could not run by reason, and what would decide."""
    items: dict[tuple[str, str], list[str]] = {}
    for item in case.not_captured:
        why = f"{item.status.value}: {item.cause.value}" if item.cause else item.status.value
        items.setdefault((item.kind, why), []).append(item.subject)
    checks = Counter(each.reason for each in case.not_evaluated)
    lines = [_unseen_item(kind, why, subjects) for (kind, why), subjects in sorted(items.items())]
    lines += [_unseen_check(reason, number) for reason, number in sorted(checks.items())]
    more = [f"  and {len(lines) - most} more, all in --format json"] if len(lines) > most else []
    wanted = [plain(f"  to decide: {one.kind} of {one.subject}; {one.why}") for one in case.hypotheses[0].missing[:2]]
    said = [*lines[:most], *more, *wanted]
    return ["Not captured, so not judged", *said] if said else []


def _unseen_item(kind: str, why: str, subjects: Sequence[str]) -> str:
    return plain(f"  {kind:<28}{why:<26}{len(subjects):>5}  {listed(subjects, 1)}")


def _unseen_check(reason: str, number: int) -> str:
    return (
        f"  {textwrap.shorten(brief(reason), 60, placeholder=' …'):<62}{number:>3} {noun(number, 'check')} "
        f"not evaluated"
    )


def _next(case: Case, path: str) -> list[str]:
    """Commands to go on with; a path that has no room on the screen is not cut, but left to the reader."""
    table = " calls" if len(case.frame("calls")) else ""
    named = plain(path) if len(plain(path)) <= _LONGEST_PATH else "PATH"
    best = case.hypotheses[0]
    recover = [f"recover {named}"] if decided(best) and best.incident != HEALTHY else []
    commands = [*recover, f"report {named} -o report/", f"tables {named}{table}"]
    return [f"{'' if number else 'Next':<6}meshforensics {each}" for number, each in enumerate(commands)]
