"""Recovery: what to do, in order, with what makes it worse said first."""

from collections.abc import Sequence

from meshforensics.recovery import plan_for
from meshforensics.report._blocks import Content
from meshforensics.report._case import Case, focus
from meshforensics.report._recovery import plan_blocks
from meshforensics.report.sections._section import section


@section
def recovery(case: Case, bundle: str | Sequence[str] = "", incident: str = "") -> Content:
    """The plan for the verdict, with the names of this bundle; nothing of it is ever run.

    Args:
        bundle: what the report was asked to read, as it was written.
        incident: the incident that was asked for.
    """
    sources = (bundle,) if isinstance(bundle, str) else tuple(bundle)
    paths = tuple(source for source in sources if source) or ("BUNDLE",)
    plan = plan_for(case, paths, focus(case, incident).incident)
    return Content(
        anchor="recovery", title=f"Recovery: {plan.title[0].lower()}{plan.title[1:]}", blocks=plan_blocks(plan)
    )
