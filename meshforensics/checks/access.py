"""Access control: who was denied, by which policy, and what would let them in."""

import re

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import inside, places, text, texts, true, where


@check(
    "access.denied",
    phase="access-control",
    plane="state",
    threshold="access.denied",
    by=["cause"],
    subject="{namespace}/{pod}",
    observed="denied",
    unit="requests",
    title="An authorization policy denied calls",
    detail="{where} denied {denied} calls of {callers} since {at}, policy {policy}{objects}, first {method} {path}"
    "{allowed}",
    remediation="`none`: an ALLOW policy exists and no rule matched. Compare rule and caller; delete no policy.",
    source="guide, phase 3, step 6; Envoy RBAC filter, response code details",
)
def denied(denials: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _counted(inside(denials[~true(denials["meant"], missing=False)], window))


@check(
    "access.denied-as-meant",
    phase="access-control",
    plane="state",
    severity="info",
    by=["cause"],
    subject="{namespace}/{pod}",
    observed="denied",
    unit="requests",
    title="An authorization policy denied what it is there to deny",
    detail="{where} denied {denied} calls of {callers} since {at}, policy {policy}, first {method} {path}; "
    "the like was never served",
    remediation="Nothing, unless the caller should be let in.",
    source="guide, phase 3, step 6; a rule that hits only its target is no incident",
)
def denied_as_meant(denials: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _counted(inside(denials[true(denials["meant"], missing=False)], window))


def _counted(denials: pd.DataFrame) -> pd.DataFrame:
    """A row per server and policy; a policy that is named is one cause wherever it denies, `none` of each workload."""
    policy = text(denials["policy"])
    objects = [", ".join(each) if isinstance(each, tuple) else "" for each in denials["objects"]]
    named = denials.assign(
        behind=pd.Series(objects, index=denials.index, dtype="str"),
        rule=policy.str.replace(r"-rule\[\d+\]\Z", "", regex=True),
    )
    own = text(named["namespace"]) + "/" + text(named["pod"])
    by_object = policy.where(policy != "none", "none " + named["behind"]).where(
        (policy != "none") | (named["behind"] != ""), "none of " + own
    )
    rows = []
    for cause, group in named.groupby(by_object.rename("cause")):
        servers = sorted(set(own[group.index]))
        first = group.sort_values("at").iloc[0]
        said = {
            "cause": cause,
            "denied": len(group),
            "callers": ", ".join(sorted(set(texts(group["caller"])))[:3]),
            "objects": f" ({first['behind']})" if first["behind"] else "",
            "allowed": f"; what would allow it: {first['would_allow']}" if _said(first["would_allow"]) else "",
            "where": servers[0] + (f" and {len(servers) - 1} more" if len(servers) > 1 else ""),
            "at": first["at"],
        }
        rows += [
            each.sort_values("at").iloc[0].to_dict() | said | {"evidence": places(each)}
            for _, each in group.groupby(own[group.index].rename("server"))
        ]
    columns = ("cause", "denied", "callers", "objects", "allowed", "where", "evidence")
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*named.columns, *columns])))


def _said(value: object) -> bool:
    return isinstance(value, str) and bool(value)


_PLAIN = re.compile(r"inbound_(?:http|tcp)_authz_deny_total\Z|rbac[._](?:.*[._])?denied\Z")


def _denial_counters(stats: pd.DataFrame) -> pd.DataFrame:
    """Counters of denials, of Envoy by filter or by policy and of Linkerd; a dry run denies nothing."""
    known = set(texts(stats["name"]))
    plain = {each for each in known if _PLAIN.search(each)}
    tagged = {each for each in known if "http_rbac" in each} - plain
    name, labels = text(stats["name"]), text(stats["labels"])
    enforced = name.isin(tagged) & labels.str.contains('"authz_enforce_result": ?"denied"', regex=True)
    shadow = name.isin({each for each in known if "shadow" in each})
    return stats[(name.isin(plain) | enforced) & ~shadow]


@check(
    "access.denied-since-start",
    phase="access-control",
    plane="state",
    severity="info",
    by=["name"],
    observed="value",
    unit="requests",
    title="Denials since a proxy started",
    detail="{name} is {value} since start on {subject}; {count} proxies count denials",
    remediation="Take a second sample, or the access log, to see whether they go on.",
    source="guide, phase 3, step 6; Envoy RBAC counters (shadow_denied is a dry run); linkerd2-proxy authz metrics",
)
def denied_since_start(stats: pd.DataFrame) -> pd.DataFrame:
    counters = _denial_counters(stats)
    return counters[counters["value"].fillna(0) > 0]


@check(
    "access.denials-rising",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["name"],
    observed="rose",
    unit="requests",
    title="Counters of denials rose between two samples",
    detail="{name} rose by {rose} on {subject} since {since}; {count} proxies deny more than before",
    remediation="Turn on access logs, or read them: they name the policy, the caller and the path.",
    source="guide, phase 3, step 6; Envoy RBAC counters, two samples",
)
def denials_rising(stats_over_time: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Inside the window, and only where the counter did not begin anew."""
    counters = _denial_counters(stats_over_time)
    timed = counters[counters["value"].notna() & counters["captured_at"].notna()].sort_values("captured_at")
    if timed.empty:
        return timed.assign(rose=0, since=timed["captured_at"], at=timed["captured_at"])
    series = [text(timed[name]).rename(name) for name in ("namespace", "pod", "name", "labels")]
    kinds = text(timed["item"]).str.partition(":")[0].rename("kind")
    grouped = timed.groupby([*series, kinds], sort=False)
    before, since = grouped["value"].shift(), grouped["captured_at"].shift()
    rose = timed["value"].astype("float") - before.astype("float")
    told = timed.assign(rose=rose.astype("Int64"), since=since, at=timed["captured_at"])
    fresh = inside(told, window)
    return where(fresh, fresh["rose"].fillna(0) > 0).sort_values("captured_at", ascending=False)
