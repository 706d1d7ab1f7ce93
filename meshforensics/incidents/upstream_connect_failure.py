"""Connections are refused, time out or have no way, without a TLS reason."""

from datetime import datetime

from meshforensics.incidents._declare import Case, Judgement, Proxy, Test, incident
from meshforensics.incidents._evidence import (
    failed_by,
    first_at,
    lists_all_pods,
    missing,
    of_unconfigured,
    refused_by_servers,
    shown,
    unconfigured,
)
from meshforensics.incidents._families import by_family
from meshforensics.tables import ips_of, keys, text, texts

FAMILIES = ("connect-failure",)
_TRIED = 5


@incident(
    "upstream-connect-failure",
    about="Connections are refused, time out or have no way, without a TLS reason.",
    precedence=15,
)
def upstream_connect_failure(case: Case) -> Judgement:
    """Where the endpoint is gone, the stale configuration is the cause and this its consequence."""
    tried = tuple(sorted(set(texts(failed_by(case, FAMILIES)["upstream_host"])) - {"", "-"}))[:_TRIED]
    return by_family(
        case,
        FAMILIES,
        what="the connection to the endpoint fails without a TLS reason",
        next_step="Look whether the named endpoints still exist and listen, and what the network allows.",
        extra=(_there(case), _gone(case), _unconfigured(case)),
        at_server=True,
        also=tried,
        beside=f"Tried: {', '.join(tried)}." if tried else "",
    )


def _there(case: Case) -> Test:
    """Whether what was tried is known to be there and configured; if not, configuration may be at fault."""
    failed = failed_by(case, FAMILIES)
    outward = failed[~text(failed["cluster"]).str.startswith("inbound|")]
    ips = set(ips_of(outward["upstream_host"])) - {"", "-"}
    alive = _alive(case, first_at(outward))
    listed = lists_all_pods(case) or (bool(ips) and ips <= set(alive))
    listening = set(keys(case.source.frame("listener_instances"), "namespace", "pod"))
    synced = not case.source.reason("xds_sync") or {alive.get(ip) for ip in ips} <= listening
    seen = len(failed) or len(refused_by_servers(case, FAMILIES))
    known = bool(seen) and (outward.empty or (listed and synced))
    return Test(
        name="endpoints-known",
        role="confirms",
        passed=True if known else None,
        text="the endpoints that were tried are known to be there and configured"
        if known
        else "whether the endpoints that were tried are there and configured was not captured",
        check="sync.endpoint-gone",
        missing=()
        if known
        else (*missing(case, "pods", "kubernetes.pods"), *missing(case, "xds_sync", "istiod.syncz")),
    )


def _alive(case: Case, since: datetime | None) -> dict[str, Proxy]:
    """The proxies that were captured after calls began to fail, by address."""
    proxies = case.source.frame("proxies")
    seen = proxies[proxies["captured_at"] >= since] if since else proxies.iloc[:0]
    return {ip: (namespace, pod) for namespace, pod, ip in keys(seen, "namespace", "pod", "ip") if ip}


def _gone(case: Case) -> Test:
    tried = set(texts(failed_by(case, FAMILIES)["upstream_host"])) - {"", "-"}
    found = [each for each in case.found("sync.endpoint-gone") if each.observed and each.observed.value in tried]
    judged = "sync.endpoint-gone" not in case.not_evaluated
    return Test(
        name="endpoint-gone",
        role="refutes",
        passed=bool(found) if judged else None,
        text="; ".join(each.detail for each in found[:2]) or "the endpoints that were tried are pods",
        check="sync.endpoint-gone",
        evidence=tuple(place for each in found for place in each.evidence[:1]),
    )


def _unconfigured(case: Case) -> Test:
    failed = failed_by(case, FAMILIES)
    there = of_unconfigured(case, failed)
    lacking = {f"{namespace}/{pod}" for namespace, pod in unconfigured(case).values()}
    return Test(
        name="server-has-no-listeners",
        role="refutes",
        passed=len(there) * 2 > len(failed) if case.source.reason("xds_sync") == "" else None,
        text=f"the sidecar that was called was never sent listeners or refuses them: {', '.join(sorted(lacking)[:3])}"
        if len(there)
        else "the sidecars that were called have listeners",
        check="sync.never-sent",
        evidence=shown(case, there),
    )
