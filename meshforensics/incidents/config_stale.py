"""Envoy does not run what the control plane intends, and rejected nothing."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import complete, failed_by, first_at, impact_of, missing
from meshforensics.model import Severity
from meshforensics.tables import text

CHECKS = ("sync.stale", "sync.warming", "sync.never-sent", "sync.endpoint-gone")


@incident("config-stale", about="Proxies run older configuration than istiod sent, without a rejection.", precedence=12)
def config_stale(case: Case) -> Judgement:
    """Seconds behind are normal during a push; a rejection makes it config-rejected."""
    found = tuple(each for each in case.found(*CHECKS) if each.severity is not Severity.INFO)
    rejected = case.found("sync.rejected")
    failed = _failed_at_gone_endpoints(case)
    worse = any(each.severity in {Severity.ERROR, Severity.CRITICAL} for each in found)
    behind = Test(
        name="behind-what-was-sent",
        role="necessary",
        passed=bool(found) or (False if complete(case, "xds_sync") and case.at else None),
        thin=not worse and len(failed) < case.profile.number("incident-calls"),
        text="; ".join(each.detail for each in found[:3]) or "every proxy acknowledged what istiod sent",
        check="sync.stale",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "xds_sync", "istiod.syncz"),
    )
    nacked = Test(
        name="rejected",
        role="refutes",
        passed=bool(rejected) if not case.source.reason("rejections") else None,
        text=rejected[0].detail if rejected else "nothing was rejected",
        check="sync.rejected",
        evidence=tuple(place for each in rejected for place in each.evidence[:1]),
    )
    return Judgement(
        tests=(behind, nacked),
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        onset=first_at(failed),
        mechanism="configuration not in step",
        impact=impact_of(case, failed),
        explained=len(failed),
        summary="; ".join(each.detail for each in found[:2]),
        next="Look at the proxies' connection to istiod and at istiod's push times before restarting anything.",
    )


def _failed_at_gone_endpoints(case: Case) -> pd.DataFrame:
    """Failed calls whose endpoint is no pod any more."""
    gone = {str(each.observed.value) for each in case.found("sync.endpoint-gone") if each.observed}
    failed = failed_by(case, ("connect-failure", "upstream-reset"))
    return failed[text(failed["upstream_host"]).isin(sorted(gone))]
