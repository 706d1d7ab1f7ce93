"""Access control: who was denied, by which policy, and what would let them in."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import ABSENT, inside, page_before, places, text, texts, true, where


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


_SERIES = ["namespace", "pod", "name", "labels"]
_PREFIX = r"\A(?:envoy_|http[._].*?(?=rbac)|tcp[._].*?(?=rbac))+"
"""What comes before the name that a counter has in every form."""

_PLAIN = re.compile(r"inbound_(?:http|tcp)_authz_deny_total\Z|rbac[._](?:.*[._])?denied\Z")


def _denial_counters(stats: pd.DataFrame) -> pd.DataFrame:
    """Counters of denials, of Envoy by filter or by policy and of Linkerd; a dry run denies nothing."""
    known = set(texts(stats["name"]))
    plain = {each for each in known if _PLAIN.search(each)}
    tagged = {each for each in known if "http_rbac" in each} - plain
    name, labels = text(stats["name"]), text(stats["labels"])
    enforced = name.isin(tagged) & labels.str.contains('"authz_enforce_result": ?"denied"', regex=True)
    shadow = name.isin({each for each in known if "shadow" in each})
    chosen = stats[(name.isin(plain) | enforced) & ~shadow]
    known_as = {each: re.sub(r"\Arbac_", "rbac.", re.sub(_PREFIX, "", each)) for each in plain | tagged}
    return chosen.assign(name=text(chosen["name"]).map(known_as).astype("str"))


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
    """Once where a capture has the counter in two forms."""
    counters = _denial_counters(stats)
    counted = counters[counters["value"].fillna(0) > 0].sort_values("item", ascending=False, kind="stable")
    first = [*_SERIES, "item"]
    forms = counted.assign(form=text(counted["item"]).str.split("@").str[0])
    chosen = forms.groupby(["namespace", "pod", "name"], observed=True)["form"].transform("first")
    return forms[forms["form"] == chosen].sort_values(first, kind="stable")


@check(
    "access.denials-rising",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["name"],
    observed="rose",
    unit="requests",
    title="Counters of denials rose between two samples",
    detail="{name} rose by {rose} on {subject} from {since} to {until}; {count} proxies deny more than before",
    remediation="Turn on access logs, or read them: they name the policy, the caller and the path.",
    source="guide, phase 3, step 6; Envoy RBAC counters, two samples",
)
def denials_rising(
    stats_over_time: pd.DataFrame, window: Window, stat_pages_over_time: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """All rises inside the window, of the form of the counter that tells most; one that fell began anew.

    One that the page before does not have was zero: Envoy counts denials of a policy from the first of them.
    """
    counters = _denial_counters(stats_over_time)
    timed = counters[counters["value"].notna() & counters["captured_at"].notna()].sort_values("captured_at")
    columns = [*timed.columns, "rose", "since", "until", "at", "evidence"]
    if timed.empty:
        return pd.DataFrame(columns=columns)
    form = text(timed["item"]).str.split(":").str[0].rename("form")
    series = [text(timed[name]).rename(name) for name in _SERIES]
    grouped = timed.groupby([*series, form], sort=False)
    since = grouped["captured_at"].shift()
    since = since.fillna(page_before(timed[since.isna()], stat_pages_over_time))
    before = grouped["value"].shift().astype("float").where(lambda old: old.notna() | since.isna(), 0)
    rose = timed["value"].astype("float") - before
    told = timed.assign(rose=rose, since=since, at=timed["captured_at"], form=form)
    fresh = inside(told, window)
    risen = where(fresh, fresh["rose"].fillna(0) > 0)
    return pd.DataFrame(_most(risen), columns=columns)


def _most(risen: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One row per proxy and counter: what it rose by in all, by the form that tells most."""
    for _, own in risen.groupby(["namespace", "pod", "name"], observed=True):
        forms = [group for _, group in own.groupby("form")]
        best = max(forms, key=lambda group: float(group["rose"].sum()))
        said = {"rose": int(best["rose"].sum()), "since": best["since"].min(), "until": best["at"].max()}
        first: dict[str, Any] = {str(key): value for key, value in best.iloc[0].to_dict().items()}
        yield {**first, **said, "at": best["at"].min(), "evidence": places(best)}
