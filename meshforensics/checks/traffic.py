"""Phase 2: what failed in the window, on which edge, and who decided."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._edges import commonest, edges, together
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, places, text, true, unlogged


@check(
    "traffic.server-errors",
    phase="traffic",
    plane="service",
    threshold="traffic.response-5xx-share",
    by=["host", "family"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls fail on an edge",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} failed since {began} ({family}, decided by "
    "{decided_by}; {ways}){together}",
    remediation="Read who decided: the caller's own answer is about route, trust or endpoints; a passed-on one is "
    "about the service behind.",
    source="guide, phase 2, step 3 (upstream_rq_503 over 10 %), by response flags and code details, counted once per "
    "hop at the caller",
)
def server_errors(calls: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """What a policy denied is `access.denied`, what a limit refused `traffic.too-many-requests`."""
    seen = inside(calls, window)
    failing = edges(seen, true(seen["failed"], missing=False) & ~seen["status"].fillna(0).isin([403, 429]))
    enough = failing[failing["total"] >= profile.threshold("traffic.response-5xx-share").minimum]
    return together(enough, "host", "family")


_REFUSED = ("rate-limited", "rbac-denied")


@check(
    "traffic.counted-errors",
    phase="traffic",
    plane="service",
    threshold="traffic.response-5xx-share",
    by=["host", "family"],
    subject="caller",
    observed="share",
    unit="ratio",
    title="Calls fail on an edge, as counters tell",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} failed between {since} and {until} ({family})",
    remediation="Turn access logging on for this proxy to see which calls, and who decided.",
    source="Envoy cluster counters and istio_requests_total: two samples, or a start inside the window",
)
def counted_errors(
    counted_calls_over_time: pd.DataFrame, window: Window, profile: Profile, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Only of proxies that logged no call in the window: what was logged is judged by its lines.

    What a limit or a policy refused is no error of itself, and has checks of its own.
    """
    own = unlogged(counted_calls_over_time, access_log, window)
    own = own[~true(own["aside"], missing=False)]
    refused = (own["status"].fillna(0) == 429) | text(own["family"]).isin(_REFUSED)
    own = own.assign(failed=true(own["failed"], missing=False) & ~refused)
    failing = _counted_edges(own[own["calls"] > 0])
    return failing[failing["total"] >= profile.threshold("traffic.response-5xx-share").minimum]


def _counted_edges(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per caller and host with a failure; what is not counted by host is a share of all its calls."""
    rows = []
    for caller, own in counted.groupby("caller", observed=True):
        bad = own[true(own["failed"], missing=False)]
        for host, group in bad.groupby(text(bad["host"])):
            total = own[text(own["host"]) == host] if host else own
            failed = int(group["calls"].sum())
            rows.append(
                {
                    "caller": caller,
                    "host": host or "hosts not counted apart",
                    "total": int(total["calls"].sum()),
                    "failed_calls": failed,
                    "share": failed / int(total["calls"].sum()),
                    "since": group["since"].min(),
                    "until": group["at"].max(),
                    "family": commonest(group["family"]) or "unknown",
                    "evidence": places(group),
                }
            )
    return pd.DataFrame(rows) if rows else counted.iloc[:0].assign(total=0, share=0.0)
