"""A root (or intermediate) that leaves chain to has ended."""

import re

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    complete,
    edges_in_words,
    failed_by,
    first_at,
    impact_of,
    missing,
    shown,
)
from meshforensics.model import Finding
from meshforensics.model.words import count_of

FAMILIES = ("tls-root-expired", "tls-verify")
_LINKERD_KEEPS = re.compile(r"(?:ConfigMap|Secret):[^/]+/linkerd-identity-(?:trust-roots|issuer)")
CHECKS = ("certificates.root-expired", "certificates.intermediate-expired")


@incident(
    "root-expired",
    about="The root or intermediate that leaves chain to ended before the instant.",
    precedence=60,
    notebook="ca_rotation",
)
def root_expired(case: Case) -> Judgement:
    """A holder that also trusts a valid root is no part of it."""
    found = (*case.found(*CHECKS), *_of_linkerd(case))
    failed = failed_by(case, FAMILIES) if found else failed_by(case, ("tls-root-expired",))
    ended = Test(
        name="root-ended",
        role="necessary",
        passed=bool(found) or (False if complete(case, "trust") and case.at else None),
        text="; ".join(each.detail for each in found) or "no root or intermediate that ended was seen",
        check=CHECKS[0],
        evidence=tuple(place for each in found for place in each.evidence[:2]),
        missing=() if found else missing(case, "trust", "envoy.config_dump"),
    )
    seen = Test(
        name="handshakes-seen-failing",
        role="confirms",
        passed=True if len(failed) else None,
        text=f"{count_of(len(failed), 'call')} failed: a certificate of the chain had ended"
        if len(failed)
        else "not seen failing",
        check="signatures.tls",
        evidence=shown(case, failed),
        missing=missing(case, "calls", "log.istio-proxy") if case.source.reason("calls") else (),
    )
    tests = (ended, seen) if len(failed) else (ended,)
    return Judgement(
        tests=tests,
        subjects=tuple(dict.fromkeys(subject for each in found for subject in each.subjects)),
        onset=first_at(failed),
        mechanism="root expired",
        summary=f"{found[0].detail}.{f' Calls fail: {edges_in_words(failed)}.' if len(failed) else ''}"
        if found
        else "",
        next="Issue a new root with an overlap; established connections live on, so do not restart what still works.",
        impact=impact_of(case, failed),
        explained=len(failed),
    )


def _of_linkerd(case: Case) -> tuple[Finding, ...]:
    """What Linkerd verifies or signs by, where its proxies run: they do not show what they hold."""
    containers = case.source.frame("containers")
    if not (containers["container"] == "linkerd-proxy").any():
        return ()
    found = case.found("certificates.authority-expired")
    return tuple(each for each in found if any(map(_LINKERD_KEEPS.fullmatch, each.subjects)))
