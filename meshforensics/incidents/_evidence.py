"""What several incidents ask of a case: which proxies there are, what failed, what is missing."""

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from meshforensics.formats.signatures import family_of
from meshforensics.incidents._declare import Case, Proxy, once
from meshforensics.model import Evidence, Impact, Missing
from meshforensics.tables import callers_of, inside, ips_of, keys, places, text, texts, true, unlogged, where

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


@once
def known_proxies(case: Case) -> frozenset[Proxy]:
    """Every proxy that anything tells of: injected pods, istiod's list, what was captured.

    A pod that is being deleted counts only where it was captured: its proxy may be gone already.
    """
    pods = case.source.frame("pods")
    running = pods[true(pods["injected"], missing=False) & (pods["phase"] == "Running")]
    leaving = set(keys(pods[true(pods["deleting"], missing=False)], "namespace", "pod"))
    captured = set(keys(case.source.frame("proxies"), "namespace", "pod"))
    told = {*keys(running, "namespace", "pod"), *keys(case.source.frame("xds_sync"), "namespace", "pod")}
    return frozenset(each for each in (told - leaving) | captured if each[1])


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


@once
def lists_all_pods(case: Case) -> bool:
    """Whether a list of all pods was captured; a description of some pods, or a list of one namespace, is none."""
    pods = case.source.frame("pods")
    return bool(text(pods["item"]).str.startswith(("kubernetes.pods:-@", "foreign.k8s-resources:")).any())


def missing(case: Case, table: str, kind: str) -> tuple[Missing, ...]:
    """The item to capture next, where `table` lacks known proxies or says nothing."""
    command = _COMMANDS.get(kind, "")
    reason = case.source.reason(table)
    asked = "{pod}" in command
    foreign = of_linkerd(case) if asked else frozenset()
    lacking = [proxy for proxy in without(case, table) if proxy not in foreign] if asked else []
    if foreign and not lacking:
        return ()
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


@once
def of_linkerd(case: Case) -> frozenset[Proxy]:
    """The pods whose proxy is Linkerd's, which has none of Envoy's pages."""
    containers = case.source.frame("containers")
    own = set(keys(containers[containers["container"] == "istio-proxy"], "namespace", "pod"))
    return frozenset(keys(containers[containers["container"] == "linkerd-proxy"], "namespace", "pod")) - own


@once
def recent_calls(case: Case) -> pd.DataFrame:
    """The calls of the window: a row each where a proxy logged them, else a row for as many as it counted alike.

    `calls` is how many a row stands for. What was counted has no instant; `at` is the begin of its span where
    the span before it was seen too, else missing.
    """
    calls = case.source.frame("calls")
    logged = (inside(calls, case.window) if case.window else calls.iloc[:0]).assign(calls=1)
    counted = counted_recently(case)
    if counted.empty:
        return logged
    counted = counted.assign(upstream_host=_unreachable(case, counted))
    known_before = counted["since"] > counted.groupby(["namespace", "pod"], observed=True)["since"].transform("min")
    dated = counted.assign(at=counted["since"].where(known_before))
    return pd.concat([logged, dated[dated["calls"] > 0].drop(columns=["since"])], ignore_index=True)


def _unreachable(case: Case, counted: pd.DataFrame) -> list[str]:
    """For failed connections that were counted: the host of the cluster that refused most of them since its start."""
    endpoints = case.source.frame("endpoints")
    failing = endpoints[endpoints["cx_connect_fail"].fillna(0) > 0].sort_values("cx_connect_fail", kind="stable")
    worst = dict(zip(keys(failing, "namespace", "pod", "cluster"), texts(failing["address"]), strict=True))
    of = zip(keys(counted, "namespace", "pod", "cluster"), texts(counted["family"]), strict=True)
    return [worst.get(key, "") if family == "connect-failure" else "" for key, family in of]


@once
def unconfigured(case: Case) -> dict[str, Proxy]:
    """Addresses of the pods whose proxy was never sent listeners, or refuses them: why a caller cannot connect.

    A sidecar takes its pod's connections; where its caller, and not itself, is refused, it does not listen.
    """
    sync = case.source.frame("xds_sync")
    never = sync[(sync["status"] == "NOT SENT") & (sync["type"] == "lds")]
    rejections = case.source.frame("rejections")
    refused = rejections[true(rejections["current"], missing=False) & (rejections["type"] == "lds")]
    lacking = {*keys(never, "namespace", "pod"), *keys(refused, "namespace", "pod")}
    return {ip: proxy for ip, proxy in pod_addresses(case).items() if proxy in lacking}


@once
def pod_addresses(case: Case) -> dict[str, Proxy]:
    """The address of each pod, as Kubernetes or its proxy tells it."""
    found: dict[str, Proxy] = {}
    for table in ("proxies", "pods"):
        frame = case.source.frame(table)
        for namespace, pod, ip in keys(frame, "namespace", "pod", "ip"):
            if ip:
                found[ip] = (namespace, pod)
    return found


def of_unconfigured(case: Case, failed: pd.DataFrame) -> pd.DataFrame:
    """Those failed calls that tried a pod whose proxy has no listeners of its own."""
    lacking = unconfigured(case)
    ips = ips_of(failed["upstream_host"])
    return where(failed, ips.isin(list(lacking)))


@once
def _sent(case: Case) -> pd.DataFrame:
    """The calls that counters tell of, each as its caller counts it."""
    counted = case.source.over_time("counted_calls")
    return counted[~true(counted["aside"], missing=False)]


@once
def counted_recently(case: Case) -> pd.DataFrame:
    """What counters tell of the window, of the proxies that logged no call in it: logging is off, or nobody called."""
    counted = _sent(case)
    if case.window is None or counted.empty:
        return counted.iloc[:0]
    return unlogged(counted, case.source.frame("access_log"), case.window)


@once
def _logging(case: Case) -> set[Proxy]:
    """The proxies of which a request was logged in the window."""
    log = case.source.frame("access_log")
    seen = inside(log, case.window) if case.window else log.iloc[:0]
    return set(keys(seen, "namespace", "pod"))


@once
def unheard(case: Case) -> list[Proxy]:
    """The known proxies of which nothing tells how their calls of the window ended, sorted.

    A call in the log or counters of the window tell it; counters since an earlier start do where nothing failed.
    """
    counted = _sent(case)
    failed = counted[true(counted["failed"], missing=False)]
    sound = set(keys(counted, "namespace", "pod")) - set(keys(failed, "namespace", "pod"))
    told = sound | _logging(case) | set(keys(counted_recently(case), "namespace", "pod"))
    return sorted(known_proxies(case) - told)


@once
def unexplained(case: Case) -> pd.DataFrame:
    """Calls of the window that failed as counters tell, which do not tell how."""
    counted = counted_recently(case)
    return counted[true(counted["failed"], missing=False) & (text(counted["family"]) == "")]


def how_many(calls: pd.DataFrame) -> int:
    """How many calls some rows of `recent_calls` stand for."""
    return int(calls["calls"].sum()) if "calls" in calls else len(calls)


def failed_by(case: Case, families: Iterable[str]) -> pd.DataFrame:
    """The failed calls of the window that belong to one of these families, oldest first."""
    calls = recent_calls(case)
    chosen = calls[true(calls["failed"], missing=False) & calls["family"].isin(list(families))]
    return chosen.sort_values(["at", "namespace", "pod", "pointer"])


def refused_by_servers(case: Case, families: Iterable[str]) -> pd.DataFrame:
    """Calls of the window that a server's own proxy refused, as that proxy logged them, in the form of calls."""
    served = _served(case)
    wanted = set(families)
    return where(served, (family in wanted for family in served["family"])).sort_values(
        ["at", "namespace", "pod", "pointer"]
    )


@once
def _served(case: Case) -> pd.DataFrame:
    """Every call of the window as the proxy of its server logged it."""
    log = case.source.frame("access_log")
    seen = inside(log, case.window) if case.window else log.iloc[:0]
    served = seen[seen["direction"] == "inbound"]
    callers = callers_of(seen, case.source.frame("pods"), case.source.frame("proxies"))
    said = zip(served["flags"], texts(served["details"]), texts(served["failure_reason"]), strict=True)
    return served.assign(
        family=[family_of(tuple(flags or ()), details, reason) for flags, details, reason in said],
        host=text(served["authority"]).str.replace(r":\d+$", "", regex=True),
        caller=callers[served.index],
        failed=True,
        calls=1,
    )


def first_at(frame: pd.DataFrame) -> datetime | None:
    """The earliest `at` of some rows."""
    at = frame["at"].min() if len(frame) else pd.NaT
    return None if pd.isna(at) else at.to_pydatetime()


def shown(case: Case, frame: pd.DataFrame) -> tuple[Evidence, ...]:
    """The first places of some rows, as evidence."""
    return tuple(case.source.evidence_at(*place) for place in dict.fromkeys(places(frame)[:KEPT]) if place[0])


def as_served(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """The calls that some lines of servers' logs are about, as `refused_by_servers` has them."""
    served, wanted = _served(case), set(keys(rows, "item", "pointer"))
    return where(served, (place in wanted for place in keys(served, "item", "pointer")))


def impact_of(case: Case, failed: pd.DataFrame) -> Impact | None:
    """Failed calls out of all calls of the window to the services that they failed on, whoever called.

    What servers' own proxies logged is counted among what they logged. Where hosts are not counted apart, it is out of
    all such calls of the callers.
    """
    if failed.empty:
        return None
    hosts = set(texts(failed["host"])) - {""}
    of = set(texts(failed["caller"][text(failed["host"]) == ""]))
    calls = _served(case) if "direction" in failed else recent_calls(case)
    concerned = where(calls, (host in hosts or (not host and who in of) for who, host in keys(calls, "caller", "host")))
    count = how_many(failed)
    return Impact(failed=count, total=max(count, how_many(concerned)), services=tuple(sorted(hosts)))


def edges_in_words(failed: pd.DataFrame) -> str:
    """The edges of some calls: ``travel/search to pricing.travel.svc.cluster.local``, at most three."""
    edges = sorted(set(keys(failed, "caller", "host")))
    said = ", ".join(f"{caller} to {host or 'hosts not counted apart'}" for caller, host in edges[:3])
    return said + (f" and {len(edges) - 3} more" if len(edges) > 3 else "")


def subjects_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """The pods of some rows, sorted."""
    return tuple(sorted({f"{namespace}/{pod}" for namespace, pod in keys(frame, "namespace", "pod") if pod}))
