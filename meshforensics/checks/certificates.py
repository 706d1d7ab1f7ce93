"""Phase 3: every certificate of every place, as of the capture; who can verify whom."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import text, true

_DAY_S = 86400.0


def _with_share_left(leaves: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    life = (leaves["not_after"] - leaves["not_before"]).dt.total_seconds()
    left = (leaves["not_after"] - at).dt.total_seconds()
    return leaves.assign(share_left=left / life.where(life > 0))


@check(
    "certificates.root-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["serial"],
    observed="not_after",
    title="Root CA expired before the capture",
    detail="root {serial} ended {not_after}; {count} places hold it",
    remediation="Issue a new root with an overlap: trust both, restart in order, then drop the old one.",
    source="guide, phase 3, step 5; RFC 5280 §4.1.2.5",
)
def root_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """A holder that also trusts a valid root is in an overlap, which is no fault."""
    roots = certificates[(text(certificates["role"]) == "root") & (text(certificates["namespace"]) != "")]
    ended = roots[roots["not_after"] < at]
    valid = roots[roots["not_after"] >= at]
    safe = set(zip(text(valid["namespace"]), text(valid["pod"]), strict=True))
    held = zip(text(ended["namespace"]), text(ended["pod"]), strict=True)
    return ended[pd.Series([each not in safe for each in held], index=ended.index, dtype=bool)]


@check(
    "certificates.intermediate-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["serial"],
    observed="not_after",
    title="Intermediate CA expired before the capture",
    detail="intermediate {serial} ended {not_after}",
    remediation="Renew the intermediate; proxies pick it up when their leaf is next signed, or when restarted.",
    source="guide, phase 3 (every element of the chain counts); RFC 5280 §6.1",
)
def intermediate_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    middle = certificates[text(certificates["role"]) == "intermediate"]
    return middle[middle["not_after"] < at]


@check(
    "certificates.leaf-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["serial"],
    observed="not_after",
    title="Workload certificate expired before the capture",
    detail="leaf {serial} ended {not_after}",
    remediation="Restart the proxy, then look for why istiod no longer signs.",
    source="RFC 5280 §4.1.2.5",
)
def leaf_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    leaves = certificates[text(certificates["role"]) == "leaf"]
    return leaves[leaves["not_after"] < at]


@check(
    "certificates.not-yet-valid",
    phase="certificates",
    plane="state",
    severity="error",
    by=["serial"],
    observed="not_before",
    title="Certificate is not yet valid at the capture",
    detail="{role} {serial} begins {not_before}",
    remediation="Compare the clocks of the nodes; istiod back-dates by two minutes.",
    source="RFC 5280 §4.1.2.5; istiod ClockSkewGracePeriod",
)
def not_yet_valid(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    return certificates[certificates["not_before"] > at]


@check(
    "certificates.leaf-not-renewed",
    phase="certificates",
    plane="state",
    threshold="certificates.leaf-life-left",
    by=["serial"],
    observed="share_left",
    unit="ratio",
    title="Workload certificate is past the point where it is renewed",
    detail="leaf {serial} ends {not_after}",
    remediation="Look at the agent's log and istiod's CA errors: renewal happens at half of the life.",
    source='istio agent SECRET_GRACE_PERIOD_RATIO 0.5; the guide\'s "under 24 h" is true of every healthy leaf',
)
def leaf_not_renewed(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    leaves = certificates[(text(certificates["role"]) == "leaf") & (text(certificates["namespace"]) != "")]
    alive = leaves[(leaves["not_after"] >= at) & (leaves["not_before"] <= at)]
    spiffe = alive["san"].map(lambda names: any(str(name).startswith("spiffe://") for name in names or ()))
    return _with_share_left(alive[spiffe.astype(bool)], at)


@check(
    "certificates.root-near-end",
    phase="certificates",
    plane="state",
    threshold="certificates.root-days-left",
    by=["serial"],
    observed="days_left",
    unit="days",
    title="Root CA ends soon",
    detail="root {serial} ends {not_after}",
    remediation="Plan a rotation with an overlap: trust both roots first, sign by the new one after.",
    source="guide, phase 3; linkerd check (60 days)",
)
def root_near_end(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    roots = certificates[(text(certificates["role"]) == "root") & (certificates["not_after"] >= at)]
    return roots.assign(days_left=(roots["not_after"] - at).dt.total_seconds() / _DAY_S)


@check(
    "certificates.trust-split",
    phase="certificates",
    plane="state",
    severity="error",
    by=["trusted"],
    subject="{namespace}/{pod}",
    observed="shared",
    unit="roots",
    title="Groups of proxies have no root in common",
    detail="{count} proxies trust only {trusted}, which no other group trusts",
    remediation="Give every proxy both roots before any leaf is signed by the new one; do not restart callers.",
    source="guide, phase 3; incidents of root rotation: both sides must hold the other's root",
)
def trust_split(trust: pd.DataFrame) -> pd.DataFrame:
    """Every proxy's set of roots, by key; sets that overlap with all others are no split."""
    sets = trust.groupby(["namespace", "pod"], observed=True)["root"].agg(frozenset)
    groups = set(sets)
    lonely = {each for each in groups if any(each.isdisjoint(other) for other in groups)}
    names = trust.groupby(["namespace", "pod"], observed=True)["serial"].agg(
        lambda serials: ", ".join(sorted({str(serial) for serial in serials}))
    )
    split = trust.drop_duplicates(["namespace", "pod"]).set_index(["namespace", "pod"])
    split = split.assign(roots=sets, trusted=names, shared=0).reset_index()
    return split[split["roots"].isin(lonely)]


@check(
    "certificates.pair-cannot-verify",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["server_root", "reason"],
    subject="{server_namespace}/{server_pod}",
    observed="reason",
    title="Leaf certificates that their peers cannot verify",
    detail="callers do not verify {count} servers: {reason}",
    remediation="Distribute both roots to both sides, then renew the leaves.",
    source="guide, phase 3; RFC 5280 §6.1, by key",
)
def pair_cannot_verify(tls_pairs: pd.DataFrame) -> pd.DataFrame:
    return tls_pairs[~true(tls_pairs["verified"], missing=True)]


@check(
    "certificates.empty-chain",
    phase="certificates",
    plane="state",
    severity="error",
    by=["name"],
    title="A proxy holds no certificate of its own",
    detail="secret {name} of {count} proxies has no certificate chain",
    remediation="Look at the agent's log: its certificate request fails, or its token is refused.",
    source="guide, phase 3; an upstream-only TLS context rightly has none, the secret `default` must have one",
)
def empty_chain(secrets: pd.DataFrame, secret_instances: pd.DataFrame) -> pd.DataFrame:
    own = secrets[(text(secrets["name"]) == "default") & (secrets["certificates"].fillna(0) == 0)]
    held = secret_instances[text(secret_instances["state"]).isin(["active", "static"])]
    return held[held["resource"].isin(own["resource"])]
