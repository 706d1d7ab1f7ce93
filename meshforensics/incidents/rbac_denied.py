"""An authorization policy denies callers that the mesh otherwise serves."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import missing
from meshforensics.tables import inside, keys, text


@incident("rbac-denied", about="An authorization policy denies callers that the mesh otherwise serves.", precedence=15)
def rbac_denied(case: Case) -> Judgement:
    """The server's proxy decides; a policy that only denies whom it is meant to deny is no incident."""
    found = case.found("access.denied")
    count = sum(int(each.observed.value) for each in found if each.observed and isinstance(each.observed.value, int))
    reason = case.source.reason("access_log")
    denials = Test(
        name="denials-seen",
        role="necessary",
        passed=bool(found) or (None if reason else False),
        thin=count < case.profile.number("incident-calls"),
        text="; ".join(each.detail for each in found[:3]) or reason or "no call of the window was denied",
        check="access.denied",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=missing(case, "access_log", "log.istio-proxy") if reason else (),
    )
    return Judgement(
        tests=(denials, _otherwise_served(case)) if found else (denials,),
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        onset=min((each.at for each in found if each.at), default=None),
        mechanism="denied by policy",
        summary="; ".join(each.detail for each in found[:2]),
        next="Correct the rule or the principal; do not delete all policies.",
        explained=count,
    )


def _otherwise_served(case: Case) -> Test:
    """Whether a caller that was denied was also served, by the same server."""
    log = case.source.frame("access_log")
    seen = inside(log, case.window) if case.window else log.iloc[:0]
    denied = seen[text(seen["details"]).str.contains("rbac_access_denied", regex=False)]
    served = seen[seen["status"].fillna(0).between(200, 399)]
    both = _callers(denied) & _callers(served)
    return Test(
        name="callers-otherwise-served",
        role="confirms",
        passed=True if both else None,
        text=f"{len(both)} callers were denied and served by the same proxy"
        if both
        else "no denied caller was seen served, so the policy may be meant",
        check="access.denied",
    )


def _callers(rows: pd.DataFrame) -> set[tuple[str, str, str]]:
    addresses = text(rows["downstream_remote"]).str.rsplit(":", n=1).str[0]
    return {(ns, pod, ip) for (ns, pod), ip in zip(keys(rows, "namespace", "pod"), addresses, strict=True) if ip}
