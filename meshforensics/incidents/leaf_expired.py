"""One or few workloads serve a leaf that has ended under a root that has not."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import complete, edges_in_words, failed_by, first_at, impact_of, missing

FAMILIES = ("tls-leaf-expired",)


@incident(
    "leaf-expired", about="A workload serves a leaf that ended before the instant; its root is valid.", precedence=40
)
def leaf_expired(case: Case) -> Judgement:
    """A leaf with little life left is not an expired one: a healthy Istio leaf lives 24 hours."""
    found = case.found("certificates.leaf-expired")
    roots = case.found("certificates.root-expired")
    failed = failed_by(case, FAMILIES)
    ended = Test(
        name="leaf-ended",
        role="necessary",
        passed=bool(found) or (False if complete(case, "certificates") and case.at else None),
        text="; ".join(each.detail for each in found[:3]) or "no leaf that ended was seen",
        check="certificates.leaf-expired",
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "certificates", "envoy.certs"),
    )
    valid = Test(
        name="root-ended",
        role="refutes",
        passed=None if case.source.reason("trust") else bool(roots),
        text="the root has ended too" if roots else "the roots are valid",
        check="certificates.root-expired",
        evidence=tuple(place for each in roots for place in each.evidence[:2]),
    )
    return Judgement(
        tests=(ended, valid),
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        onset=first_at(failed),
        mechanism="leaf expired",
        summary=f"{found[0].detail}.{f' Calls fail: {edges_in_words(failed)}.' if len(failed) else ''}"
        if found
        else "",
        next="Restart the workload's proxy after a capture; then find why istiod or its agent did not renew.",
        impact=impact_of(case, failed),
        explained=len(failed),
    )
