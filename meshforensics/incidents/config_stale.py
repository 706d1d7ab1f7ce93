"""Envoy does not run what the control plane intends, and rejected nothing."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    complete,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    of_unconfigured,
)
from meshforensics.model import Finding, Severity, format_time
from meshforensics.tables import text, texts

CHECKS = ("sync.stale", "sync.warming", "sync.never-sent", "sync.endpoint-gone")


@incident("config-stale", about="Proxies run older configuration than istiod sent, without a rejection.", precedence=12)
def config_stale(case: Case) -> Judgement:
    """Seconds behind are normal during a push; a rejection makes it config-rejected."""
    found = tuple(each for each in case.found(*CHECKS) if each.severity is not Severity.INFO)
    rejected = case.found("sync.rejected")
    failed = _consequences(case)
    worse = any(each.severity in {Severity.ERROR, Severity.CRITICAL} for each in found)
    behind = Test(
        name="behind-what-was-sent",
        role="necessary",
        passed=bool(found) or (False if complete(case, "xds_sync") and case.at else None),
        thin=not worse and how_many(failed) < case.profile.number("incident-calls"),
        text="; ".join(each.detail for each in found[:3]) or "every proxy acknowledged what istiod sent",
        check="sync.stale",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "xds_sync", "istiod.syncz"),
    )
    nacked = Test(
        name="rejected",
        role="refutes",
        passed=_all_rejected(found, rejected) if not case.source.reason("rejections") else None,
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
        explained=how_many(failed),
        summary=". ".join((*(each.detail for each in found[:2]), *_unacknowledged(case, found))),
        next="Look at the proxies' connection to istiod and at istiod's push times before restarting anything.",
    )


def _unacknowledged(case: Case, found: tuple[Finding, ...]) -> tuple[str, ...]:
    """Those of the proxies found that owe istiod an answer, however short that is: it says where the trouble lies."""
    told = {subject for each in found if each.check == "sync.stale" for subject in each.subjects}
    asked = {subject for each in found for subject in each.subjects} - told
    sync = case.source.frame("xds_sync")
    behind = sync[sync["status"].isin(["STALE", "NEVER ACKED"]) & sync["sent_at"].notna()]
    proxies = text(behind["namespace"]) + "/" + text(behind["pod"])
    said = []
    for proxy, rows in behind.groupby(proxies[proxies.isin(sorted(asked))]):
        types = ", ".join(sorted(set(texts(rows["type"]))))
        said.append(
            f"{proxy} has not acknowledged {types}, sent at {format_time(first_at(rows.assign(at=rows['sent_at'])))}"
        )
    return tuple(said[:2])


def _all_rejected(behind: tuple[Finding, ...], rejected: tuple[Finding, ...]) -> bool:
    """Whether whoever is behind rejected something, so that the rejection is why; others may be behind beside it."""
    lagging = {subject for each in behind for subject in each.subjects}
    return bool(rejected) and lagging <= {subject for each in rejected for subject in each.subjects}


def _consequences(case: Case) -> pd.DataFrame:
    """Failed calls whose endpoint is no pod any more, or a pod whose proxy was sent no listeners."""
    gone = {str(each.observed.value) for each in case.found("sync.endpoint-gone") if each.observed}
    failed = failed_by(case, ("connect-failure", "upstream-reset"))
    at_gone = failed["upstream_host"].isin(sorted(gone))
    unsent = failed.index.isin(of_unconfigured(case, failed).index)
    return failed[at_gone | unsent]
