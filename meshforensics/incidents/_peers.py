"""The far side of failed calls: the servers' pods, what they refused, and the objects that set how both sides speak."""

import json
import re
from collections.abc import Iterable, Iterator

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.tables import ROOT_NAMESPACE, inside, keys, text, texts, where

Proxy = tuple[str, ...]

CUT = ("upstream-reset", "connect-failure", "tls-handshake-cut", "local-reset", "protocol")
"""How a call looks to its caller when the server closes the connection without an answer."""


def pods_by_address(case: Case) -> dict[str, Proxy]:
    """Every known pod by its IP address."""
    return {ip: pod for table in ("proxies", "pods") for ip, pod in _addressed(case.source.frame(table)) if ip}


def _addressed(frame: pd.DataFrame) -> Iterator[tuple[str, Proxy]]:
    yield from zip(texts(frame["ip"]), keys(frame, "namespace", "pod"), strict=True)


def ip_of(address: str) -> str:
    """The address without its port and brackets.

    >>> ip_of("10.0.0.1:80"), ip_of("[fd00::1]:80")
    ('10.0.0.1', 'fd00::1')
    """
    return address.rpartition(":")[0].strip("[]")


def servers_of(case: Case, failed: pd.DataFrame) -> tuple[str, ...]:
    """The pods that failed calls were sent to, where their addresses are known."""
    pods = pods_by_address(case)
    found = {pods[ip] for ip in map(ip_of, texts(failed["upstream_host"])) if ip in pods}
    return tuple(sorted("/".join(pod) for pod in found))


def refused_connections(case: Case) -> pd.DataFrame:
    """Connections of the window that a sidecar closed because no filter chain of its own port fits them.

    Plaintext to a port that takes mTLS only, or TLS to one that takes plaintext only. Connections that come
    from no known pod are left out: probes and scanners; so are gateways, where it is an unknown server name.
    """
    log = case.source.frame("access_log")
    seen = inside(log, case.window) if case.window else log.iloc[:0]
    rows = seen[text(seen["details"]).str.contains("filter_chain_not_found", regex=False)]
    pods = pods_by_address(case)
    gateways = _gateways(case)
    fits = (
        pods.get(ip_of(local)) == proxy and proxy not in gateways and pods.get(ip_of(remote), proxy) != proxy
        for proxy, local, remote in zip(
            keys(rows, "namespace", "pod"),
            texts(rows["downstream_local"]),
            texts(rows["downstream_remote"]),
            strict=True,
        )
    )
    return where(rows, fits).sort_values(["at", "namespace", "pod", "pointer"])


def _gateways(case: Case) -> set[tuple[str, ...]]:
    proxies = case.source.frame("proxies")
    return set(keys(proxies[proxies["role"].isin(["router", "waypoint"])], "namespace", "pod"))


def refused_calls(case: Case, failed: pd.DataFrame) -> pd.DataFrame:
    """Of these failed calls, those to an endpoint whose own proxy refused connections of the same caller."""
    pods = pods_by_address(case)
    refused = refused_connections(case)
    pairs = {
        (pods.get(ip_of(remote)), local) for remote, local in keys(refused, "downstream_remote", "downstream_local")
    }
    callers = zip(keys(failed, "namespace", "pod"), texts(failed["upstream_host"]), strict=True)
    return where(failed, (pair in pairs for pair in callers))


def as_calls(case: Case, refused: pd.DataFrame) -> pd.DataFrame:
    """Refused connections in the form of calls, by who made them."""
    pods = pods_by_address(case)
    made = [pods.get(ip_of(remote), ("", remote)) for remote in texts(refused["downstream_remote"])]
    servers = [f"{namespace}/{pod}" for namespace, pod in keys(refused, "namespace", "pod")]
    return refused.assign(
        caller=[f"{namespace}/{pod}" for namespace, pod in made],
        host=servers,
        upstream_host=text(refused["downstream_local"]),
        failed=True,
    )


def objects_about(case: Case, hosts: Iterable[str], servers: Iterable[str]) -> tuple[str, ...]:
    """The DestinationRules that set TLS towards these hosts, and the PeerAuthentications that hold for the servers.

    Those of the servers' namespaces; where there is none, those of the root namespace, which hold for the mesh.
    """
    config = case.source.frame("config")
    modes = config[config["kind"] == "PeerAuthentication"]
    spaces = {server.partition("/")[0] for server in servers}
    own = modes[modes["namespace"].isin(sorted(spaces))]
    chosen = own if len(own) or not spaces else modes[modes["namespace"] == ROOT_NAMESPACE]
    return tuple(sorted({*texts(chosen["object"]), *destination_rules(case, hosts, sets="tls")}))


def destination_rules(case: Case, hosts: Iterable[str], *, sets: str = "") -> tuple[str, ...]:
    """The DestinationRules for these hosts that set some field, or all of them.

    A short host of a rule is of the rule's own namespace, as Istio reads it.
    """
    config, wanted = case.source.frame("config"), set(hosts)
    rules = config[config["kind"] == "DestinationRule"]
    read = ((row, _spec(row.spec)) for row in rules.itertuples())
    return tuple(
        sorted(
            str(row.object)
            for row, spec in read
            if _is_for(spec, str(row.namespace), wanted) and (not sets or f'"{sets}"' in json.dumps(spec))
        )
    )


def routes_to(case: Case, clusters: Iterable[str]) -> pd.DataFrame:
    """The routes of which these are clusters that requests go to."""
    routes = case.source.frame("routes")
    return routes[text(routes["cluster"]).isin(sorted(set(clusters) - {""}))]


def host_of(cluster: str) -> str:
    """The host in the name of an Istio cluster; empty where it has none.

    >>> host_of("outbound|80|v2|pay.shop.svc.cluster.local"), host_of("xds-grpc")
    ('pay.shop.svc.cluster.local', '')
    """
    parts = cluster.split("|")
    return parts[3] if len(parts) == 4 else ""


def _spec(said: object) -> dict[str, object]:
    try:
        spec = json.loads(said) if isinstance(said, str) else {}
    except ValueError:
        return {}
    return spec if isinstance(spec, dict) else {}


def _is_for(spec: dict[str, object], namespace: str, hosts: set[str]) -> bool:
    said = str(spec.get("host") or "")
    whole = said if "." in said else f"{said}.{namespace}.svc"
    return any(host == whole or host.startswith(f"{whole}.") or _wild(whole, host) for host in hosts)


def _wild(pattern: str, host: str) -> bool:
    return pattern.startswith("*.") and host.endswith(pattern[1:])


def accepts(matchers: Iterable[str], names: Iterable[str]) -> bool:
    """Whether one of these names is accepted; without matchers every name is.

    >>> accepts(("prefix:spiffe://a/",), ("spiffe://b/ns/x",))
    False
    """
    wanted = list(matchers)
    return not wanted or any(_matches(each, name) for each in wanted for name in names)


def _matches(matcher: str, name: str) -> bool:
    kind, _, value = matcher.partition(":")
    if kind == "prefix":
        return name.startswith(value)
    if kind == "suffix":
        return name.endswith(value)
    if kind == "contains":
        return value in name
    if kind == "regex":
        return _fits(value, name)
    return matcher == name


def _fits(pattern: str, name: str) -> bool:
    try:
        return bool(re.fullmatch(pattern, name))
    except re.error:  # RE2 and Python differ in rare syntax; what cannot be read refuses nobody
        return True
