"""Denials: requests that an authorization policy refused, who sent them, and whether the policy means them."""

import re
from collections import Counter

import pandas as pd

from meshforensics.formats._json import decode_json
from meshforensics.tables._frames import ABSENT, keys, text, where
from meshforensics.tables.calls import workloads_of

NONE = "none"
"""The policy that Envoy names where ALLOW policies exist and no rule of theirs matched."""

_DENIED = "rbac_access_denied_matched_policy"
_POLICY = re.compile(r"ns\[([^\]]+)\]-policy\[([^\]]+)\]")
_OVERLAP = pd.Timedelta(seconds=5)
_FEW = 0.1
_ROOT = "istio-system"


def denials_of(
    access_log: pd.DataFrame,
    config: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """The rows of the server's own log that a policy denied; a caller's line that passes it on is the same denial.

    Beside the columns of the log: `policy` as Envoy names it, `objects` that stand behind it, `caller` (a
    workload, or ``outside the mesh``), `changed` (the like was served before and not after), `meant` (the like was
    never served, and that caller is served otherwise or the policy is older than the log).
    """
    said = text(access_log["details"]) + " " + text(access_log["termination_details"])
    refused = said.str.contains(_DENIED, regex=False)
    policy = said.str.extract(r"matched_policy\[(\S+)\]")[0].astype("object").fillna("unknown")
    rows = access_log.assign(policy=policy, caller=callers_of(access_log, pods, proxies), like=_likes(access_log))
    denied = rows[refused]
    served = rows[~refused & (rows["status"].fillna(0) > 0) & (rows["status"].fillna(0) != 403)]
    policies = config[text(config["kind"]) == "AuthorizationPolicy"] if len(config) else config
    behind = [_objects(policies, *key) for key in keys(denied, "policy", "namespace", "pod")]
    denied = denied.assign(objects=pd.Series(behind, index=denied.index, dtype="object"))
    return _judged(denied, served, rows, policies)


def _judged(denied: pd.DataFrame, served: pd.DataFrame, log: pd.DataFrame, policies: pd.DataFrame) -> pd.DataFrame:
    like, who = ("namespace", "pod", "caller", "like"), ("namespace", "pod", "caller")
    last_served = {key: max(times) for key, times in _times(served, like).items()}
    first_denied = {key: min(times) for key, times in _times(denied, like).items()}
    answered, refused = Counter(keys(served, *who)), Counter(keys(denied, *who))
    begun = {key: min(times) for key, times in _times(log, ("namespace", "pod")).items()}
    changes = _changes(policies)
    changed, meant = [], []
    of = zip(keys(denied, *like), text(denied["policy"]), denied["objects"], strict=True)
    for key, policy, objects in of:
        start = begun.get(key[:2], pd.NaT)
        times = [changes[each] for each in objects if each in changes]
        newer = any(time >= start for time in times)
        older = bool(times) and len(times) == len(objects) and not newer
        known = key in last_served
        ended = known and key in first_denied and last_served[key] <= first_denied[key] + _OVERLAP
        others = answered[key[:3]]
        few = refused[key[:3]] < _FEW * (others + refused[key[:3]])
        by_rule = older or others > 0
        changed.append(ended)
        meant.append(not known and not newer and ((few and others > 0) if policy == NONE else by_rule))
    return denied.assign(
        changed=pd.Series(changed, index=denied.index, dtype=bool),
        meant=pd.Series(meant, index=denied.index, dtype=bool),
    )


def _times(rows: pd.DataFrame, columns: tuple[str, ...]) -> dict[tuple[str, ...], list[pd.Timestamp]]:
    """The instants of alike rows."""
    found: dict[tuple[str, ...], list[pd.Timestamp]] = {}
    timed = rows[rows["at"].notna()]
    for key, at in zip(keys(timed, *columns), timed["at"], strict=True):
        found.setdefault(key, []).append(at)
    return found


def callers_of(log: pd.DataFrame, pods: pd.DataFrame, proxies: pd.DataFrame) -> "pd.Series[str]":
    """Who sent each request: the workload whose own proxy logged it towards this pod, else whose address it came from.

    The address alone does not tell it: behind a gateway a server sees the address of the gateway's client.
    """
    names = workloads_of(pods, proxies)
    at: dict[str, str] = {}
    for frame in (proxies, pods):
        if "ip" in frame:
            at |= {ip: names.get((ns, pod), f"{ns}/{pod}") for ns, pod, ip in keys(frame, "namespace", "pod", "ip")}
    sent = log[text(log["direction"]) == "outbound"]
    senders: dict[tuple[str, ...], str] = {
        (request, host): names.get((namespace, pod), f"{namespace}/{pod}")
        for request, host, namespace, pod in keys(sent, "request_id", "upstream_host", "namespace", "pod")
        if request
    }
    ips = text(log["downstream_remote"]).str.rsplit(":", n=1).str[0].str.strip("[]")
    said = zip(keys(log, "request_id", "downstream_local"), ips, strict=True)
    found = [senders.get(key) or (at.get(ip, "outside the mesh") if ip else "an unknown caller") for key, ip in said]
    return pd.Series(found, index=log.index, dtype="str")


def _likes(log: pd.DataFrame) -> "pd.Series[str]":
    """Requests that are alike: the same method and first part of the path."""
    firsts = [path.partition("?")[0].split("/")[1:2] for path in text(log["path"])]
    said = [f"{method} /{''.join(first)}" for method, first in zip(text(log["method"]), firsts, strict=True)]
    return pd.Series(said, index=log.index, dtype="str")


def _objects(policies: pd.DataFrame, policy: str, namespace: str, pod: str) -> tuple[str, ...]:
    """The policies behind a denial: the one that Envoy names, else those that allow and may apply to the pod."""
    named = _POLICY.search(policy)
    if named:
        return (f"AuthorizationPolicy:{named.group(1)}/{named.group(2)}",)
    if policies.empty or policy != NONE:
        return ()
    here = policies[text(policies["namespace"]).isin([namespace, _ROOT])]
    fits = where(here, (_allows(spec, pod) for spec in text(here["spec"])))
    return tuple(sorted(set(text(fits["object"]))))


def _allows(spec: str, pod: str) -> bool:
    """Whether a policy allows and may select the pod: its `app` is part of the pod's name, or it selects all."""
    said = decode_json(spec.encode() or b"{}", dict[str, object], what="a spec")
    selector = said.get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    app = labels.get("app") if isinstance(labels, dict) else None
    return said.get("action", "ALLOW") == "ALLOW" and (not isinstance(app, str) or app in pod)


def _changes(policies: pd.DataFrame) -> dict[str, pd.Timestamp]:
    if policies.empty:
        return {}
    when = policies["changed_at"].fillna(policies["created_at"])
    return {name: at for name, at in zip(text(policies["object"]), when, strict=True) if not pd.isna(at)}
