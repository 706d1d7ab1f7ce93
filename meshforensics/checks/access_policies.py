"""AuthorizationPolicies that cannot do what they say."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._workloads import (
    DISABLE,
    Modes,
    Service,
    Workload,
    root_of,
    services_in,
    stands_for,
    tls_rules_in,
    workloads_in,
)
from meshforensics.tables import (
    ABSENT,
    Policy,
    fits,
    mapping_in,
    members_in,
    policies_of,
    selects,
    texts,
    texts_in,
)

_KINDS = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")
_OF_HTTP = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
_BY_IDENTITY = ("principals", "notPrincipals", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts")


def _rows(config: pd.DataFrame, found: Iterable[tuple[Policy, Mapping[str, Any]]], *columns: str) -> pd.DataFrame:
    """The rows of config that some policies are, each with what is said of it."""
    made = [{**config.loc[policy.index].to_dict(), **said} for policy, said in found]
    return pd.DataFrame(made, columns=[*config.columns, *columns])


@check(
    "access.deny-all",
    phase="access-control",
    plane="state",
    severity="info",
    by=["object"],
    title="A policy denies everything that no other policy allows",
    detail="{object} {why}; {closed:workload has|workloads have} no rule beside it that allows anything",
    remediation="Right as a floor below ALLOW policies; without one, every call to these workloads is denied.",
    source="guide, phase 3, step 6; Istio AuthorizationPolicy: an ALLOW policy without rules never matches",
)
def deny_all(config: pd.DataFrame, pods: pd.DataFrame = ABSENT, mesh_config: pd.DataFrame = ABSENT) -> pd.DataFrame:
    root = root_of(mesh_config)
    policies = [each for each in policies_of(config) if each.enforced]
    workloads = workloads_in(pods)
    found = []
    for policy in policies:
        why = _denies_all(policy)
        if why:
            closed = [each for each in workloads if selects(policy, each.namespace, each.labels, root)]
            open_ = [other for other in policies if other.action == "ALLOW" and other.rules]
            if policy.action == "ALLOW":
                closed = [
                    each for each in closed if not any(selects(one, each.namespace, each.labels, root) for one in open_)
                ]
            found.append((policy, {"why": why, "closed": len(closed)}))
    return _rows(config, found, "why", "closed")


def _denies_all(policy: Policy) -> str:
    if policy.action == "ALLOW" and not policy.rules:
        return "allows nothing, for it has no rules"
    if policy.action == "DENY" and any(rule == {} for rule in policy.rules):
        return "denies everything by an empty rule"
    return ""


@check(
    "access.selects-nothing",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A security policy selects no workload",
    detail="{object} selects no pod: {selected}",
    remediation="Compare its selector with the pods' labels; a policy of a namespace is for that namespace alone.",
    source="guide, phase 3, step 6; istioctl analyze IST0127; Kiali KIA0004",
)
def selects_nothing(config: pd.DataFrame, pods: pd.DataFrame, mesh_config: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Policies that are attached to a Gateway or Service by targetRefs are not judged by labels."""
    root, workloads = root_of(mesh_config), workloads_in(pods)
    found = [
        (
            policy,
            {"selected": ", ".join(f"{key}={value}" for key, value in policy.selector.items()) or "all of its own"},
        )
        for kind in _KINDS
        for policy in policies_of(config, kind)
        if not policy.targets and not any(selects(policy, each.namespace, each.labels, root) for each in workloads)
    ]
    return _rows(config, found if workloads else [], "selected")


@check(
    "access.unknown-principal",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object", "principal"],
    observed="principal",
    title="A policy names a principal that no workload has",
    detail="{object} names {principal}, and no pod runs as it",
    remediation="Correct the namespace or the service account; callers are known by the account they run as.",
    source="guide, phase 3, step 6; Kiali KIA0106; Istio principals are <trust domain>/ns/<namespace>/sa/<account>",
)
def unknown_principal(config: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """Exact names of Istio's form; what another cluster runs is not known here, so this is no error."""
    accounts = {f"/ns/{each.namespace}/sa/{each.account}" for each in workloads_in(pods) if each.account}
    found = [
        (policy, {"principal": name})
        for policy in policies_of(config)
        for name in dict.fromkeys(_sources(policy, "principals", "notPrincipals"))
        if "*" not in name and "/ns/" in name and name[name.index("/ns/") :] not in accounts
    ]
    return _rows(config, found if accounts else [], "principal")


@check(
    "access.unknown-namespace",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object", "named"],
    observed="named",
    title="A policy names a namespace that is not there",
    detail="{object} names namespace {named}, and there is none",
    remediation="Correct the name; a rule by namespaces matches callers of these alone.",
    source="guide, phase 3, step 6; istioctl analyze IST0101; Kiali KIA0101",
)
def unknown_namespace(config: pd.DataFrame, namespaces: pd.DataFrame) -> pd.DataFrame:
    there = set(texts(namespaces["namespace"])) - {""}
    found = [
        (policy, {"named": name})
        for policy in policies_of(config)
        for name in dict.fromkeys(_sources(policy, "namespaces", "notNamespaces"))
        if not any(fits(name, each) for each in there)
    ]
    return _rows(config, found if there else [], "named")


def _parts(policy: Policy, side: str, inner: str) -> Iterator[Mapping[str, Any]]:
    for rule in policy.rules:
        if isinstance(rule, dict):
            yield from (mapping_in(each, inner) for each in members_in(rule, side) if isinstance(each, dict))


def _sources(policy: Policy, *fields: str) -> list[str]:
    return [name for source in _parts(policy, "from", "source") for field in fields for name in texts_in(source, field)]


@check(
    "access.http-rule-on-tcp",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A policy has HTTP rules for a port that is TCP",
    detail="{object} asks for {asked}, and {service} has TCP port {port}: there an ALLOW rule is dropped, "
    "and a DENY rule denies without it",
    remediation="Give TCP ports rules of their own by port, principal and namespace, or name the port http.",
    source="guide, phase 3, step 6; Istio authorization on TCP: HTTP-only fields are not supported",
)
def http_rule_on_tcp(
    config: pd.DataFrame, pods: pd.DataFrame, services: pd.DataFrame, mesh_config: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Ports that are said to be TCP; one without a name is told by its first bytes, and may be HTTP."""
    root, workloads = root_of(mesh_config), workloads_in(pods)
    tcp = [(one, port, target) for one in services_in(services) for port, target in _tcp_ports(one)]
    found = []
    for policy in policies_of(config):
        asked, ports = _http_fields(policy)
        chosen = [each for each in workloads if selects(policy, each.namespace, each.labels, root)] if asked else []
        hit = next(_meeting(tcp, chosen, ports), None)
        if hit:
            found.append((policy, {"asked": ", ".join(asked), "service": hit[0].host, "port": hit[1]}))
    return _rows(config, found, "asked", "service", "port")


def _meeting(
    tcp: list[tuple[Service, str, str]], chosen: list[Workload], ports: set[str]
) -> Iterator[tuple[Service, str]]:
    for service, port, target in tcp:
        if (not ports or target in ports) and any(service.leads_to(each) for each in chosen):
            yield service, port


def _http_fields(policy: Policy) -> tuple[list[str], set[str]]:
    """The fields of HTTP that a policy asks for, and the ports that its operations are limited to."""
    operations = list(_parts(policy, "to", "operation"))
    asked = {field for each in operations for field in _OF_HTTP if texts_in(each, field)}
    asked |= {"requestPrincipals"} if _sources(policy, "requestPrincipals", "notRequestPrincipals") else set()
    for rule in policy.rules:
        whens = members_in(rule, "when") if isinstance(rule, dict) else []
        asked |= {
            str(each.get("key")) for each in whens if isinstance(each, dict) and "request." in str(each.get("key"))
        }
    limits = [set(texts_in(each, "ports")) for each in operations]
    return sorted(asked), set().union(*limits) if limits and all(limits) else set()


_TCP_NAMES = ("tcp", "tls", "https", "mongo", "mysql", "redis")


def _tcp_ports(service: Service) -> Iterator[tuple[str, str]]:
    """Number and target of each port that is said to be no HTTP."""
    for said in service.ports:
        name, _, rest = said.partition(":") if ":" in said else ("", "", said)
        number, _, tail = rest.partition("/")
        app = tail.partition("[")[2].partition("]")[0]
        if (app or name).lower().partition("-")[0] in _TCP_NAMES and not tail.startswith("UDP"):
            yield number, said.rpartition(">")[2]


@check(
    "access.principal-without-mtls",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A policy judges callers by identity where there is no mTLS to tell it",
    detail="{object} asks for {asked}, and {because}: callers have no identity there",
    remediation="Turn mTLS on for these workloads, or write the rule by addresses and ports.",
    source="guide, phase 3, step 6; Kiali KIA0105; Istio: principals and namespaces come from the peer's certificate",
)
def principal_without_mtls(
    config: pd.DataFrame,
    pods: pd.DataFrame = ABSENT,
    services: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Off at the server by PeerAuthentication, or at all clients by a DestinationRule; PERMISSIVE tells of most."""
    root, workloads = root_of(mesh_config), workloads_in(pods)
    modes, rules, known = Modes(config, root), tls_rules_in(config), services_in(services)
    found = []
    for policy in policies_of(config):
        asked = [field for field in _BY_IDENTITY if _sources(policy, field)]
        because = _no_mtls(stands_for(policy, workloads, root), modes, rules, known) if asked else ""
        if because:
            found.append((policy, {"asked": ", ".join(asked), "because": because}))
    return _rows(config, found, "asked", "because")


def _no_mtls(chosen: list[Workload], modes: Modes, rules: list[Any], services: list[Service]) -> str:
    """Why all of some workloads get no mTLS; empty where one may."""
    reasons = []
    for workload in chosen:
        hosts = [each.host for each in services if each.leads_to(workload)]
        if hosts:
            first = [next((rule for rule in rules if rule.is_for(host)), None) for host in hosts]
        else:
            first = [next((rule for rule in rules if rule.covers(workload.namespace)), None)]
        if modes.of(workload) == DISABLE:
            reasons.append("PeerAuthentication turns mTLS off")
        elif off := [rule.object for rule in first if rule is not None and rule.mode == DISABLE]:
            if len(off) < len(first):
                return ""
            reasons.append(f"{off[0]} turns mTLS off")
        else:
            return ""
    return reasons[0] if reasons else ""
