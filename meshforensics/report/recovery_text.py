"""A recovery plan for a terminal: words are wrapped, commands are whole, so that they can be pasted."""

import textwrap
from collections.abc import Iterable

from meshforensics.recovery import Command, Part, Plan, PlannedStep
from meshforensics.report._case import Case
from meshforensics.report._words import count, instant
from meshforensics.report.plain_text import plain
from meshforensics.report.triage_json import UNDETERMINED

WIDTH = 100
_LABEL = 12
_MOST = 24
"""Lines of commands that a step shows here; Markdown has them all."""


def recovery_text(case: Case, plan: Plan) -> str:
    """What not to do, then the steps in order."""
    blocks = [_head(case, plan), *(_step(number, each) for number, each in enumerate(plan.steps, start=1)), _foot(plan)]
    return "\n".join(line.rstrip() for block in blocks if block for line in (*block, "")).rstrip() + "\n"


def _head(case: Case, plan: Plan) -> list[str]:
    verdict = plan.verdict
    left = f"{verdict.incident}  {verdict.status.upper()}, confidence {verdict.confidence:.2f}"
    left = left if plan.decided else "undetermined"
    when = f"as of {instant(case.at)}" if case.at else "capture time unknown, give --at"
    said = [] if plan.decided else _wrapped(UNDETERMINED)
    return [
        f"{left}{when:>{max(2, WIDTH - len(left))}}",
        *_wrapped(f"{plan.title}."),
        *_wrapped(f"{count(len(plan.steps), 'step')}, profile {case.profile.name}; nothing of this is run for you."),
        *said,
        *(line for each in (*plan.never, *plan.caution) for line in _labelled("", each)),
    ]


def _step(number: int, planned: PlannedStep) -> list[str]:
    step = planned.step
    where = f"{step.stage}, {step.plane}"
    lines = [line for part in planned.deed.do for line in _lines(part)]
    left = len(lines) - _MOST
    more = [f"# {count(left, 'more line')}, all in --format markdown"] if left > 0 else []
    title = f"{number:>2}  {step.title}"
    return [
        f"{title}{where:>{max(2, WIDTH - len(title))}}",
        *_labelled("when", step.when),
        *(f"{'    do' if not place else '':<{_LABEL}}{line}" for place, line in enumerate([*lines[:_MOST], *more])),
        *_labelled("risk", step.risk),
        *_parts("verify", planned.deed.verify),
        *_parts("undo", planned.deed.undo),
    ]


def _lines(part: Part) -> list[str]:
    if isinstance(part, str):
        return [f"# {line}" for line in textwrap.wrap(plain(part), WIDTH - _LABEL - 2, break_on_hyphens=False)]
    about = f"    # {part.about}" if isinstance(part, Command) and part.about else ""
    first, *rest = part.shell.splitlines()
    return [plain(f"{first}{about}"), *(plain(line) for line in rest)]


def _parts(label: str, parts: Iterable[Part]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        own = _labelled(label, part) if isinstance(part, str) else _labelled_whole(label, _lines(part))
        lines += own if not lines else [f"{'':<{_LABEL}}{line[_LABEL:]}" for line in own]
    return lines


def _labelled(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(plain(text), WIDTH - _LABEL, break_on_hyphens=False)
    return _labelled_whole(label, lines)


def _labelled_whole(label: str, lines: list[str]) -> list[str]:
    return [f"{f'    {label}' if not number else '':<{_LABEL}}{line}" for number, line in enumerate(lines)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(plain(text), WIDTH, break_on_hyphens=False)


def _foot(plan: Plan) -> list[str]:
    lines = []
    if plan.fill:
        lines.append("Fill in; pasted as they are these reach nothing:")
        lines += [f"  {name:<10}{meaning}" for name, meaning in plan.fill]
    if plan.also:
        lines += _wrapped(f"Supported too, each with a plan of its own (--incident): {', '.join(plan.also)}.")
    return lines
