"""The triage screen: at most 40 lines of 100 columns, made to be pasted."""

import textwrap
from collections.abc import Iterable, Sequence

from meshforensics.model import Finding, Hypothesis, Phase, Quantity, Severity, Standing, format_time
from meshforensics.report._case import Case, decided
from meshforensics.report.triage_json import coverage

WIDTH = 100
LINES = 40
_LABEL = 12
_MOST_FINDINGS = 14
_MOST_MISSING = 3


def triage_text(case: Case, path: str) -> str:
    """The screen for `case`; `path` is what the user named, for the commands at the end."""
    best = case.hypotheses[0]
    blocks = [
        _headline(case, best),
        _facts(case, best),
        _findings(case),
        _ruled_out(case),
        _unseen(case),
        _next(path),
    ]
    lines = [line for block in blocks for line in (*block, "")]
    return "\n".join(line.rstrip() for line in lines[:LINES]).rstrip() + "\n"


def _headline(case: Case, best: Hypothesis) -> list[str]:
    name = best.incident if decided(best) else "undetermined"
    stands = f"{best.status.value.upper()}, confidence {best.confidence:.2f}" if decided(best) else ""
    when = f"as of {format_time(case.at)}" if case.at else "capture time unknown, give --at"
    left = f"{name}  {stands}".rstrip()
    summary = best.summary if decided(best) else "No incident could be determined from what was captured."
    return [f"{left}{when:>{max(2, WIDTH - len(left))}}", *_wrapped(summary, 4)]


def _wrapped(text: str, most: int, indent: str = "") -> list[str]:
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, max_lines=most, placeholder=" …"
    )
    return lines or [""]


def _labelled(label: str, text: str, most: int = 2) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - _LABEL, max_lines=most, placeholder=" …")
    return [f"{'  ' + label if number == 0 else '':<{_LABEL}}{line}" for number, line in enumerate(lines)]


def _facts(case: Case, best: Hypothesis) -> list[str]:
    lines: list[str] = []
    if decided(best):
        if best.impact:
            share = best.impact.failed / best.impact.total if best.impact.total else 0
            services = ", ".join(best.impact.services)
            failed = f"{best.impact.failed} of {best.impact.total} calls ({share:.1%}) to {services}"
            lines += _labelled("blocked", failed)
        if best.onset:
            lines += _labelled("since", f"{format_time(best.onset)}")
        if best.subjects:
            lines += _labelled("subjects", _some(best.subjects))
        for number, ground in enumerate(best.for_[:4]):
            lines += _labelled("decided" if number == 0 else "", ground.text)
        if best.next:
            lines += _labelled("next", best.next)
    known = coverage(case)
    total = {name: sum(row[name] for row in known) for name in ("known", "captured", "decoded")}
    said = f"{total['decoded']} of {total['known']} proxies decoded, {total['captured']} captured"
    return [*lines, *_labelled("coverage", f"{said}; {len(case.bundle.items)} items")]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _findings(case: Case) -> list[str]:
    shown = [each for each in case.findings if not each.muted]
    if not shown:
        return ["No finding."]
    lines = [f"{'PHASE':<15}{'SEVERITY':<10}{'FINDING':<44}{'SUBJECTS':>8}{'OBSERVED':>13}{'LIMIT':>10}"]
    top = shown[:_MOST_FINDINGS]
    last = ""
    for phase in Phase:
        for each in (one for one in top if one.phase is phase):
            lines.append(_row(each, "" if last == phase.value else phase.value))
            last = phase.value
    clear = [phase.value for phase in Phase if not any(one.phase is phase for one in shown)]
    if len(shown) > len(top):
        lines.append(f"{'':<25}{len(shown) - len(top)} more findings, all with --format json")
    return [*lines, *([f"{', '.join(clear)}: clear"] if clear and not case.not_evaluated else [])]


def _row(each: Finding, phase: str) -> str:
    title = textwrap.shorten(f"{each.title}", 43, placeholder=" …")
    numbers = f"{len(each.subjects):>8}{_number(each.observed):>13}{_number(each.threshold):>10}"
    return f"{phase:<15}{each.severity.value:<10}{title:<44}{numbers}"


def _number(quantity: Quantity | None) -> str:
    if quantity is None or quantity.value is None:
        return ""
    value = quantity.value
    if isinstance(value, str):
        return "" if len(value) > 12 else value
    if quantity.unit == "ratio":
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _ruled_out(case: Case) -> list[str]:
    def named(standing: Standing) -> list[str]:
        return [each.incident for each in case.hypotheses if each.status is standing]

    also = [f"{each.incident} ({each.status.value})" for each in case.hypotheses[1:] if decided(each)]
    lines = _wrapped(f"Also: {', '.join(also)}.", 2) if also and decided(case.hypotheses[0]) else []
    refuted = named(Standing.REFUTED)
    undetermined = named(Standing.UNDETERMINED)
    if refuted:
        lines += _wrapped(f"Refuted: {', '.join(refuted)}.", 4)
    if undetermined:
        lines += _wrapped(f"Undetermined: {', '.join(undetermined)}.", 3)
    return lines


def _unseen(case: Case) -> list[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in case.not_captured:
        groups.setdefault((item.kind, f"{item.status.value}: {item.cause.value if item.cause else ''}"), []).append(
            item.subject
        )
    lines = [f"  {kind:<28}{why:<28}{_some(subjects)}"[:WIDTH] for (kind, why), subjects in sorted(groups.items())]
    lines += [f"  {one.check:<34}not evaluated: {one.reason}"[:WIDTH] for one in case.not_evaluated[:_MOST_MISSING]]
    more = len(lines) + max(0, len(case.not_evaluated) - _MOST_MISSING) - 2 * _MOST_MISSING
    shown = lines[: 2 * _MOST_MISSING]
    best = case.hypotheses[0]
    wanted = [f"  to decide: {one.command or one.kind} ({one.why})"[:WIDTH] for one in best.missing[:2]]
    if not lines and not wanted:
        return []
    return ["Not captured, so not judged", *shown, *([f"  and {more} more"] if more > 0 else []), *wanted]


def _next(path: str) -> list[str]:
    return [
        f"Next  meshforensics report {path} -o report/",
        f"      meshforensics tables {path} calls --format csv",
    ]


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among findings that are not muted."""
    severities = [each.severity for each in findings if not each.muted]
    return min(severities, key=lambda severity: severity.rank) if severities else None
