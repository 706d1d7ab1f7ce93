"""The triage as Markdown, for an issue or a chat."""

from meshforensics.model import Finding, Quantity, Standing, format_time
from meshforensics.model.words import count_of, unit_of
from meshforensics.report._case import Case, decided
from meshforensics.report.plain_text import plain
from meshforensics.report.triage_json import UNDETERMINED, next_step


def triage_markdown(case: Case, path: str) -> str:
    """A title, the verdict, the findings as a table, and what was not seen."""
    best = case.hypotheses[0]
    name = f"{best.incident} {best.status.value}" if decided(best) else "undetermined"
    profile = f"profile {_safe(case.profile.name)} (`{case.profile.sha256[:16]}`)"
    parts = [
        f"# {_safe(name)}",
        f"As of {format_time(case.at) or 'an unknown time'}, bundle `{case.bundle.id[:16]}`, {profile}.",
        _safe(best.summary) if decided(best) else UNDETERMINED,
    ]
    if decided(best):
        if best.impact:
            to = f" to {_safe(', '.join(best.impact.services))}" if best.impact.services else ""
            parts.append(f"**Impact**: {best.impact.failed} of {count_of(best.impact.total, 'call')}{to} failed.")
        parts.append("\n".join(f"- {_safe(ground.text)}" for ground in best.for_))
    parts.append(f"**Next**: {_safe(next_step(best))}")
    parts += ["## Findings", _table(case.findings), "## Ruled out", _refuted(case), "## Not captured", _unseen(case)]
    return "\n\n".join(part for part in [*parts, f"`meshforensics report {path} -o report/`"] if part) + "\n"


def _table(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "No finding."
    head = "| severity | check | finding | observed | limit | subjects |\n|---|---|---|---|---|---|"
    rows = [
        f"| {each.severity.value} | `{each.check}` | {_safe(each.detail)} | {_quantity(each.observed)} | "
        f"{_quantity(each.threshold)} | {len(each.subjects)} |"
        for each in findings
    ]
    return "\n".join([head, *rows])


def _quantity(quantity: Quantity | None) -> str:
    return (
        _safe(f"{quantity.value} {unit_of(quantity.value, quantity.unit)}".strip())
        if quantity and quantity.value is not None
        else ""
    )


def _refuted(case: Case) -> str:
    refuted = [each for each in case.hypotheses if each.status is Standing.REFUTED]
    lines = [f"- {each.incident}: {_safe('; '.join(one.text for one in each.against))}" for each in refuted]
    return "\n".join(lines) or "Nothing was ruled out."


def _unseen(case: Case) -> str:
    items = [
        f"- {_safe(item.kind)} of {_safe(item.subject)}: {item.status.value} {item.cause.value if item.cause else ''}"
        for item in case.not_captured
    ]
    checks = [f"- `{one.check}` not evaluated: {_safe(one.reason)}" for one in case.not_evaluated]
    return "\n".join([*items[:50], *checks]) or "Everything that was asked for is there."


def _safe(text: str) -> str:
    """Captured text that cannot become markup, a table cell or a new line."""
    flat = plain(" ".join(text.split()))
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, f"\\{sign}")
    return flat
