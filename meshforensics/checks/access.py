"""Access control: who was denied, by which policy, and what would let them in."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import inside, places, text, texts, true

_WANTED = 3


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
    detail="{where} denied {denied:call|s} of {callers} since {at}, policy {policy}{objects}, first {method} {path}"
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
    detail="{where} denied {denied:call|s} of {callers} since {at}, policy {policy}, first {method} {path}; "
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
            "allowed": _allowed(group),
            "where": servers[0] + (f" and {len(servers) - 1} more" if len(servers) > 1 else ""),
            "at": first["at"],
        }
        rows += [
            each.sort_values("at").iloc[0].to_dict() | said | {"evidence": places(each)}
            for _, each in group.groupby(own[group.index].rename("server"))
        ]
    columns = ("cause", "denied", "callers", "objects", "allowed", "where", "evidence")
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*named.columns, *columns])))


def _allowed(denied: pd.DataFrame) -> str:
    """What would allow the calls of each caller, the first ones first: one rule may lack something for each."""
    wanted = [each for each in dict.fromkeys(texts(denied.sort_values("at")["would_allow"])) if each]
    more = f"; and {len(wanted) - _WANTED} more" if len(wanted) > _WANTED else ""
    return f"; what would allow it: {'; '.join(wanted[:_WANTED])}{more}" if wanted else ""
