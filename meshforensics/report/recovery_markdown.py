"""A recovery plan as Markdown, for a runbook or an issue."""

from meshforensics.recovery import Plan
from meshforensics.report._blocks import Content, Paragraph
from meshforensics.report._case import Case
from meshforensics.report._recovery import plan_blocks
from meshforensics.report._to_markdown import section_markdown
from meshforensics.report._words import instant
from meshforensics.report.triage_json import UNDETERMINED


def recovery_markdown(case: Case, plan: Plan) -> str:
    """Every step, with all its commands."""
    verdict = plan.verdict
    named = f"{verdict.incident} {verdict.status}" if plan.decided else UNDETERMINED
    facts = f"{named}, as of {instant(case.at)}, bundle {case.bundle.id[:16]}, profile {case.profile.name}."
    blocks = (Paragraph(text=facts), *plan_blocks(plan, most=1_000_000))
    return section_markdown(Content(anchor="recovery", title=plan.title, blocks=blocks, level=1))
