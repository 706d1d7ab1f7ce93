"""Whether clients and servers agree on mTLS, as objects and logs say it."""

from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._workloads import (
    DISABLE,
    PERMISSIVE,
    STRICT,
    Modes,
    Service,
    TlsRule,
    Workload,
    known_injected,
    root_of,
    services_in,
    system_pods,
    tls_rules_in,
    workloads_in,
)
from meshforensics.model import Window
from meshforensics.tables import ABSENT, inside, ips_of, keys, mapping_in, policies_of, selects, text, where

_MUTUAL = ("ISTIO_MUTUAL", "MUTUAL")


def _of(config: pd.DataFrame, found: list[tuple[Any, dict[str, Any]]], *columns: str) -> pd.DataFrame:
    made = [{**config.loc[index].to_dict(), **said} for index, said in found]
    return pd.DataFrame(made, columns=[*config.columns, *columns])


@check(
    "access.plaintext-to-strict",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A DestinationRule turns TLS off towards workloads that take mTLS only",
    detail="{object} sends plaintext to {host}, and {server} is STRICT there",
    remediation="Remove tls.mode DISABLE; clients with a sidecar then use mTLS by themselves.",
    source="guide, phase 3; Kiali KIA0208; Istio: a DestinationRule's tls wins over auto mTLS",
)
def plaintext_to_strict(
    config: pd.DataFrame,
    pods: pd.DataFrame = ABSENT,
    services: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """By the most specific rule of each service; without services, where a rule is for a whole namespace or mesh."""
    modes = Modes(config, root_of(mesh_config))
    found = [
        (rule.index, {"host": rule.host, "server": server})
        for rule, server, mode in _meetings(config, pods, services, modes)
        if rule.mode == DISABLE and mode == {STRICT}
    ]
    return _of(config, found, "host", "server").drop_duplicates("object")


@check(
    "access.mtls-to-plaintext",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A DestinationRule asks for mTLS of workloads that take plaintext only",
    detail="{object} sends mTLS to {host}, and {server} takes plaintext only: {because}",
    remediation="Remove the mode, so that clients choose by the server; or give the server a sidecar and mTLS.",
    source="guide, phase 3; Kiali KIA0505; signature WRONG_VERSION_NUMBER",
)
def mtls_to_plaintext(
    config: pd.DataFrame,
    pods: pd.DataFrame = ABSENT,
    services: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Servers turned to DISABLE, and, where sidecars are known at all, services none of whose pods has one."""
    modes = Modes(config, root_of(mesh_config))
    found = [
        (rule.index, {"host": rule.host, "server": server, "because": "PeerAuthentication DISABLE"})
        for rule, server, mode in _meetings(config, pods, services, modes)
        if rule.mode in _MUTUAL and mode == {DISABLE}
    ]
    if known_injected(pods):
        workloads, rules = workloads_in(pods), tls_rules_in(config)
        for service in services_in(services):
            behind = [each for each in workloads if service.leads_to(each)]
            rule = next((each for each in rules if each.is_for(service.host)), None)
            if rule and rule.mode == "ISTIO_MUTUAL" and behind and all(each.injected is False for each in behind):
                said = {"host": rule.host, "server": service.host, "because": "none of its pods has a sidecar"}
                found.append((rule.index, said))
    return _of(config, found, "host", "server", "because").drop_duplicates("object")


def _meetings(
    config: pd.DataFrame, pods: pd.DataFrame, services: pd.DataFrame, modes: Modes
) -> list[tuple[TlsRule, str, set[str]]]:
    """Each rule in force with a server that it leads to, and the modes of that server's pods and ports."""
    rules, workloads = tls_rules_in(config), workloads_in(pods)
    found: list[tuple[TlsRule, str, set[str]]] = []
    for service in services_in(services):
        rule = next((each for each in rules if each.is_for(service.host)), None)
        behind = [each for each in workloads if service.leads_to(each)]
        if rule and behind:
            found.append((rule, service.host, _modes(modes, service, behind)))
    if found or len(services):
        return found
    namespaces = sorted({each.namespace for each in modes.policies if each.namespace != modes.root})
    for namespace in [*namespaces, modes.root]:
        pair = modes.wide(namespace)
        rule = next((each for each in rules if each.covers(namespace)), None)
        if pair and rule:
            found.append(
                (rule, f"namespace {namespace}" if namespace != modes.root else "the mesh", {_wide(modes, pair)})
            )
    return found


def _modes(modes: Modes, service: Service, behind: list[Workload]) -> set[str]:
    targets = [said.rpartition(">")[2] for said in service.ports] or [""]
    return {modes.of(workload, target) for workload in behind for target in targets}


def _wide(modes: Modes, pair: Any) -> str:
    return modes.of(Workload(pair.namespace, "", {}))


@check(
    "access.strict-without-sidecar",
    phase="access-control",
    plane="state",
    severity="info",
    by=["strict"],
    title="Pods without a sidecar cannot call workloads that take mTLS only",
    detail="{count:pod has|pods have} no sidecar, {subject}{count:~| first}, and {strict} take mTLS only",
    remediation="Inject them if they call into the mesh; probes and scrapers may need PERMISSIVE ports.",
    source="guide, phase 3; Istio PeerAuthentication STRICT",
)
def strict_without_sidecar(
    config: pd.DataFrame, pods: pd.DataFrame, mesh_config: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """What is so; whether they call is in `plaintext-refused`."""
    root = root_of(mesh_config)
    modes, workloads = Modes(config, root), workloads_in(pods)
    inside_mesh = [each for each in workloads if each.injected]
    strict = sorted({each.namespace for each in inside_mesh if modes.of(each) == STRICT})
    own = {(each.namespace, each.name) for each in system_pods(workloads, root)}
    outside = {(each.namespace, each.name) for each in workloads if each.injected is False and not each.ambient} - own
    rows = where(pods, (key in outside and bool(strict) for key in keys(pods, "namespace", "pod")))
    return rows.assign(strict=f"workloads of {', '.join(strict)}")


@check(
    "access.plaintext-refused",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["server"],
    title="Plaintext of pods without a sidecar was refused",
    detail="{server} refused {refused:connection|s} of {count:pod|s} without a sidecar since {at}, "
    "{subject}{count:~| first}",
    remediation="Inject the caller, or make an exception for the port by portLevelMtls.",
    source="guide, phase 3; Envoy: filter_chain_not_found where a port takes mTLS only",
)
def plaintext_refused(access_log: pd.DataFrame, pods: pd.DataFrame, window: Window) -> pd.DataFrame:
    rows = inside(access_log[text(access_log["details"]).str.contains("filter_chain_not_found", regex=False)], window)
    without = pods[pods["injected"].notna() & ~pods["injected"].fillna(True).astype(bool)]
    by_ip = {ip: (namespace, pod) for ip, namespace, pod in keys(without, "ip", "namespace", "pod") if ip}
    remote = ips_of(rows["downstream_remote"])
    known = remote.isin(list(by_ip))
    callers = [by_ip[ip] for ip in remote[known]]
    servers = text(rows["namespace"])[known] + "/" + text(rows["pod"])[known]
    told = rows[known].assign(
        namespace=[namespace for namespace, _ in callers],
        pod=[pod for _, pod in callers],
        server=servers,
    )
    return told.assign(refused=told.groupby("server")["server"].transform("size"))


@check(
    "access.port-exception",
    phase="access-control",
    plane="state",
    severity="info",
    by=["object"],
    title="A port is excepted from the mTLS mode of its workload",
    detail="{object} makes {excepted}, beside {mode} for all other ports",
    remediation="Right for probes and for databases that speak first; review what is open in plaintext.",
    source="guide, phase 3; Istio PeerAuthentication portLevelMtls",
)
def port_exception(config: pd.DataFrame, mesh_config: pd.DataFrame = ABSENT) -> pd.DataFrame:
    modes = Modes(config, root_of(mesh_config))
    found: list[tuple[Any, dict[str, Any]]] = []
    for policy in modes.policies:
        ports = mapping_in(policy.spec, "portLevelMtls")
        whole = modes.of(Workload(policy.namespace, "", policy.selector))
        other = {port: str(mapping_in(ports, port).get("mode") or "UNSET") for port in ports}
        told = [f"port {port} {mode}" for port, mode in sorted(other.items()) if mode not in {"UNSET", whole}]
        if policy.selector and told:
            found.append((policy.index, {"excepted": ", ".join(told), "mode": whole}))
    return _of(config, found, "excepted", "mode")


@check(
    "access.port-exception-idle",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object", "port"],
    title="An exception for a port has no effect",
    detail="{object} excepts port {port}: {because}",
    remediation="Name the port that the container listens on, not the Service's; give the policy a selector.",
    source="guide, phase 3; Istio: portLevelMtls is by the workload's port and needs a selector",
)
def port_exception_idle(
    config: pd.DataFrame, pods: pd.DataFrame = ABSENT, services: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """A port that only a Service has is surely the wrong one; one that nothing names may still be listened on."""
    workloads, known = workloads_in(pods), services_in(services)
    found: list[tuple[Any, dict[str, Any]]] = []
    for policy in policies_of(config, "PeerAuthentication"):
        chosen = [each for each in workloads if selects(policy, each.namespace, each.labels)]
        behind = [each for each in known if any(each.leads_to(one) for one in chosen)]
        for port in mapping_in(policy.spec, "portLevelMtls"):
            if not policy.selector:
                found.append((policy.index, {"port": port, "because": "a policy without selector has no ports"}))
            elif _only_of_services(port, behind):
                found.append((policy.index, {"port": port, "because": f"it is the port of {behind[0].host} itself"}))
    return _of(config, found, "port", "because")


def _only_of_services(port: str, services: list[Service]) -> bool:
    """Whether some services have a port of that number, and none leads to a workload's port of it."""
    numbers = {said.rpartition(":")[2].partition("/")[0] for each in services for said in each.ports}
    targets = {said.rpartition(">")[2] for each in services for said in each.ports}
    return port in numbers and port not in targets and all(target.isdigit() for target in targets)


@check(
    "access.peer-authentication-ignored",
    phase="access-control",
    plane="state",
    severity="warning",
    by=["object"],
    title="A PeerAuthentication is ignored, because an older one has its scope",
    detail="{object} ({mode}) has no effect: {winner} is older and for the same workloads",
    remediation="Change the older one in place of adding another; the oldest of a scope wins.",
    source="guide, emergency steps (a second namespace-wide policy does nothing); Istio authn policy_applier",
)
def peer_authentication_ignored(config: pd.DataFrame) -> pd.DataFrame:
    """Only where both times are known."""
    ages = dict(zip(config.index, config["created_at"], strict=True))
    first: dict[tuple[str, str], Any] = {}
    found: list[tuple[Any, dict[str, Any]]] = []
    for policy in Modes(config, "").policies:
        scope = (policy.namespace, ",".join(f"{key}={value}" for key, value in sorted(policy.selector.items())))
        older = first.setdefault(scope, policy)
        if older is not policy and not pd.isna(ages[policy.index]) and not pd.isna(ages[older.index]):
            mode = str(mapping_in(policy.spec, "mtls").get("mode") or PERMISSIVE)
            found.append((policy.index, {"mode": mode, "winner": older.object}))
    return _of(config, found, "mode", "winner")
