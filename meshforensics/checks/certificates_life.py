"""Certificates that end soon: leaves by the share of their own life, all others by days."""

from collections.abc import Iterable

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._places import held_by_proxies, of_objects, of_proxies, with_identity, with_life
from meshforensics.profile import Profile
from meshforensics.tables import keys, text, texts, where


def _late_in_life(certificates: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    """Those valid, but of a short life only near its end: of what lives for days, days left say nothing."""
    alive = with_life(certificates, at)
    long = (alive["not_after"] - alive["not_before"]) > pd.Timedelta(days=profile.number("certificates.short-life"))
    return alive[long | (alive["share_left"] < profile.number("certificates.renewal-share"))]


def _last_of_each(roots: pd.DataFrame) -> pd.DataFrame:
    """Of each holder the root that ends last: an older one beside it is an overlap."""
    holders = [text(roots[name]) for name in ("subject_id", "namespace", "pod")]
    return roots[roots["not_after"] == roots.groupby(holders)["not_after"].transform("max")] if len(roots) else roots


@check(
    "certificates.leaf-not-renewed",
    phase="certificates",
    plane="state",
    threshold="certificates.leaf-life-left",
    by=["trust_domain"],
    observed="share_left",
    unit="ratio",
    title="Workload certificate is past the point where it is renewed",
    detail="leaf {serial} ends {not_after}; {count:proxy|s} of {trust_domain} "
    "{count:~has not renewed its own|have not renewed theirs}",
    remediation="Look at the agent's log and istiod's CA errors: renewal happens at half of the life.",
    source='istio agent SECRET_GRACE_PERIOD_RATIO 0.5; the "under 24 h" of the guide (phase 3) fits every healthy leaf',
)
def leaf_not_renewed(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    leaves = with_identity(of_proxies(certificates, "leaf"))
    alive = with_life(leaves[leaves["identity"] != ""], at)
    return alive.sort_values("share_left", kind="stable")


@check(
    "certificates.root-near-end",
    phase="certificates",
    plane="state",
    threshold="certificates.root-days-left",
    by=["serial"],
    subject="subject_id",
    observed="days_left",
    unit="days",
    title="Root CA ends soon",
    detail="root {serial} ends {not_after}; {count:place holds|places hold} no later one",
    remediation="Plan a rotation with an overlap: trust both roots first, sign by the new one after.",
    source="guide, phase 3 and its 30-day alert; linkerd check (60 days)",
)
def root_near_end(certificates: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    roots = certificates[certificates["role"] == "root"]
    own = roots[~text(roots["place"]).str.startswith("webhook:")]
    return _late_in_life(_last_of_each(own), at, profile)


@check(
    "certificates.intermediate-near-end",
    phase="certificates",
    plane="state",
    threshold="certificates.intermediate-days-left",
    by=["serial"],
    subject="subject_id",
    observed="days_left",
    unit="days",
    title="Intermediate CA ends soon",
    detail="intermediate {serial} ends {not_after}; {count:place holds|places hold} it",
    remediation="Renew it under the same root; istiod takes a new cacerts without a restart since 1.19.",
    source="guide, phase 3 (every element of the chain counts)",
)
def intermediate_near_end(certificates: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    return _late_in_life(certificates[certificates["role"] == "intermediate"], at, profile)


@check(
    "certificates.gateway-near-end",
    phase="certificates",
    plane="edge",
    threshold="certificates.credential-days-left",
    by=["serial"],
    observed="days_left",
    unit="days",
    title="Certificate of a gateway, or of a TLS credential, ends soon",
    detail="{san} ({serial}) ends {not_after}",
    remediation="Renew the Secret that credentialName names; the gateway takes it over without a restart.",
    source="guide, phase 3 and the 24 h of its step 5, which fits these and no workload leaf",
)
def gateway_near_end(certificates: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    leaves = with_identity(of_proxies(certificates, "leaf"))
    return _late_in_life(leaves[leaves["identity"] == ""], at, profile)


@check(
    "certificates.webhook-near-end",
    phase="certificates",
    plane="control",
    threshold="certificates.credential-days-left",
    by=["serial"],
    subject="subject_id",
    observed="days_left",
    unit="days",
    title="The CA that a webhook is verified by ends soon",
    detail="CA {serial} ends {not_after}; the API server verifies {count:webhook configuration|s} by it",
    remediation="Renew the CA and write it into the caBundle with an overlap.",
    source="guide, phase 3; admission webhooks are verified by their caBundle alone",
)
def webhook_near_end(certificates: pd.DataFrame, at: pd.Timestamp, profile: Profile) -> pd.DataFrame:
    return _late_in_life(_last_of_each(of_objects(certificates, "webhook:")), at, profile)


@check(
    "certificates.leaf-outlives-issuer",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["issuer_serial"],
    observed="issuer_end",
    title="CA ends before the leaves that it signed",
    detail="CA {issuer_serial} ends {issuer_end}; {count:proxy holds|proxies hold} leaves that end later, {not_after} "
    "first",
    remediation="Rotate the CA now: the leaves look fresh, and every handshake fails when it ends.",
    source="guide, phase 3; RFC 5280 §6.1 (every certificate of the path must be valid)",
)
def leaf_outlives_issuer(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Only where every certificate of the issuer's name and key that the proxy holds ends before the leaf."""
    whole = held_by_proxies(certificates[certificates["fingerprint"].notna()])
    ends: dict[tuple[str, ...], tuple[pd.Timestamp, str]] = {}
    cas = whole[whole["is_ca"].fillna(False).astype(bool)].sort_values("not_after")
    of = zip(
        keys(cas, "namespace", "pod", "subject", "subject_key_id"), cas["not_after"], texts(cas["serial"]), strict=True
    )
    for key, end, serial in of:
        ends[key] = (end, serial)
    leaves = with_life(whole[whole["role"] == "leaf"], at)
    issuers = [ends.get(key, (pd.NaT, "")) for key in keys(leaves, "namespace", "pod", "issuer", "authority_key_id")]
    known = leaves.assign(
        issuer_end=pd.Series([end for end, _ in issuers], index=leaves.index, dtype=leaves["not_after"].dtype),
        issuer_serial=pd.Series([serial for _, serial in issuers], index=leaves.index, dtype="str"),
    )
    return known[(known["issuer_end"] < known["not_after"]) & (known["issuer_end"] >= at)]


@check(
    "certificates.long-lived-leaf",
    phase="certificates",
    plane="state",
    threshold="certificates.leaf-life",
    by=["trust_domain"],
    observed="life_days",
    unit="days",
    title="Workload certificate lives longer than Istio would sign",
    detail="{count:proxy|s} of {trust_domain} {count:~holds|hold} leaves of {life_days:.0f} days, {serial} first",
    remediation="Shorten the TTL: a leaf that leaks stays good for all of its life.",
    source="istiod MAX_WORKLOAD_CERT_TTL, 90 days; the guide's one year (emergency steps) is no norm",
)
def long_lived_leaf(certificates: pd.DataFrame) -> pd.DataFrame:
    leaves = with_identity(of_proxies(certificates, "leaf"))
    own = leaves[leaves["identity"] != ""]
    return own.assign(life_days=(own["not_after"] - own["not_before"]).dt.total_seconds() / 86400)


_EXPIRY_TIMES = (
    "citadel_server_root_cert_expiry_timestamp",
    "citadel_server_cert_chain_expiry_timestamp",
    "identity_cert_expiration_timestamp_seconds",
)
_AGENT = "istio_agent_cert_expiry_seconds"


@check(
    "certificates.metric-says-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["name"],
    observed="ended_at",
    title="A proxy or CA counts a certificate of its own as ended",
    detail="{name} of {subject} says that its certificate ended {ended_at}; {count:says|say} so",
    remediation="Compare with the certificates themselves; istiod and the Linkerd proxy report what they hold.",
    source="guide, phase 3; istiod citadel_server_*_expiry_timestamp, linkerd2-proxy identity_cert_expiration_*",
)
def metric_says_expired(stats: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Zero and negative values mean that there is none, or that it could not be read."""
    told = stats[stats["name"].isin(_EXPIRY_TIMES) & (stats["real"].fillna(0) > 0)]
    ended = told.assign(ended_at=pd.to_datetime(told["real"].astype("float"), unit="s", utc=True))
    return ended[ended["ended_at"] < at]


@check(
    "certificates.metric-differs",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["name"],
    observed="said_end",
    title="What a metric says of a certificate's end is not so of any certificate there",
    detail="{name} of {subject} says {said_end}, the certificates in use there end {found_end}; {count:differs|differ}",
    remediation="The agent, or istiod, holds another certificate than the proxies use: see what was not taken over.",
    source="guide, phase 3; istio_agent_cert_expiry_seconds, citadel_server_root_cert_expiry_timestamp",
)
def metric_differs(stats: pd.DataFrame, certificates: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """The agent's seconds count from its scrape, and are of its own proxy; istiod's root must be someone's root."""
    slack = pd.Timedelta(seconds=profile.number("certificates.metric-slack"))
    coarse = pd.Timedelta(seconds=profile.number("certificates.root-metric-slack"))
    leaves = with_identity(of_proxies(certificates, "leaf"))
    by_pod = _ends_by_pod(leaves[leaves["identity"] != ""])
    roots = certificates[certificates["role"] == "root"]
    ends = sorted(set(roots[~text(roots["place"]).str.startswith("webhook:")]["not_after"].dropna()))
    agents = stats[(text(stats["name"]) == _AGENT) & text(stats["labels"]).str.contains('"default"', regex=False)]
    said = agents["captured_at"] + pd.to_timedelta(agents["real"].astype("float"), unit="s")
    own = _differing(agents, said, (by_pod.get(pod, []) for pod in keys(agents, "namespace", "pod")), slack)
    istiods = stats[(text(stats["name"]) == _EXPIRY_TIMES[0]) & (stats["real"].fillna(0) > 0)]
    told = pd.to_datetime(istiods["real"].astype("float"), unit="s", utc=True)
    other = _differing(istiods, told, (ends for _ in range(len(istiods))), coarse)
    return pd.concat([own, other]) if len(own) and len(other) else (own if len(own) else other)


def _ends_by_pod(leaves: pd.DataFrame) -> dict[tuple[str, ...], list[pd.Timestamp]]:
    ends: dict[tuple[str, ...], list[pd.Timestamp]] = {}
    for pod, end in zip(keys(leaves, "namespace", "pod"), leaves["not_after"], strict=True):
        if not pd.isna(end):
            ends.setdefault(pod, []).append(end)
    return ends


def _differing(
    rows: pd.DataFrame, said: "pd.Series[pd.Timestamp]", found: Iterable[list[pd.Timestamp]], slack: pd.Timedelta
) -> pd.DataFrame:
    """The rows whose instant is none of those that were found there; where none was found nothing is said."""
    nearest = [
        min(each, key=lambda end: abs(end - one), default=pd.NaT) if not pd.isna(one) else pd.NaT
        for one, each in zip(said, found, strict=True)
    ]
    told = rows.assign(
        said_end=pd.Series(list(said), index=rows.index, dtype="datetime64[us, UTC]"),
        found_end=pd.Series(nearest, index=rows.index, dtype="datetime64[us, UTC]"),
    )
    return where(told, ((told["said_end"] - told["found_end"]).abs() > slack))
