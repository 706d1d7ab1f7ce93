"""What several incidents ask of a case: which proxies there are, what failed, what is missing."""

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from meshforensics.formats.signatures import family_of
from meshforensics.incidents._declare import Case
from meshforensics.model import Evidence, Impact, Missing
from meshforensics.tables import inside, keys, places, text, true, where

KEPT = 5
"""At most so many places are kept with a ground."""

_COMMANDS = {
    "envoy.certs": "kubectl exec -n {namespace} {pod} -c istio-proxy -- pilot-agent request GET certs",
    "envoy.config_dump": "kubectl exec -n {namespace} {pod} -c istio-proxy -- pilot-agent request GET "
    "'config_dump?include_eds'",
    "envoy.stats_prometheus": "kubectl exec -n {namespace} {pod} -c istio-proxy -- pilot-agent request GET "
    "stats/prometheus",
    "envoy.memory": "kubectl exec -n {namespace} {pod} -c istio-proxy -- pilot-agent request GET memory",
    "log.istio-proxy": "kubectl logs -n {namespace} {pod} -c istio-proxy --since=1h",
    "istiod.syncz": "kubectl exec -n istio-system deploy/istiod -- pilot-discovery request GET /debug/syncz",
    "kubernetes.pods": "kubectl get pods -A -o yaml",
    "istiod.version": "istioctl version -o yaml",
}

Proxy = tuple[str, str]


def known_proxies(case: Case) -> set[Proxy]:
    """Every proxy that anything tells of: injected pods, what istiod serves, what was captured."""
    pods = case.source.frame("pods")
    known = set(
        keys(pods[true(pods["injected"], missing=False) & (text(pods["phase"]) == "Running")], "namespace", "pod")
    )
    for table in ("proxies", "xds_sync"):
        known |= set(keys(case.source.frame(table), "namespace", "pod"))
    return {(namespace, pod) for namespace, pod in known if pod}


def without(case: Case, table: str) -> list[Proxy]:
    """The known proxies that `table` has no row of, sorted."""
    return sorted(known_proxies(case) - set(keys(case.source.frame(table), "namespace", "pod")))


def complete(case: Case, *tables: str) -> bool:
    """Whether it is known which proxies there are, and each table has rows of every one of them.

    Only then is an empty table clear. Who is there is told by a whole list of pods or by istiod; what was
    captured cannot tell it of itself.
    """
    told = lists_all_pods(case) or bool(len(case.source.frame("xds_sync")))
    return told and bool(known_proxies(case)) and not any(without(case, table) for table in tables)


def lists_all_pods(case: Case) -> bool:
    """Whether a list of all pods was captured; a description of some pods, or a list of one namespace, is none."""
    pods = case.source.frame("pods")
    return bool(text(pods["item"]).str.startswith(("kubernetes.pods:-@", "foreign.k8s-resources:")).any())


def missing(case: Case, table: str, kind: str) -> tuple[Missing, ...]:
    """The item to capture next, where `table` lacks known proxies or says nothing."""
    command = _COMMANDS.get(kind, "")
    reason = case.source.reason(table)
    lacking = without(case, table) if "{pod}" in command else []
    if not lacking:
        return (Missing(kind=kind, subject="-", why=reason, command=command),) if reason else ()
    namespace, pod = lacking[0]
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return (
        Missing(
            kind=kind,
            subject=f"{namespace}/{pod}",
            why=(reason or f"not captured: {kind}") + more,
            command=command.format(namespace=namespace, pod=pod),
        ),
    )


def recent_calls(case: Case) -> pd.DataFrame:
    """The calls of the window; empty where there is no window or no access log."""
    calls = case.source.frame("calls")
    return inside(calls, case.window) if case.window else calls.iloc[:0]


def failed_by(case: Case, families: Iterable[str]) -> pd.DataFrame:
    """The failed calls of the window that belong to one of these families, oldest first."""
    calls = recent_calls(case)
    chosen = calls[true(calls["failed"], missing=False) & text(calls["family"]).isin(list(families))]
    return chosen.sort_values(["at", "namespace", "pod", "pointer"])


def refused_by_servers(case: Case, families: Iterable[str]) -> pd.DataFrame:
    """Calls of the window that a server's own proxy refused, as that proxy logged them, in the form of calls."""
    log = case.source.frame("access_log")
    seen = inside(log, case.window) if case.window else log.iloc[:0]
    served = seen[text(seen["direction"]) == "inbound"]
    named = [
        family_of(tuple(flags or ()), details, reason)
        for flags, details, reason in zip(
            served["flags"], text(served["details"]), text(served["failure_reason"]), strict=True
        )
    ]
    made = served.assign(
        family=named, host=text(served["authority"]), caller=text(served["downstream_remote"]), failed=True
    )
    return where(made, (family in set(families) for family in named)).sort_values(["at", "namespace", "pod", "pointer"])


def first_at(frame: pd.DataFrame) -> datetime | None:
    """The earliest `at` of some rows."""
    at = frame["at"].min() if len(frame) else pd.NaT
    return None if pd.isna(at) else at.to_pydatetime()


def shown(case: Case, frame: pd.DataFrame) -> tuple[Evidence, ...]:
    """The first places of some rows, as evidence."""
    return tuple(case.source.evidence_at(*place) for place in dict.fromkeys(places(frame)[:KEPT]) if place[0])


def impact_of(case: Case, failed: pd.DataFrame) -> Impact | None:
    """Failed calls out of all calls on the edges that they failed on, in the window."""
    if failed.empty:
        return None
    edges = set(keys(failed, "caller", "host"))
    calls = recent_calls(case)
    total = max(len(failed), sum(edge in edges for edge in keys(calls, "caller", "host")))
    return Impact(failed=len(failed), total=total, services=tuple(sorted({host for _, host in edges})))


def edges_in_words(failed: pd.DataFrame) -> str:
    """The edges of some calls: ``travel/search to pricing.travel.svc.cluster.local``, at most three."""
    edges = sorted(set(keys(failed, "caller", "host")))
    said = ", ".join(f"{caller} to {host}" for caller, host in edges[:3])
    return said + (f" and {len(edges) - 3} more" if len(edges) > 3 else "")


def subjects_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """The pods of some rows, sorted."""
    return tuple(sorted({f"{namespace}/{pod}" for namespace, pod in keys(frame, "namespace", "pod") if pod}))
