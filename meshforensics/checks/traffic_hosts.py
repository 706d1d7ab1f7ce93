"""Phase 2: hosts of clusters that a proxy does not use, and why."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._edges import has_flag
from meshforensics.checks._logged import beside_log
from meshforensics.model import Window
from meshforensics.tables import ABSENT, places, text, unlogged

_EJECTED = {"failed_outlier_check"}
_CHECKED = {"failed_active_hc", "active_hc_timeout", "excluded_via_immediate_hc_fail"}
_TOLD = {"failed_eds_health"}


def _with_flag(endpoints: pd.DataFrame, flags: set[str]) -> pd.DataFrame:
    """The hosts that have one of some health flags."""
    return endpoints[has_flag(endpoints, *flags)]


@check(
    "traffic.host-ejected",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "address"],
    observed="address",
    title="A host is ejected for its errors",
    detail="{address} of {cluster} is ejected by outlier detection on {count:proxy|s}",
    remediation="Look at that pod: it answered with errors. It comes back by itself after baseEjectionTime.",
    source="guide, phase 2, step 3; claims 2.4: ejection is what opens and closes again; Envoy /clusters "
    "failed_outlier_check",
)
def host_ejected(endpoints: pd.DataFrame) -> pd.DataFrame:
    return _with_flag(endpoints, _EJECTED)


@check(
    "traffic.health-check-failing",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "address"],
    observed="address",
    title="A host fails the health checks of its callers",
    detail="{address} of {cluster} fails active health checks on {count:proxy|s}",
    remediation="Ask the host what the check asks; look at its port, path and the network between.",
    source="guide, Lyft's health_checking; Envoy /clusters failed_active_hc, active_hc_timeout",
)
def health_check_failing(endpoints: pd.DataFrame) -> pd.DataFrame:
    return _with_flag(endpoints, _CHECKED)


@check(
    "traffic.no-host-usable",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster"],
    observed="hosts",
    unit="hosts",
    title="None of a cluster's hosts is healthy",
    detail="{cluster} has {hosts:host|s} and none is healthy on {count:proxy|s} ({why})",
    remediation="Requests get no healthy upstream, or go to unhealthy hosts in panic: look at readiness and ejection.",
    source="guide, overview (no healthy upstream); Envoy /clusters health_flags",
)
def no_host_usable(endpoints: pd.DataFrame) -> pd.DataFrame:
    """Clusters of the mesh, as /clusters tells; the coarse health of a config dump is not enough."""
    own = endpoints[(endpoints["source"] == "clusters") & text(endpoints["cluster"]).str.startswith("outbound|")]
    usable = own["health"].isin(["HEALTHY", "DEGRADED"])
    dead = own.assign(dead=~usable)
    rows = []
    for key, group in dead.groupby(["namespace", "pod", "cluster"], observed=True):
        if group["dead"].all():
            namespace, pod, cluster = map(str, key)
            flags = sorted({str(flag) for each in group["flags"] if isinstance(each, tuple) for flag in each})
            said = {
                "hosts": len(group),
                "why": ", ".join(flags) or "unhealthy",
                "evidence": places(group),
            }
            rows.append({"namespace": namespace, "pod": pod, "cluster": cluster, **said})
    return pd.DataFrame(rows, columns=["namespace", "pod", "cluster", "hosts", "why", "evidence"])


@check(
    "traffic.panic",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster"],
    observed="rise",
    unit="requests",
    title="A proxy sends to unhealthy hosts, because too few are healthy",
    detail="{rise:request|s} to {cluster} {rise:~was|were} balanced in panic on {namespace}/{pod} between {since} and "
    "{until}"
    "{logged}; {count:proxy counts|proxies count} it",
    remediation="Bring hosts back to health; panic ends when more than the threshold of them are.",
    source="guide, phase 2, step 3; Envoy counter lb_healthy_panic, two samples or a start inside the window",
)
def panic(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """No log tells of it; one says whether calls failed meanwhile."""
    own = unlogged(rises_over_time, ABSENT, window)
    risen = own[(own["name"] == "lb_healthy_panic") & (own["rise"].fillna(0) > 0)]
    return risen.assign(until=risen["at"], logged=beside_log(risen, access_log))


@check(
    "traffic.ejections",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster"],
    observed="rise",
    title="Hosts were ejected for their errors, or failed health checks",
    detail="{name} of {cluster} rose by {rise} on {namespace}/{pod} between {since} and {until}{logged}; "
    "{count:proxy counts|proxies count} it",
    remediation="See /clusters for which hosts; those that came back were ejected before the capture.",
    source="guide, Lyft's health_checking; Envoy counters outlier_detection.ejections_enforced_total and "
    "health_check.failure, two samples or a start inside the window",
)
def ejections(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """No log tells of it; one says whether calls failed meanwhile."""
    own = unlogged(rises_over_time, ABSENT, window)
    names = ("outlier_detection_ejections_enforced_total", "health_check_failure")
    risen = own[own["name"].isin(names) & (own["rise"].fillna(0) > 0)]
    return risen.assign(until=risen["at"], logged=beside_log(risen, access_log))
