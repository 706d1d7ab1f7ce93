"""What else tells of calls that a proxy did not pass on: policies, limits, routes and objects behind them."""

import re
from typing import Any

import pandas as pd

from meshforensics.checks._hosts import labels_of, matches
from meshforensics.checks._lines import Lines, Tells
from meshforensics.model import format_time
from meshforensics.model.words import count_of
from meshforensics.tables import keys, text, texts, where

_DENIED_BY = re.compile(r"denied by: ([\w.-]+/[\w.-]+)")
_INSIDE = "outbound_."
"""So begin the server names of the mesh's own mutual TLS."""

_HBONE = 15008


def _denied(lines: Lines) -> str:
    found, config = lines.own("denials"), lines.table("config")
    named_there = {
        f"AuthorizationPolicy:{name}" for said in texts(lines.rows["text"]) for name in _DENIED_BY.findall(said)
    }
    if found.empty and not named_there:
        return ""
    behind = {each for many in found["objects"] if isinstance(many, tuple) for each in many} if len(found) else set()
    policies = sorted(named_there | {str(each) for each in behind})
    if config.empty or not policies:
        return f"{count_of(len(found), 'denial is', 'denials are')} logged; the policies were not captured"
    there = set(texts(config["object"]))
    known = [each for each in policies if each in there]
    if known:
        return f"confirmed: {', '.join(known[:3])} stands behind them"
    return f"{policies[0]} is named and was not among the objects captured: it was removed, or is new"


def _limited(lines: Lines) -> str:
    """The limits that may be of the proxies that logged them: their namespaces' own, or the mesh's."""
    filters, policies = lines.near("EnvoyFilter"), lines.near("HTTPLocalRateLimitPolicy")
    if len(filters):
        filters = filters[text(filters["spec"]).str.contains("ratelimit", regex=False)]
    objects = [
        *(texts(filters["object"]) if len(filters) else ()),
        *(texts(policies["object"]) if len(policies) else ()),
    ]
    return f"confirmed: {objects[0]} sets a limit" if objects else ""


def _injected(lines: Lines) -> str:
    rules = lines.table("virtual_service_rules")
    if rules.empty:
        return ""
    faulty = rules[text(rules["fault"]) != ""]
    hosts = {name.rpartition("|")[2] for name in lines.clusters} - {""}
    own = where(faulty, (host in hosts for host in texts(faulty["host"]))) if hosts else faulty
    if len(own):
        return f"confirmed: {text(own['object']).iloc[0]} injects it"
    return "no VirtualService that was captured injects it: look for an EnvoyFilter" if faulty.empty else ""


def _answered(lines: Lines) -> str:
    log, routes = lines.logged("access_log"), lines.table("routes")
    names = set(texts(log["route"])) - {"", "-"} if len(log) else set[str]()
    own = routes[routes["direct_response"].notna() & routes["name"].isin(names)] if len(routes) else routes
    if own.empty:
        return ""
    first = own.iloc[0]
    why = f"confirmed: route {first['name']} of {first['route_config']} answers {first['direct_response']} by itself"
    return why + (f", {blocked}" if first["name"] == "block_all" and (blocked := _registry_only(lines)) else "")


def _registry_only(lines: Lines) -> str:
    """What blocks destinations that the mesh does not know: the mesh's own policy, or a Sidecar's."""
    mesh, sidecars = lines.table("mesh_config"), lines.near("Sidecar")
    if len(mesh) and (mesh["outbound_policy"] == "REGISTRY_ONLY").any():
        return "the mesh's outbound policy is REGISTRY_ONLY"
    held = sidecars[text(sidecars["spec"]).str.contains('"REGISTRY_ONLY"', regex=False)] if len(sidecars) else sidecars
    return f"{text(held['object']).iloc[0]} is REGISTRY_ONLY" if len(held) else ""


def _blocked(lines: Lines) -> str:
    said = _registry_only(lines) if "BlackHoleCluster" in lines.clusters else ""
    return f"confirmed: {said}" if said else ""


def _no_route(lines: Lines) -> str:
    """Hosts that were asked for and that no route configuration has, where none takes every host."""
    log, hosts = lines.logged("access_log"), lines.table("virtual_hosts")
    asked = {_host(each) for each in texts(log["authority"])} - {"", "-"} if len(log) else set[str]()
    domains = (
        {str(each) for many in hosts["domains"] if isinstance(many, tuple) for each in many}
        if len(hosts)
        else set[str]()
    )
    if not asked or not domains or "*" in domains:
        return ""
    bare = {_host(each) for each in domains}
    lost = sorted(host for host in asked if not any(matches(each, host) for each in bare))
    if lost:
        return f"confirmed: no captured route configuration is for host {lost[0]}"
    return f"host {min(asked)} has routes as of the capture: look at the paths, and at whose they are"


def _host(authority: str) -> str:
    """Without its port."""
    return re.sub(r":\d+\Z", "", authority)


def _no_chain(lines: Lines) -> str:
    """Server names that no filter chain is for; connections without one, where mutual TLS is asked for."""
    log, chains = lines.logged("access_log"), lines.table("filter_chains")
    if log.empty:
        return ""
    asked = {each for each in texts(log["sni"]) if each not in {"", "-"} and not each.startswith(_INSIDE)}
    known = (
        {str(each) for many in chains["server_names"] if isinstance(many, tuple) for each in many}
        if len(chains)
        else set[str]()
    )
    lost = sorted(name for name in asked if known and not any(matches(each, name) for each in known))
    if lost:
        return f"confirmed: no captured filter chain is for server name {lost[0]}"
    modes = lines.near("PeerAuthentication")
    whole = modes[~text(modes["spec"]).str.contains('"selector"', regex=False)] if len(modes) else modes
    strict = whole[text(whole["spec"]).str.contains('"mtls":{"mode":"STRICT"}', regex=False)] if len(whole) else whole
    plain = int(text(log["sni"]).isin(["", "-"]).sum())
    if strict.empty or not plain:
        return ""
    asks = f"{text(strict['object']).iloc[0]} asks for mutual TLS"
    return (
        f"confirmed: {asks}, and {plain} of {count_of(len(log), 'line')} {'names' if plain == 1 else 'name'} no server"
    )


def _required(lines: Lines) -> str:
    asked = lines.near("RequestAuthentication")
    return f"confirmed: {text(asked['object']).iloc[0]} judges tokens there" if len(asked) else ""


def _authorizer(lines: Lines) -> str:
    policies = lines.near("AuthorizationPolicy")
    custom = (
        policies[text(policies["spec"]).str.contains('"action":"CUSTOM"', regex=False)] if len(policies) else policies
    )
    return f"confirmed: {text(custom['object']).iloc[0]} asks an external authorizer" if len(custom) else ""


def _changed(lines: Lines) -> str:
    config = lines.table("config")
    if config.empty:
        return ""
    policies = config[config["kind"].isin(["AuthorizationPolicy", "PeerAuthentication"]) & config["changed_at"].notna()]
    begun = pd.Timestamp(lines.window.start)
    recent = policies[(policies["changed_at"] >= begun) & (policies["changed_at"] <= lines.last)]
    if recent.empty:
        return ""
    one = recent.sort_values("changed_at", kind="stable").iloc[-1]
    return f"confirmed: {one['object']} changed at {format_time(one['changed_at'])}"


def _not_let_in(lines: Lines) -> str:
    """Whether the policies that select a pod that was called let in to 15008; any one of them suffices."""
    policies, pods = lines.table("network_policies"), lines.table("pods")
    calls = lines.logged("ztunnel_connections")
    called = set(texts(calls["destination"])) - {""} if len(calls) else set[str]()
    if policies.empty or pods.empty or not called:
        return ""
    bearing = {f"{space}/{pod}": labels_of(said) for space, pod, said in keys(pods, "namespace", "pod", "labels")}
    for name in sorted(called & set(bearing)):
        held = policies[policies["namespace"] == name.partition("/")[0]]
        over = [row for _, row in held.iterrows() if "Ingress" in row["types"] and _selects(row, bearing[name])]
        if over and not any(row["expressions"] or _lets_in(row["ports"]) for row in over):
            return f"confirmed: {over[0]['object']} is for {name} and does not let in to port {_HBONE}"
    return ""


def _selects(policy: "pd.Series[Any]", labels: dict[str, str]) -> bool:
    """Whether a policy is for a pod with these labels; its expressions are not looked at."""
    said = policy["selector"]
    return set(labels_of(said if isinstance(said, str) else "").items()) <= set(labels.items())


def _lets_in(ports: object) -> bool:
    """Whether HBONE's port is among those of a policy; one that names none lets in to all."""
    if not isinstance(ports, tuple):
        return True
    spans = (str(port).partition("-") for port in ports)
    return any(
        first == "*" or (first.isdigit() and int(first) <= _HBONE <= int(last or first)) for first, _, last in spans
    )


TELLS = {
    "rbac-denied": Tells(
        topic="calls", judge=_denied, by="table denials, and the policies that the lines name",
        counters=("rbac.denied", 'rbac{authz_enforce_result":"denied"}', "inbound_http_authz_deny_total",
                  "inbound_tcp_authz_deny_total"),
    ),
    "no-route": Tells(
        topic="calls", judge=_no_route, by="the hosts that were asked for against the domains of virtual hosts",
        counters=("no_route",), only=("R14",), flags=("NR",),
    ),
    "no-filter-chain": Tells(
        topic="calls", judge=_no_chain,
        by="server names that no filter chain is for; PeerAuthentication that asks for mutual TLS",
        counters=("no_filter_chain_match",), flags=("NR",),
    ),
    "rate-limited": Tells(
        topic="calls", judge=_limited,
        by="EnvoyFilters and HTTPLocalRateLimitPolicies of the namespace that set a limit",
        counters=("http_local_rate_limit.enforced", "http_local_rate_limit.rate_limited", "ratelimit.over_limit",
                  "ratelimit.error"),
        flags=("RL", "RLSE"),
    ),
    "ext-authz": Tells(
        topic="calls", judge=_authorizer, by="AuthorizationPolicies of the namespace whose action is CUSTOM",
        counters=("ext_authz.denied", "ext_authz.error"), flags=("UAEX",),
    ),
    "jwt": Tells(
        topic="calls", judge=_required, by="RequestAuthentications of the namespace", counters=("jwt_authn.denied",)
    ),
    "fault-injected": Tells(
        topic="calls", judge=_injected, by="VirtualServices with a fault for the host",
        counters=("fault.aborts_injected", "fault.delays_injected"), flags=("FI", "DI"),
    ),
    "direct-response": Tells(
        topic="calls", judge=_answered, by="the route that the lines name, and the mesh's outbound policy",
        counters=("rq_direct_response",),
    ),
    "unknown-destination": Tells(
        topic="calls", judge=_blocked, by="the mesh's outbound policy and Sidecars",
        counters=("upstream_cx_connect_fail", "upstream_cx_connect_timeout", "upstream_cx_none_healthy"),
    ),
    "network-policy": Tells(
        topic="calls", judge=_not_let_in, by="NetworkPolicies of the namespace that was called"
    ),
    "policy-changed": Tells(
        topic="calls", judge=_changed, by="policies that changed in the window before the line"
    ),
}  # fmt: skip
