"""The certificate authority in istiod: what it was asked to sign, and what it did not."""

import pandas as pd

from meshforensics.checks._counts import ISTIOD, label, of, recent
from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import keys

_REQUESTS = "citadel_server_csr_count"
_UNSIGNED = (
    "citadel_server_csr_sign_err_count",
    "citadel_server_csr_parsing_err_count",
    "citadel_server_id_extraction_err_count",
)
_STRANGERS = ("citadel_server_authentication_failure_count",)


@check(
    "control-plane.csr-failures",
    phase="control-plane",
    plane="control",
    threshold="control-plane.csr-failure-share",
    by=["namespace", "pod", "name"],
    observed="share",
    unit="ratio",
    title="istiod fails to sign certificates",
    detail="{rose} of {total} certificate requests to {namespace}/{pod} failed since {since}: {name} {error}",
    remediation="Read istiod's log: a CA that has ended or cannot be read, or a lifetime above its maximum. Leaves "
    "end within hours of this.",
    source="guide, phase 1, step 2 (citadel); istiod citadel_server_csr_sign_err_count and its like",
)
def csr_failures(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    rows = _shares(recent(istiod_counts_over_time, window, profile), _UNSIGNED)
    return rows.assign(error=label(rows, "error"))


@check(
    "control-plane.unknown-callers",
    phase="control-plane",
    plane="control",
    threshold="control-plane.refused-callers",
    by=["namespace", "pod"],
    observed="share",
    unit="ratio",
    title="istiod refuses certificate requests of callers it does not know",
    detail="{rose} of {total:request|s} to {namespace}/{pod} {rose:~was|were} not authenticated since {since}",
    remediation="Look at the tokens of these pods: audience, issuer, a token of another cluster, clocks.",
    source="guide, phase 1, step 2 (citadel); istiod citadel_server_authentication_failure_count",
)
def unknown_callers(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    rows = _shares(recent(istiod_counts_over_time, window, profile), _STRANGERS)
    return rows[rows["total"] >= profile.threshold("control-plane.refused-callers").minimum]


def _shares(counts: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Counters of failures, as shares of the requests of their istiod; at least the failures are requests."""
    asked = of(counts, [_REQUESTS])
    totals = dict(zip(keys(asked, *ISTIOD), asked["rose"].astype(int), strict=True))
    failed = of(counts, names)
    failed = failed[failed["rose"] > 0]
    pairs = zip(keys(failed, *ISTIOD), failed["rose"].astype(int), strict=True)
    total = [max(totals.get(pod, 0), rose) for pod, rose in pairs]
    return failed.assign(total=total, share=failed["rose"].astype(float) / pd.Series(total, index=failed.index))
