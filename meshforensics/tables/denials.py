"""Denials: requests that an authorization policy refused, who sent them, and whether the policy means them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, ips_of, keys, text, texts
from meshforensics.tables._objects import spec_of
from meshforensics.tables._policies import Policy, policies_of, selects
from meshforensics.tables._rules import Fit, Request, headers_asked, in_words, judged
from meshforensics.tables.calls import workloads_of

NONE = "none"
"""The policy that Envoy names where ALLOW policies exist and no rule of theirs matched."""

OUTSIDE = "outside the mesh"
"""The caller of whom no pod is known."""

UNKNOWN = "an unknown caller"
"""Whoever is not told: no address, or the server's own, which a node wrote in place of the caller's."""

_DENIED = "rbac_access_denied_matched_policy"
_POLICY = re.compile(r"ns\[([^\]]+)\]-policy\[([^\]]+)\]")
_RULE = re.compile(r"rule\[(\d+)\]")
_OVERLAP = pd.Timedelta(seconds=5)
_FEW = 0.1


def _denials(
    access_log: pd.DataFrame,
    config: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """The rows of the server's own log that a policy denied; a caller's line that passes it on is the same denial."""
    said = text(access_log["details"]) + " " + text(access_log["termination_details"])
    refused = said.str.contains(_DENIED, regex=False)
    policy = said.str.extract(r"matched_policy\[(\S+)\]")[0].astype("object").fillna("unknown")
    rows = access_log.assign(policy=policy, caller=callers_of(access_log, pods, proxies), like=_likes(access_log))
    denied = rows[refused]
    served = rows[~refused & (rows["status"].fillna(0) > 0) & (rows["status"].fillna(0) != 403)]
    return _judged(_explained(denied, config, pods), served, rows, config)


def _explained(denied: pd.DataFrame, config: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """Each denial with the policies behind it, and what would let it in."""
    policies = [each for each in policies_of(config) if each.enforced]
    told = zip(keys(pods, "namespace", "pod"), map(spec_of, texts(pods["labels"])), strict=True) if len(pods) else ()
    labels = dict(told)
    headers = headers_asked(rule for each in policies for rule in each.rules)
    requests = _requests(denied, pods, headers)
    asked = list(zip(keys(denied, "policy", "namespace", "pod"), requests, strict=True))
    found: dict[Any, tuple[tuple[str, ...], str]] = {}
    for (policy, namespace, pod), request in dict.fromkeys(asked):
        server = _Server(namespace, pod, labels.get((namespace, pod)))
        told_of = _behind(policies, policy, server), _would_allow(policies, policy, request, server)
        found[(policy, namespace, pod), request] = told_of
    return denied.assign(
        objects=pd.Series([found[each][0] for each in asked], index=denied.index, dtype="object"),
        would_allow=pd.Series([found[each][1] for each in asked], index=denied.index, dtype="str"),
    )


_LOGGED = {
    ":method": "method",
    ":authority": "authority",
    "host": "authority",
    "user-agent": "user_agent",
    "x-request-id": "request_id",
    "x-forwarded-for": "forwarded_for",
}
"""Headers that a line of the log has, by their names; others, claims and request principals it does not tell."""


def _requests(denied: pd.DataFrame, pods: pd.DataFrame, headers: frozenset[str]) -> Iterator[Request]:
    """What is known of each denied request; of headers those alone that a policy asks for."""
    accounts, ips = _of_workloads(pods, "service_account"), _of_workloads(pods, "ip")
    columns = ("caller", "method", "path", "authority", "downstream_local", "downstream_remote", "sni")
    names = sorted(headers & set(_LOGGED))
    held = keys(denied, *(_LOGGED[name] for name in names)) if names else [()] * len(denied)
    for (caller, method, path, host, local, remote, sni), values in zip(keys(denied, *columns), held, strict=True):
        at, _, port = local.rpartition(":")
        yield Request(
            accounts=_callers(accounts, caller),
            method=method,
            path=path.partition("?")[0],
            host=host,
            port=port,
            ips=tuple(ip for _, ip in ips.get(caller, ())),
            local=at.strip("[]"),
            sni=sni,
            remote=remote.rpartition(":")[0].strip("[]"),
            headers=tuple(zip(names, values, strict=True)),
        )


def _of_workloads(pods: pd.DataFrame, column: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """What the pods of each workload have in a column, with their namespace; workloads are written as callers are."""
    found: dict[str, set[tuple[str, str]]] = {}
    if len(pods):
        names = workloads_of(pods, ABSENT)
        for namespace, pod, value in keys(pods, "namespace", "pod", column):
            if value:
                found.setdefault(names.get((namespace, pod), f"{namespace}/{pod}"), set()).add((namespace, value))
    return {name: tuple(sorted(many)) for name, many in found.items()}


def _callers(accounts: dict[str, tuple[tuple[str, str], ...]], caller: str) -> tuple[str, ...] | None:
    """The identities that a caller may have; None where it has none."""
    if caller == OUTSIDE:
        return None
    return tuple(f"ns/{namespace}/sa/{account}" for namespace, account in accounts.get(caller, ()))


def _judged(denied: pd.DataFrame, served: pd.DataFrame, log: pd.DataFrame, config: pd.DataFrame) -> pd.DataFrame:
    like, who = ("namespace", "pod", "caller", "like"), ("namespace", "pod", "caller")
    last_served = {key: max(times) for key, times in _times(served, like).items()}
    first_denied = {key: min(times) for key, times in _times(denied, like).items()}
    answered, refused = Counter(keys(served, *who)), Counter(keys(denied, *who))
    begun = {key: min(times) for key, times in _times(log, ("namespace", "pod")).items()}
    changes = _changes(config)
    changed, meant = [], []
    of = zip(keys(denied, *like), texts(denied["policy"]), denied["objects"], strict=True)
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

    Several may send requests of one id to one pod, where applications hand it on: then it is the one whose connection
    it came by, else whose pod's address. A request of a connection that others were told of came from the same
    workload. The address alone does not tell it: behind a gateway a server sees the address of the gateway's client,
    and its own is nobody's whose own proxy did not log the call.
    """
    names = workloads_of(pods, proxies)
    at: dict[str, str] = {}
    for frame in (proxies, pods):
        if "ip" in frame:
            at |= {ip: names.get((ns, pod), f"{ns}/{pod}") for ns, pod, ip in keys(frame, "namespace", "pod", "ip")}
    ips = ips_of(log["downstream_remote"])
    links = keys(log, "namespace", "pod", "downstream_remote", "downstream_local")
    senders = _senders(log, names)
    requests = keys(log, "request_id", "downstream_local", "downstream_remote")
    known = [_sender(senders.get(key[:2], {}), key[2], at.get(ip, "")) for key, ip in zip(requests, ips, strict=True)]
    linked = {link: who for link, who in zip(links, known, strict=True) if who and link[2]}
    own = ips_of(log["downstream_local"])
    found = [
        who or linked.get(link) or (UNKNOWN if ip in {"", itself} else at.get(ip, OUTSIDE))
        for who, link, ip, itself in zip(known, links, ips, own, strict=True)
    ]
    return pd.Series(found, index=log.index, dtype="str")


def _senders(log: pd.DataFrame, names: dict[tuple[str, str], str]) -> dict[tuple[str, ...], dict[str, str]]:
    """Of each request id and endpoint: who sent it, by the own address of the connection that it went by."""
    sent = log[log["direction"] == "outbound"]
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for request, host, local, *pod in keys(sent, "request_id", "upstream_host", "upstream_local", "namespace", "pod"):
        if request:
            found.setdefault((request, host), {})[local] = names.get((pod[0], pod[1]), "/".join(pod))
    return found


def _sender(candidates: dict[str, str], remote: str, by_address: str) -> str:
    """The one sender, else the one by whose connection or from whose address it came; empty where that is not known."""
    alone = set(candidates.values())
    if len(alone) == 1:
        return next(iter(alone))
    return candidates.get(remote) or (by_address if by_address in alone else "")


def _likes(log: pd.DataFrame) -> "pd.Series[str]":
    """Requests that are alike: the same method and first part of the path."""
    firsts = [path.partition("?")[0].split("/")[1:2] for path in texts(log["path"])]
    said = [f"{method} /{''.join(first)}" for method, first in zip(texts(log["method"]), firsts, strict=True)]
    return pd.Series(said, index=log.index, dtype="str")


class _Server(NamedTuple):
    """The pod that denied, with its labels where they are known."""

    namespace: str
    pod: str
    labels: Mapping[str, Any] | None


def _behind(policies: list[Policy], policy: str, server: _Server) -> tuple[str, ...]:
    """The policies behind a denial: the one that Envoy names, else those that allow and are for the pod."""
    named = _POLICY.search(policy)
    if named:
        return (f"AuthorizationPolicy:{named.group(1)}/{named.group(2)}",)
    if policy != NONE:
        return ()
    return tuple(sorted({each.object for each in _allowing(policies, server)}))


def _allowing(policies: list[Policy], server: _Server) -> list[Policy]:
    return [each for each in policies if each.action == "ALLOW" and _is_for(each, server)]


def _is_for(policy: Policy, server: _Server) -> bool:
    """By labels; where those are not known, by the app, which is part of most pods' names."""
    if server.labels is not None:
        return selects(policy, server.namespace, server.labels)
    app = policy.selector.get("app")
    known = {"app": app} if isinstance(app, str) and app in server.pod else {}
    return selects(policy._replace(selector={"app": app} if app else {}), server.namespace, known)


def _would_allow(policies: list[Policy], policy: str, request: Request, server: _Server) -> str:
    """What would let a denied request in: of all rules that allow the nearest, or the rule that denies it."""
    named = _POLICY.search(policy)
    if named:
        number = _RULE.search(policy)
        said = f"AuthorizationPolicy:{named.group(1)}/{named.group(2)}"
        return f"a narrower rule {number.group(1) if number else '0'} of {said}, which denies it"
    rules = [
        (judged(rule, request), f"{each.object} rule {number}")
        for each in _allowing(policies, server)
        for number, rule in enumerate(each.rules)
    ]
    if policy != NONE or not policies:
        return ""
    if not rules:
        return "an ALLOW policy with a rule; those for this workload have none"
    return _in_words(*min(rules, key=lambda rule: (len(rule[0].lacks), len(rule[0].untold))))


def _in_words(fit: Fit, rule: str) -> str:
    """What a rule lacks for a request, and what of it nothing captured tells."""
    untold = in_words(fit.untold)
    if not fit.lacks:
        return f"{rule}, but for what the log does not tell" + (f": {untold}" if untold else "")
    beside = f" ({untold} not judged: not in the evidence)" if untold else ""
    return f"{rule}, with {' and '.join(fit.lacks)}{beside}"


def _changes(config: pd.DataFrame) -> dict[str, pd.Timestamp]:
    if config.empty:
        return {}
    policies = config[config["kind"] == "AuthorizationPolicy"]
    when = policies["changed_at"].fillna(policies["created_at"])
    return {name: at for name, at in zip(texts(policies["object"]), when, strict=True) if not pd.isna(at)}


denials = Table(
    id="denials",
    about="Requests that an authorization policy denied, as the server's proxy logged them: whose, by what, and why.",
    of="pod",
    columns=(
        Column("at", "datetime64[us, UTC]", about="Start of the request.", source="access log"),
        Column(
            "policy",
            "category",
            about="Policy and rule as Envoy names them; none where no rule allowed it.",
            source="details",
        ),
        Column(
            "objects", "object", about="Policies behind it: the named one, or all that allow here.", source="config"
        ),
        Column(
            "would_allow",
            "str",
            about="What would let it in: the nearest rule, what it lacks, and what of it no log tells.",
            source="config",
        ),
        Column("caller", "category", about="Workload that called, or: outside the mesh.", source="logs, pods"),
        Column("method", "category", about="HTTP method; missing for TCP.", source="access log"),
        Column("path", "str", about="Path with query.", source="access log"),
        Column("like", "str", about="Method and first part of the path.", source="access log"),
        Column("details", "str", about="Response code details.", source="access log"),
        Column("changed", "boolean", about="The like was served before and not after.", source="computed"),
        Column(
            "meant",
            "boolean",
            about="The like was never served, and the caller is served otherwise or the policy is older.",
            source="computed",
        ),
    ),
    derives=_denials,
)
