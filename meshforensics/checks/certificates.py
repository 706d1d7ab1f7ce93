"""Phase 3: certificates that have ended or not begun, of every place, as of the capture."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._places import of_objects, of_proxies, with_identity, without_a_valid_one
from meshforensics.tables import keys, where


@check(
    "certificates.root-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["serial"],
    observed="not_after",
    title="Root CA expired before the capture",
    detail="root {serial} ended {not_after}; {count:place holds|places hold} it",
    remediation="Issue a new root with an overlap: trust both, restart in order, then drop the old one.",
    source="guide, phase 3, step 5; RFC 5280 §4.1.2.5",
)
def root_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """A holder that also trusts a valid root is in an overlap, which is no fault."""
    roots = of_proxies(certificates, "root")
    ended = roots[roots["not_after"] < at]
    valid = roots[roots["not_after"] >= at]
    safe = set(keys(valid, "namespace", "pod"))
    return where(ended, (holder not in safe for holder in keys(ended, "namespace", "pod")))


@check(
    "certificates.intermediate-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["serial"],
    observed="not_after",
    title="Intermediate CA expired before the capture",
    detail="intermediate {serial} ended {not_after}; {count:place holds|places hold} it",
    remediation="Renew the intermediate; proxies pick it up when their leaf is next signed, or when restarted.",
    source="guide, phase 3, step 5 (every element of the chain counts); RFC 5280 §6.1",
)
def intermediate_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """One that its holder also has as a newer certificate of the same name and key is no fault: the path goes there."""
    middle = certificates[certificates["role"] == "intermediate"]
    ended, valid = middle[middle["not_after"] < at], certificates[certificates["not_after"] >= at]
    renewed = set(keys(valid[valid["spki"].notna()], "subject_id", "subject", "spki"))
    return where(ended, (each not in renewed for each in keys(ended, "subject_id", "subject", "spki")))


@check(
    "certificates.leaf-expired",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["cause"],
    observed="not_after",
    title="A proxy's own certificate expired before the capture",
    detail="leaf {serial} ended {not_after}; {count:proxy holds|proxies hold} one that has ended, {cause}",
    remediation="Capture, restart the proxy, look for why istiod no longer signs; of a gateway, renew the Secret.",
    source="guide, phase 3, step 5; RFC 5280 §4.1.2.5",
)
def leaf_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Workload certificates and the credentials of gateways; many that ended in one trust domain have one cause."""
    leaves = certificates[certificates["role"] == "leaf"]
    return with_identity(leaves[leaves["not_after"] < at]).sort_values("not_after", kind="stable")


@check(
    "certificates.authority-expired",
    phase="certificates",
    plane="state",
    severity="error",
    by=["serial"],
    subject="subject_id",
    observed="not_after",
    title="A CA certificate that the control plane gives out or signs with expired",
    detail="{role} {serial} ended {not_after}; {count:object holds|objects hold} it, {subject_id}{count:~| first}",
    remediation="Renew it in the Secret that istiod or linkerd-identity signs with; what is given out follows.",
    source="guide, phase 3, step 5 (read ca-cert.pem, cacerts and istio-ca-root-cert, not root-cert.pem alone)",
)
def authority_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Secrets and ConfigMaps of the mesh; beside a valid one it is an overlap."""
    held = of_objects(certificates, "secret:", "configmap:")
    cas = held[held["role"].isin(["root", "root-in-chain"])]
    return without_a_valid_one(cas[cas["not_after"] < at], cas, at)


@check(
    "certificates.webhook-authority-expired",
    phase="certificates",
    plane="control",
    severity="error",
    by=["serial"],
    subject="subject_id",
    observed="not_after",
    title="The CA that a webhook is verified by expired",
    detail="CA {serial} ended {not_after}; the API server verifies {count:webhook configuration|s} by it",
    remediation="Write the CA that signs the webhook's serving certificate into its caBundle; istiod does so at start.",
    source="guide, phase 3; Go's x509 refuses a root that has ended",
)
def webhook_authority_expired(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """A bundle that also has a valid CA is in an overlap."""
    held = of_objects(certificates, "webhook:")
    return without_a_valid_one(held[held["not_after"] < at], held, at)


@check(
    "certificates.not-yet-valid",
    phase="certificates",
    plane="state",
    severity="error",
    by=["role", "cause"],
    observed="not_before",
    title="Certificate is not yet valid at the capture",
    detail="{role} {serial} begins {not_before}; {count:holds|hold} one that has not begun",
    remediation="Compare the clocks of the nodes; istiod back-dates by two minutes.",
    source="RFC 5280 §4.1.2.5; istiod ClockSkewGracePeriod",
)
def not_yet_valid(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """A root given out before its time beside a valid one is how an overlap begins."""
    early = certificates[certificates["not_before"] > at]
    roots = early["role"] == "root"
    lonely = without_a_valid_one(early[roots], certificates[certificates["role"] == "root"], at)
    return with_identity(pd.concat([early[~roots], lonely]))
