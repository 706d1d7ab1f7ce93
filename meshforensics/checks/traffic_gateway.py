"""Phase 2: gateways: TLS, credentials, listeners."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._hosts import labels_of, lists_all
from meshforensics.checks._logged import without_chain
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, text, texts, unlogged, where

_ISTIO = "networking.istio.io"
_ERRORS = (
    "ssl_connection_error",
    "ssl_fail_verify_error",
    "ssl_fail_verify_san",
    "ssl_fail_verify_cert_hash",
    "ssl_fail_verify_no_cert",
)
_OWNER = ["namespace", "pod", "cluster", "listener", "captured_at"]


def _selected(gateway_servers: pd.DataFrame, pods: pd.DataFrame) -> list[frozenset[tuple[str, str]]]:
    """The pods that each server is for; of the Gateway API those that bear the Gateway's name."""
    known = [(namespace, pod, labels_of(said)) for namespace, pod, said in keys(pods, "namespace", "pod", "labels")]
    chosen = []
    for group, selector, namespace, name in keys(gateway_servers, "group", "selector", "namespace", "object"):
        wanted = labels_of(selector)
        if group != _ISTIO:
            wanted = {"gateway.networking.k8s.io/gateway-name": name.rpartition("/")[2]}
        fits = (
            (space, pod)
            for space, pod, labels in known
            if wanted and wanted.items() <= labels.items() and (group == _ISTIO or space == namespace)
        )
        chosen.append(frozenset(fits))
    return chosen


@check(
    "traffic.gateway-credential-missing",
    phase="traffic",
    plane="edge",
    severity="warning",
    by=["object", "credential"],
    subject="object",
    observed="credential",
    title="A gateway's certificate Secret does not exist",
    detail="{object} needs Secret {credential} in namespace {where}, where there is none of that name",
    remediation="Create the Secret in the namespace of the gateway's pods, not of the Gateway object.",
    source="guide, diagram (Istio Gateway, certificate issues); istioctl analyze IST0101; signatures X29",
)
def gateway_credential_missing(
    gateway_servers: pd.DataFrame, cluster_secrets: pd.DataFrame, pods: pd.DataFrame
) -> pd.DataFrame:
    """Judged for namespaces of which Secrets were listed."""
    listed = set(texts(cluster_secrets["namespace"]))
    there = set(keys(cluster_secrets, "namespace", "name"))
    servers = zip(gateway_servers.to_dict("records"), _selected(gateway_servers, pods), strict=True)
    rows = [
        {**row, "credential": name, "where": space}
        for row, chosen in servers
        for space, name in _wanted(row["credentials"], sorted({namespace for namespace, _ in chosen}))
        if space in listed and (space, name) not in there
    ]
    return pd.DataFrame(rows, columns=[*gateway_servers.columns, "credential", "where"])


def _wanted(credentials: object, spaces: list[str]) -> Iterator[tuple[str, str]]:
    """Namespace and name of each Secret; a bare name is looked for beside the gateway's pods."""
    for each in credentials if isinstance(credentials, tuple) else ():
        name = str(each).removeprefix("kubernetes://")
        if name.startswith(("file:", "configmap:", "invalid:")):
            continue
        space, slash, own = name.partition("/")
        yield from [(space, own)] if slash else [(each_space, name) for each_space in spaces]


@check(
    "traffic.gateway-no-listener",
    phase="traffic",
    plane="edge",
    severity="warning",
    by=["object", "port"],
    subject="object",
    observed="port",
    title="A gateway does not listen on a port that its Gateway opens",
    detail="{object} opens port {port}, and none of its {pods} captured proxies listens on {expected}",
    remediation="Look for a rejected listener, and for the Gateway's namespace, selector and Service port.",
    source="guide, diagram (target unreachable); Envoy /listeners and config_dump against Gateway servers",
)
def gateway_no_listener(
    gateway_servers: pd.DataFrame,
    pods: pd.DataFrame,
    bound_listeners: pd.DataFrame,
    service_ports: pd.DataFrame,
) -> pd.DataFrame:
    """The port itself, or what a Service of that port leads to: Istio listens on the target port."""
    if not lists_all(service_ports, "services"):
        return gateway_servers.iloc[:0]
    bound: dict[tuple[str, ...], set[int]] = {}
    for namespace, pod, address in keys(bound_listeners, "namespace", "pod", "address"):
        port = address.rpartition(":")[2]
        bound.setdefault((namespace, pod), set()).update({int(port)} if port.isdecimal() else ())
    rows = []
    servers = zip(gateway_servers.to_dict("records"), _selected(gateway_servers, pods), strict=True)
    for row, chosen in servers:
        captured = [bound[proxy] for proxy in chosen if proxy in bound]
        if pd.isna(row["port"]) or not captured or row["protocol"] in {"TCP", "TLS", "MONGO", "MYSQL"}:
            continue
        expected = _targets(int(row["port"]), service_ports)
        if expected and not any(expected & ports for ports in captured):
            said = ", ".join(map(str, sorted(expected)))
            rows.append({**row, "pods": len(captured), "expected": said})
    return pd.DataFrame(rows, columns=[*gateway_servers.columns, "pods", "expected"])


def _targets(port: int, service_ports: pd.DataFrame) -> set[int]:
    """The port, and the target ports of all services that have it; empty where one is named and not numbered."""
    own = service_ports[service_ports["port"].fillna(-1) == port]
    targets = texts(own["target"])
    if not all(each.isdecimal() for each in targets):
        return set()
    return {port, *map(int, targets)}


@check(
    "traffic.handshake-failures",
    phase="traffic",
    plane="edge",
    threshold="traffic.handshake-failure-share",
    by=["cluster", "listener"],
    observed="share",
    unit="ratio",
    title="TLS handshakes fail, as counters tell",
    detail="{subject}, {cluster}{listener}: {failures} of {handshakes} TLS handshakes failed from {since} to {until}",
    remediation="Read the reason in the access log or the proxy's log; compare certificates, names and versions.",
    source="guide, overview (TLS handshake failures > 20 %); Envoy ssl.connection_error, ssl.fail_verify_*, "
    "ssl.handshake: two samples or a start inside the window; thresholds 14",
)
def handshake_failures(
    rises_over_time: pd.DataFrame, window: Window, profile: Profile, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Of clusters only where no request was logged; a gateway's own clients are often in no log."""
    recent = unlogged(rises_over_time, ABSENT, window)
    silent = set(keys(unlogged(rises_over_time, access_log, window), "namespace", "pod"))
    own = where(recent, (each[:2] in silent or not each[2] for each in keys(recent, "namespace", "pod", "cluster")))
    failed, done = _by_owner(own, _ERRORS), _by_owner(own, ("ssl_handshake",))
    both = failed.merge(done[[*_OWNER, "rise"]], on=_OWNER, how="left", suffixes=("", "_done"))
    total = both["rise"] + both["rise_done"].fillna(0.0)
    share = both["rise"] / total.where(total > 0, 1.0)
    both = both.assign(failures=both["rise"].astype("int64"), handshakes=total.astype("int64"), share=share)
    return both[(both["rise"] > 0) & (total >= profile.threshold("traffic.handshake-failure-share").minimum)]


def _by_owner(rises: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """One row per listener or cluster: the greatest of some counters, which may count one failure each."""
    own = rises[rises["name"].isin(names)]
    made = own.assign(until=own["at"], rise=own["rise"].astype("float64").fillna(0.0))
    made = made.assign(**{name: text(made[name]) for name in _OWNER if name != "captured_at"})
    return made.sort_values("rise", kind="stable").drop_duplicates(_OWNER, keep="last").sort_index()


@check(
    "traffic.no-filter-chain",
    phase="traffic",
    plane="edge",
    severity="info",
    by=["listener"],
    observed="rise",
    unit="connections",
    title="Connections fit no filter chain of a listener",
    detail="{rise:connection|s} to {listener} of {subject} fitted no filter chain between {since} and {until}{logged}",
    remediation="At a gateway: an SNI that no server has. At a sidecar: plaintext to a STRICT port, most often.",
    source="guide, diagram (TLS termination); Envoy counter listener.*.no_filter_chain_match; signatures T15",
)
def no_filter_chain(rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Istio logs them on its inbound listener, with who came; other listeners only count them."""
    own = unlogged(rises_over_time, ABSENT, window)
    risen = own[(own["name"] == "no_filter_chain_match") & (own["rise"].fillna(0) > 0)]
    return without_chain(risen.assign(until=risen["at"]), access_log)
