"""A cluster in use has no healthy host and calls get UH."""

from collections import Counter

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by
from meshforensics.incidents._families import by_family
from meshforensics.incidents._peers import destination_rules
from meshforensics.model.words import count_of
from meshforensics.tables import keys, text, texts, where

FAMILIES = ("no-healthy-upstream",)
_WHY = {
    "failed_outlier_check": "ejected by outlier detection",
    "failed_active_hc": "failing active health checks",
    "failed_eds_health": "unready, as the control plane says",
    "pending_active_hc": "not yet checked",
}


@incident("no-healthy-upstream", about="A cluster in use has no healthy host and calls get UH.", precedence=15)
def no_healthy_upstream(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged or counted; why the hosts are out is told by /clusters."""
    why = _why(case)
    ejected = any(_WHY["failed_outlier_check"] in each for each in why)
    rules = _ejecting(case) if ejected else ()
    return by_family(
        case,
        FAMILIES,
        what="a cluster has no usable endpoint",
        next_step="Look why its hosts are out: readiness, labels, ejection; not the circuit breaker.",
        also=rules,
        beside=(f"At the capture: {'; '.join(why)}." if why else "")
        + (f" What ejects is set by {', '.join(rules)}." if rules else ""),
    )


def _ejecting(case: Case) -> tuple[str, ...]:
    """The DestinationRules that eject hosts of the services that calls found none of."""
    return destination_rules(case, texts(failed_by(case, FAMILIES)["host"]), sets="outlierDetection")


def _why(case: Case) -> list[str]:
    """Per cluster of the failed calls, why its hosts were out at the capture; empty where no host was captured."""
    failed = failed_by(case, FAMILIES)
    endpoints = case.source.frame("endpoints")
    if endpoints.empty:
        return []
    held = set(keys(failed, "namespace", "pod", "cluster"))
    known = where(endpoints, (key in held for key in keys(endpoints, "namespace", "pod", "cluster")))
    said = []
    for cluster in sorted(set(texts(failed["cluster"])) - {""}):
        hosts = known[text(known["cluster"]) == cluster].drop_duplicates("address")
        reasons = Counter(_WHY.get(flag, flag) for flags in hosts["flags"] for flag in flags or ())
        if hosts.empty:
            said.append(f"{cluster} has no endpoint")
        elif reasons:
            out = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            said.append(f"{cluster}: {out}, of {count_of(len(hosts), 'host')}")
    return said[:3]
