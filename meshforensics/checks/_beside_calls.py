"""What else tells of calls that failed at their upstream: hosts, limits, timeouts, protocols, the proxy itself."""

import pandas as pd

from meshforensics.checks._beside_counters import own_counters
from meshforensics.checks._hosts import service_of
from meshforensics.checks._lines import Lines, Tells
from meshforensics.model import format_time
from meshforensics.model.words import count_of, in_words
from meshforensics.tables import inside, keys, text, texts, where

_LEAST_LIMIT = 2**32 - 1
_LIMITS = ["max_connections", "max_pending_requests", "max_requests"]
_DEFAULT_LIMIT = 1024
"""What Envoy takes for each of them where none is set: CircuitBreakers.Thresholds."""

_ACTION = r"(?:\A|[._])overload[._].*[._]active\Z"
"""A gauge of the overload manager, 1 while its action is active."""

_BY_DNS = ("STRICT_DNS", "LOGICAL_DNS")


def _no_cluster(lines: Lines) -> str:
    clusters = lines.table("clusters")
    if clusters.empty or not lines.clusters:
        return _routed_nowhere(clusters, lines.table("routes"))
    there = lines.clusters & set(texts(clusters["name"]))
    if there:
        return f"refuted as of the capture: {min(there)} is there by now"
    return f"confirmed: no proxy has {min(lines.clusters)}"


def _routed_nowhere(clusters: pd.DataFrame, routes: pd.DataFrame) -> str:
    """Where the lines do not name the cluster: a route to one that no proxy has."""
    if clusters.empty or routes.empty:
        return ""
    lost = routes[~text(routes["cluster"]).isin([*text(clusters["name"]), ""])]
    if lost.empty:
        return ""
    first = lost.iloc[0]
    return f"confirmed: route configuration {first['route_config']} names {first['cluster']}, which no proxy has"


def _no_host(lines: Lines) -> str:
    hosts = lines.hosts
    if hosts.empty:
        return _no_balancer(lines)
    healthy = int((hosts["health"] == "HEALTHY").sum())
    first = str(hosts["cluster"].iloc[0])
    if not healthy:
        return f"confirmed: {first} has {count_of(len(hosts), 'host')}, none of them healthy"
    said = "refuted as of the capture: {healthy} of {hosts:host|s} of {first} {healthy:~is|are} healthy"
    return in_words(said, healthy=healthy, hosts=len(hosts), first=first)


def _no_balancer(lines: Lines) -> str:
    """Linkerd's balancers without a ready endpoint."""
    ready = own_counters(lines, ('outbound_http_balancer_endpoints{endpoint_state":"ready"}',))
    if ready.empty:
        return ""
    idle = int((ready["real"].fillna(0) == 0).sum())
    every = count_of(len(ready), "balancer")
    return (
        f"confirmed: {idle} of {every} of who logged it {'has' if idle == 1 else 'have'} no ready endpoint"
        if idle
        else ""
    )


def _limit(lines: Lines) -> str:
    """What a cluster does not set is Envoy's default."""
    clusters = lines.table("clusters")
    own = clusters[clusters["name"].isin(lines.clusters)] if len(clusters) else clusters
    if own.empty:
        return ""
    least = own[_LIMITS].astype("float").fillna(_DEFAULT_LIMIT).min(axis=1).min()
    if least >= _LEAST_LIMIT:
        return "refuted: its limits are as good as none"
    return f"confirmed: {own['name'].iloc[0]} has a limit of {least:.0f}"


def _timed_out(lines: Lines) -> str:
    """A route's own timeout; that none is set says nothing of a timeout that the caller asks for."""
    routes = lines.table("routes")
    own = routes[routes["cluster"].isin(lines.clusters) & (routes["timeout_s"] > 0)] if len(routes) else routes
    if own.empty:
        return ""
    first = own.sort_values("timeout_s", kind="stable").iloc[0]
    return f"confirmed: a route to {first['cluster']} has a timeout of {first['timeout_s']:g} s"


def _unconnected(lines: Lines) -> str:
    """Counted since each proxy's start, so that a count confirms, and only its absence refutes."""
    hosts = lines.hosts
    known = hosts[hosts["cx_connect_fail"].notna()] if len(hosts) else hosts
    if known.empty:
        return ""
    failing = set(texts(known[known["cx_connect_fail"] > 0]["address"]))
    number = known["address"].nunique()
    if failing:
        some = f"{len(failing)} of {count_of(number, 'host')}, {min(failing)} first"
        return f"confirmed: failed connections are counted at {some}"
    return f"no proxy counts a failed connection to the {count_of(number, 'host that is', 'hosts that are')} there now"


def _ended_upstream(lines: Lines) -> str:
    """Whether a container behind the clusters ended about then."""
    containers = lines.table("containers")
    if containers.empty or not lines.behind:
        return ""
    behind = where(containers, (pod in lines.behind for pod in keys(containers, "namespace", "pod")))
    ended = behind[
        (behind["last_finished_at"] >= pd.Timestamp(lines.window.start)) & (behind["last_finished_at"] <= lines.last)
    ]
    if len(ended):
        one = ended.sort_values("last_finished_at", kind="stable").iloc[-1]
        who = f"{one['container']} of {one['namespace']}/{one['pod']}"
        return f"confirmed: {who} ended at {format_time(one['last_finished_at'])}"
    pods = len(set(keys(behind, "namespace", "pod")))
    return f"no container of its {count_of(pods, 'pod')} ended in the window" if pods else ""


def _resolved(lines: Lines) -> str:
    clusters = lines.table("clusters")
    own = (
        clusters[clusters["name"].isin(lines.clusters) & clusters["type"].isin(_BY_DNS)] if len(clusters) else clusters
    )
    return f"{own['name'].iloc[0]} is resolved by DNS ({own['type'].iloc[0]})" if len(own) else ""


def _maintained(lines: Lines) -> str:
    held = lines.own("runtime_keys")
    named_there = held[text(held["name"]).str.startswith("upstream.maintenance_mode.")] if len(held) else held
    if named_there.empty:
        return ""
    first = named_there.iloc[0]
    return f"confirmed: {first['name']} is {first['setting']} at {first['namespace']}/{first['pod']}"


def _overloaded(lines: Lines) -> str:
    stats = lines.table("stats")
    actions = lines.of_own_pods(stats[text(stats["name"]).str.contains(_ACTION)]) if len(stats) else stats
    if actions.empty:
        return ""
    active = actions[actions["real"].fillna(0) > 0]
    if len(active):
        first = active.iloc[0]
        return f"confirmed: {first['name']} is {first['real']:g} at {first['namespace']}/{first['pod']}"
    return "over as of the capture: no action of the overload manager is active"


def _port_names(lines: Lines) -> str:
    """What the Service says that the port speaks, by which the mesh goes."""
    ports = lines.table("service_ports")
    for name in sorted(lines.clusters) if len(ports) else ():
        _, number, _, host = ("|||" + name).split("|")[-4:]
        service = service_of(host)
        own = (
            where(ports, (each == service for each in keys(ports, "namespace", "service")))
            if service
            else ports.iloc[:0]
        )
        own = own[own["port"].astype("str") == number]
        if len(own):
            said = text(own["app_protocol"]).iloc[0] or text(own["port_name"]).iloc[0]
            named_so = f"is declared as {said}" if said else "has no name"
            return f"port {number} of Service {service[0]}/{service[1]} {named_so}" if service else ""
    return ""


def _passed_on(lines: Lines) -> str:
    log = lines.own("access_log")
    if log.empty:
        return ""
    seen = inside(log, lines.window)
    count = int(((seen["status"] == 503) & (seen["details"] == "via_upstream")).sum())
    said = count_of(count, "call that these proxies logged was", "calls that these proxies logged were")
    return f"confirmed: {said} answered 503 by the upstream itself" if count else ""


def _opaque(lines: Lines) -> str:
    """Pods that declare no opaque port, whose ports Linkerd looks into."""
    pods = lines.own("pods")
    if pods.empty:
        return ""
    declared = text(pods["annotations"]).str.contains("config.linkerd.io/opaque-ports", regex=False)
    many = count_of(len(pods), "pod that logged it", "pods that logged it")
    return f"{int((~declared).sum())} of {many} declare no opaque port"


_CX = ("upstream_cx_connect_fail", "upstream_cx_connect_timeout")

TELLS = {
    "no-cluster": Tells(
        topic="calls", judge=_no_cluster, by="whether any proxy has the cluster, or a route names one that none has",
        counters=("no_cluster",), flags=("NC",),
    ),
    "no-healthy-upstream": Tells(
        topic="calls", judge=_no_host,
        by="the health of the cluster's hosts; Linkerd's balancers without ready endpoint",
        counters=("upstream_cx_none_healthy",), only=("S4",), flags=("UH",),
    ),
    "connect-failure": Tells(
        topic="calls", judge=_unconnected, by="failed connections by host of the cluster, of /clusters",
        counters=_CX, flags=("UF",),
    ),
    "overflow": Tells(
        topic="calls", judge=_limit, by="the limits of the cluster",
        counters=("upstream_rq_pending_overflow", "upstream_cx_overflow", "upstream_cx_pool_overflow",
                  "upstream_rq_active_overflow"),
        flags=("UO",),
    ),
    "upstream-timeout": Tells(
        topic="calls", judge=_timed_out, by="timeouts of the routes to the cluster",
        counters=("upstream_rq_timeout", "upstream_rq_per_try_timeout"), only=("R9", "R10"), flags=("UT",),
    ),
    "upstream-reset": Tells(
        topic="calls", judge=_ended_upstream, by="containers behind the cluster that ended in the window",
        counters=("upstream_rq_rx_reset", "upstream_cx_destroy_remote_with_active_rq"), flags=("UC", "UR"),
    ),
    "local-reset": Tells(
        topic="calls", counters=("upstream_rq_tx_reset", "upstream_cx_destroy_local_with_active_rq"), flags=("LR",)
    ),
    "protocol": Tells(
        topic="calls", judge=_port_names, by="name and appProtocol of the Service's port",
        counters=("upstream_cx_protocol_error", "downstream_cx_protocol_error"), flags=("UPE", "DPE"),
    ),
    "idle-timeout": Tells(topic="calls", counters=("downstream_rq_idle_timeout",), flags=("SI",)),
    "max-duration": Tells(
        topic="calls", counters=("upstream_rq_max_duration_reached", "downstream_rq_max_duration_reached"),
        flags=("DT", "UMSDR"),
    ),
    "overload": Tells(
        topic="calls", judge=_overloaded, by="gauges of the overload manager's actions",
        counters=("downstream_rq_overload_close", "downstream_cx_overload_reject", "downstream_cx_overflow"),
        flags=("OM",),
    ),
    "maintenance": Tells(
        topic="calls", judge=_maintained, by="runtime keys upstream.maintenance_mode",
        counters=("upstream_rq_maintenance_mode",),
    ),
    "upgrade-refused": Tells(topic="calls", counters=("downstream_rq_ws_on_non_ws_route",)),
    "too-large": Tells(topic="calls", counters=("downstream_rq_too_large", "rs_too_large")),
    "bad-request": Tells(
        topic="calls", counters=("downstream_rq_non_relative_path", "downstream_rq_failed_path_normalization"),
        only=("R27",),
    ),
    "client-gone": Tells(
        topic="calls", counters=("downstream_cx_destroy_remote_active_rq", "downstream_rq_rx_reset"), flags=("DC",)
    ),
    "dns": Tells(
        topic="calls", judge=_resolved, by="how the cluster finds its hosts",
        counters=("update_failure", "dns_query_failure"), flags=("DF",),
    ),
    "not-of-the-mesh": Tells(
        topic="calls", judge=_passed_on, by="calls of the same proxies that the upstream itself answered 503"
    ),
    "tls-detection": Tells(
        topic="calls", judge=_opaque, by="pods that declare no opaque port",
        counters=('inbound_http_errors_total{error":"tls detection timeout"}',),
    ),
    "gateway-loop": Tells(topic="calls", counters=('http_errors_total{error":"gateway loop"}',)),
    "unclassified": Tells(topic="calls", counters=('http_errors_total{error":"unexpected"}',)),
}  # fmt: skip
