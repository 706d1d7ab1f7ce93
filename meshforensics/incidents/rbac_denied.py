"""An authorization policy denies callers that the mesh otherwise serves."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Proxy, Test, incident
from meshforensics.incidents._evidence import (
    as_served,
    counted_recently,
    first_at,
    how_many,
    impact_of,
    missing,
    shown,
    unheard,
)
from meshforensics.incidents._families import untold
from meshforensics.model.words import count_of
from meshforensics.tables import inside, keys


@incident("rbac-denied", about="An authorization policy denies callers that the mesh otherwise serves.", precedence=15)
def rbac_denied(case: Case) -> Judgement:
    """The server's proxy decides; a policy that only denies whom it is meant to deny is no incident."""
    denials = _denials(case)
    wrong = denials[~denials["meant"].astype(bool)]
    found = case.found("access.denied")
    behind = sorted({name for names in wrong["objects"] for name in names})
    return Judgement(
        tests=(_seen(case, denials, wrong), _like_was_served(case, wrong)) if len(denials) else (_counted(case),),
        subjects=tuple(dict.fromkeys((*(subject for each in found for subject in each.subjects), *behind))),
        onset=first_at(wrong),
        mechanism="denied by policy",
        summary="; ".join(each.detail for each in found[:2]),
        next="Correct the rule or the principal; do not delete all policies.",
        impact=impact_of(case, as_served(case, wrong)),
        explained=len(wrong),
    )


def _denials(case: Case) -> pd.DataFrame:
    """The denials of the window."""
    denials = case.source.frame("denials")
    return inside(denials, case.window) if case.window else denials.iloc[:0]


def _seen(case: Case, denials: pd.DataFrame, wrong: pd.DataFrame) -> Test:
    """A denial of what was never served, by a rule that is there for it, speaks for the rule."""
    found = case.found("access.denied")
    return Test(
        name="denials-seen",
        role="necessary",
        passed=bool(len(wrong)),
        thin=len(wrong) < case.profile.number("incident-calls"),
        text="; ".join(each.detail for each in found[:3])
        or f"{count_of(len(wrong), 'call was', 'calls were')} denied; {len(denials) - len(wrong)} more as their "
        "policy means it",
        check="access.denied",
        evidence=shown(case, wrong if len(wrong) else denials),
    )


def _like_was_served(case: Case, wrong: pd.DataFrame) -> Test:
    """Whether what is denied was served before."""
    changed = wrong[wrong["changed"].astype(bool)]
    return Test(
        name="served-before",
        role="confirms",
        passed=True if len(changed) else None,
        thin=len(changed) < case.profile.number("incident-calls"),
        text=f"{count_of(len(changed), 'denied call is', 'denied calls are')} of a kind that the same server "
        "answered before, and not after"
        if len(changed)
        else "nothing tells that what is denied was served before, so the policy may be meant",
        check="access.denied",
        evidence=shown(case, changed),
    )


def _counted(case: Case) -> Test:
    """Without a denial in a log: what counters tell, which is never whom and by which policy."""
    counted = counted_recently(case)
    denied = counted[counted["family"] == "rbac-denied"]
    silent: list[Proxy] = unheard(case)
    told = bool(len(case.source.frame("access_log"))) and not silent
    pods = sorted({f"{namespace}/{pod}" for namespace, pod in keys(denied, "namespace", "pod")})
    return Test(
        name="denials-seen",
        role="necessary",
        passed=True if len(denied) else (False if told else None),
        thin=True,
        text=f"{count_of(how_many(denied), 'call was', 'calls were')} denied as counted by "
        f"{', '.join(pods[:3])}; whom and why is not told"
        if len(denied)
        else "no call of the window was denied"
        if told
        else untold(case, silent),
        check="access.denied",
        evidence=shown(case, denied),
        missing=missing(case, "access_log", "log.istio-proxy") if not told else (),
    )
