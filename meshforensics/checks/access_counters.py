"""Denials as counters tell them: since the start, and between two samples; each once, and by rule where counted so."""

import re
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.formats._json import decode_json
from meshforensics.model import Window
from meshforensics.tables import ABSENT, inside, keys, page_before, places, text, texts

_LINKERD = re.compile(r"inbound_(?:http|tcp)_authz_deny_total\Z")
_SUM = re.compile(r"(?:\A|[._])rbac(?:[._](?:.*[._])?(?<!shadow[._])denied)?\Z")
_RULE = re.compile(r"(?:\A|[._])rbac[._](?:.*?[._])??policy[._](?P<rule>.+)[._](?<!shadow[._])denied\Z")
_SERIES = ["namespace", "pod", "name", "labels", "form"]


class _Counted(NamedTuple):
    """What a series counts: denials in all (no rule), or those of one rule."""

    counter: str
    rule: str = ""


def _counted(name: str, labels: str) -> _Counted | None:
    """What a series counts; None where it counts no denials. A dry run (shadow rules) denies nothing.

    Istio's bootstrap makes `allowed` and `denied` a label; Envoy's own tags make the policy one.
    """
    linkerd = _LINKERD.search(name)
    if linkerd:
        return _Counted(linkerd.group(0))
    rule = _RULE.search(name)
    if rule:
        return _Counted("rbac.denied", rule["rule"])
    if not _SUM.search(name):
        return None
    said = decode_json(labels.encode(), dict[str, str], what="labels") if labels else {}
    if not name.endswith("denied") and said.get("authz_enforce_result") != "denied":
        return None
    return _Counted("rbac.denied", said.get("envoy_rbac_policy_name", ""))


def _denial_counters(stats: pd.DataFrame) -> pd.DataFrame:
    """The series that count denials: what each counts, and in which form of the capture it stands."""
    known = [name for name in set(texts(stats["name"])) if "rbac" in name or "authz_deny" in name]
    chosen = stats[stats["name"].isin(known) & stats["value"].notna()]
    counts = [_counted(*each) for each in keys(chosen, "name", "labels")]
    said = [each or _Counted("") for each in counts]
    told = chosen.assign(
        counter=pd.Series([each.counter for each in said], index=chosen.index, dtype="str"),
        rule=pd.Series([each.rule for each in said], index=chosen.index, dtype="str"),
        form=text(chosen["item"]).str.split(":").str[0],
    )
    return told[told["counter"] != ""]


def _causes(counted: pd.DataFrame) -> pd.DataFrame:
    """A row per proxy and cause: each rule that is counted, and what the sum has beside them.

    The sum counts what each rule counts; so do the forms of one page. Of those the one that tells most is taken.
    """
    rows = []
    for (_, _, counter), own in counted.groupby(["namespace", "pod", "counter"], observed=True):
        forms = [form for _, form in own.groupby("form")]
        best = max(forms, key=lambda form: (_total(form), form.loc[form["rule"] != "", "amount"].sum()))
        of_rules = best[(best["rule"] != "") & (best["amount"] > 0)]
        rows += [_row(f"{counter} of rule {rule}", group) for rule, group in of_rules.groupby("rule")]
        rest = int(_total(best) - of_rules["amount"].sum())
        if rest > 0:
            beside = f"{counter} of no rule that is counted" if len(of_rules) else str(counter)
            rows.append(_row(beside, best[best["rule"] == ""]) | {"amount": rest})
    columns = [*counted.columns, "cause", "since", "until", "at", "evidence"]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(columns)))


def _total(form: pd.DataFrame) -> float:
    """What one form counts in all: its sum, or where the page has none, what its rules have."""
    by_rule = form["rule"] != ""
    return float(max(form.loc[~by_rule, "amount"].sum(), form.loc[by_rule, "amount"].sum()))


def _row(name: str, series: pd.DataFrame) -> dict[str, Any]:
    """What some series of one proxy counted, as one; a scrape writes the signs of a rule's name as ``_``."""
    counted = series[series["amount"] > 0]
    first: dict[str, Any] = {str(key): value for key, value in counted.iloc[0].to_dict().items()}
    said = {"name": name, "cause": re.sub(r"\W", "_", name), "amount": int(counted["amount"].sum())}
    span = {"since": counted["since"].min(), "until": counted["at"].max(), "at": counted["at"].min()}
    return {**first, **said, **span, "evidence": places(counted)}


@check(
    "access.denied-since-start",
    phase="access-control",
    plane="state",
    severity="info",
    by=["cause"],
    observed="amount",
    unit="requests",
    title="Denials since a proxy started",
    detail="{name} is {amount} since start on {subject}; {count:proxy counts|proxies count} denials",
    remediation="Take a second sample, or the access log, to see whether they go on.",
    source="guide, phase 3, step 6; Envoy RBAC counters (shadow_denied is a dry run); linkerd2-proxy authz metrics",
)
def denied_since_start(stats: pd.DataFrame) -> pd.DataFrame:
    """Once where a capture has the counter in two forms, or in all and by rule."""
    counters = _denial_counters(stats)
    never = pd.Series(pd.NaT, index=counters.index, dtype="datetime64[us, UTC]")
    return _causes(counters.assign(amount=counters["value"].astype("float"), since=never, at=never))


@check(
    "access.denials-rising",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["cause"],
    observed="amount",
    unit="requests",
    title="Counters of denials rose between two samples",
    detail="{name} rose by {amount} on {subject} from {since} to {until}; {count:proxy denies|proxies deny} more than "
    "before",
    remediation="Turn on access logs, or read them: they name the policy, the caller and the path.",
    source="guide, phase 3, step 6; Envoy RBAC counters, two samples",
)
def denials_rising(
    stats_over_time: pd.DataFrame, window: Window, stat_pages_over_time: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """All rises inside the window, each once as above; a counter that fell began anew.

    One that the page before does not have was zero: Envoy counts denials of a policy from the first of them.
    """
    counters = _denial_counters(stats_over_time)
    timed = counters[counters["captured_at"].notna()].sort_values("captured_at", kind="stable")
    grouped = timed.groupby([text(timed[name]).rename(name) for name in _SERIES], sort=False)
    since = grouped["captured_at"].shift()
    since = since.fillna(page_before(timed[since.isna()], stat_pages_over_time))
    before = grouped["value"].shift().astype("float").where(lambda old: old.notna() | since.isna(), 0)
    rose = (timed["value"].astype("float") - before).fillna(0).clip(lower=0)
    return _causes(inside(timed.assign(amount=rose, since=since, at=timed["captured_at"]), window))
