"""Calls end by a route's timeout (UT)."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by, recent_calls
from meshforensics.incidents._families import by_family
from meshforensics.tables import keys, texts

FAMILIES = ("upstream-timeout",)
_SLOW = 0.5


@incident("upstream-timeout", about="Calls end by a route's timeout (UT).", precedence=15)
def upstream_timeout(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged; what is slow may stand hops behind the timeout."""
    slow = slow_below(case, failed_by(case, FAMILIES))
    return by_family(
        case,
        FAMILIES,
        what="the route's timeout ends them",
        next_step="Look at the slow workload first, then at timeout and retries.",
        also=slow,
        beside=f"The same requests are slow at {', '.join(slow)}." if slow else "",
    )


def slow_below(case: Case, failed: pd.DataFrame) -> tuple[str, ...]:
    """The hosts on which the requests that timed out spent most of their time, further down than the timeout."""
    if "request_id" not in failed or failed.empty:
        return ()
    calls = recent_calls(case)
    limits = dict(zip(texts(failed["request_id"]), failed["duration_ms"].fillna(0), strict=True))
    limits.pop("", None)
    same = calls[calls["request_id"].isin(limits)]
    edges = set(keys(failed, "caller", "host"))
    slow = [
        (caller, host)
        for (caller, host), request, spent in zip(
            keys(same, "caller", "host"), texts(same["request_id"]), same["duration_ms"].fillna(0), strict=True
        )
        if (caller, host) not in edges and spent >= _SLOW * limits[request] > 0
    ]
    callers = {caller.rpartition("/")[2] for caller, _ in edges}
    below = {host for caller, host in slow if host and not any(_names(host, each) for each in callers)}
    return tuple(sorted(below))


def _names(host: str, workload: str) -> bool:
    """Whether a host is the service of a workload, by their names: ``web-v1`` serves ``web.shop.…``."""
    service = host.partition(".")[0]
    return workload == service or workload.startswith(f"{service}-")
