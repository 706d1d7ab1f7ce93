"""Phase 2: protocols that do not match, and the names of ports that decide them."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._edges import edges
from meshforensics.formats.signatures import family_of
from meshforensics.model import Window
from meshforensics.tables import ABSENT, inside, keys, texts, unlogged, where

_FAMILIES = {
    "protocol": "the two sides speak different protocols, such as HTTP/2 to HTTP/1",
    "plaintext-to-tls": "plain HTTP to a port that takes TLS",
    "tls-to-plaintext": "TLS to a port that speaks plaintext",
}
_KNOWN = frozenset(
    {"grpc", "grpc-web", "http", "http2", "http_proxy", "https", "hbone", "double-hbone"}
    | {"mongo", "mysql", "redis", "tcp", "tls", "udp"}
)
_APP = _KNOWN | {"kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss", "h2c"}
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")


@check(
    "traffic.protocol-errors",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["host", "family"],
    subject="caller",
    observed="failed_calls",
    unit="requests",
    title="Caller and service speak different protocols",
    detail="{caller} to {host}: {failed_calls} of {total:call|s} since {at}: {meaning} ({ways}{port})",
    remediation="Name the Service's port after its protocol, or set appProtocol; compare the sides' TLS settings.",
    source="guide, phase 2, step 3; Envoy flags UPE, DPE, http1.codec_error; BoringSSL WRONG_VERSION_NUMBER, "
    "HTTP_REQUEST",
)
def protocol_errors(calls: pd.DataFrame, window: Window, service_ports: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Also of calls that an HTTP filter answered 400 for: they failed, though not by the service."""
    seen = inside(calls, window)
    found = edges(seen, seen["family"].isin(_FAMILIES))
    names = _port_names(service_ports)
    ports = [f"; ports {named}" if (named := names.get(_service(host))) else "" for host in texts(found["host"])]
    return found.assign(
        meaning=[_FAMILIES.get(family, family) for family in texts(found["family"])],
        port=pd.Series(ports, index=found.index, dtype="str"),
    )


def _service(host: str) -> tuple[str, ...]:
    return tuple(host.split(".")[1::-1])


def _port_names(service_ports: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """By namespace and service: its ports as written, with the protocol that they say."""
    made: dict[tuple[str, ...], list[str]] = {}
    if len(service_ports):
        rows = keys(service_ports, "namespace", "service", "port", "port_name", "app_protocol")
        for namespace, service, port, name, app in rows:
            made.setdefault((namespace, service), []).append(f"{port} {name or 'unnamed'}{f' [{app}]' if app else ''}")
    return {key: ", ".join(several[:3]) for key, several in made.items()}


@check(
    "traffic.bad-requests",
    phase="traffic",
    plane="service",
    severity="info",
    by=["family"],
    observed="requests",
    unit="requests",
    title="A proxy was sent what is not the protocol of its port",
    detail="{subject} refused {requests:request|s} in the window: {meaning}; {count:proxy|s} did",
    remediation="Find the client by its address: a scanner, a probe, or a caller outside of the mesh.",
    source="guide, phase 2, step 3; Envoy flag DPE and details of the codec, as the server's proxy logged them",
)
def bad_requests(access_log: pd.DataFrame, window: Window) -> pd.DataFrame:
    """What servers and gateways themselves logged; callers without sidecar are seen nowhere else."""
    seen = inside(access_log, window)
    served = seen[seen["direction"] != "outbound"]
    said = zip(served["flags"], texts(served["details"]), texts(served["failure_reason"]), strict=True)
    named = [family_of(flags if isinstance(flags, tuple) else (), details, reason) for flags, details, reason in said]
    bad = served.assign(family=pd.Series(named, index=served.index, dtype="str"))
    bad = where(bad, (family in _FAMILIES for family in named))
    rows = []
    for key, group in bad.groupby(["namespace", "pod", "family"], observed=True):
        namespace, pod, family = map(str, key)
        said_of = {
            "requests": len(group),
            "meaning": _FAMILIES[family],
            "evidence": tuple(keys(group, "item", "pointer")),
        }
        rows.append({"namespace": namespace, "pod": pod, "family": family, **said_of})
    return pd.DataFrame(rows, columns=["namespace", "pod", "family", "requests", "meaning", "evidence"])


@check(
    "traffic.protocol-errors-counted",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["cluster", "name"],
    observed="rise",
    title="Connections end with protocol errors, as counters tell",
    detail="{name} of {cluster} rose by {rise} on {namespace}/{pod} between {since} and {until}; "
    "{count:proxy counts|proxies count} it",
    remediation="Compare the port's name with what the service speaks: an http2 port needs HTTP/2 behind it.",
    source="guide, phase 2, step 3; Envoy counter upstream_cx_protocol_error, two samples or a start in the window",
)
def protocol_errors_counted(
    rises_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    own = unlogged(rises_over_time, access_log, window)
    risen = own[(own["name"] == "upstream_cx_protocol_error") & (own["rise"].fillna(0) > 0)]
    return risen.assign(until=risen["at"])


@check(
    "traffic.port-unnamed",
    phase="traffic",
    plane="service",
    severity="info",
    by=["reason"],
    subject="object",
    observed="reason",
    title="Ports of services do not say their protocol",
    detail="{count:service has|services have} ports that do not say their protocol, such as {port} of {object}: the "
    "proxy guesses",
    remediation="Name the port <protocol>[-suffix] or set appProtocol; guessing waits for the first bytes.",
    source="guide, phase 2, step 3; istioctl analyze IST0118, KIA0601",
)
def port_unnamed(service_ports: pd.DataFrame) -> pd.DataFrame:
    """Ports of UDP have no protocol to guess, and system namespaces are not of the mesh."""
    own = service_ports[~service_ports["namespace"].isin(_SYSTEM)]
    own = own[(own["protocol"] != "UDP") & (own["type"] != "ExternalName")]
    unsaid = where(own, (not _says(name, app) for name, app in keys(own, "port_name", "app_protocol")))
    return unsaid.assign(reason="unnamed")


def _says(name: str, app_protocol: str) -> bool:
    """Whether a port's appProtocol, else its name, says a protocol that the mesh knows."""
    if app_protocol:
        return app_protocol.lower() in _APP
    lower = name.lower()
    return lower in _KNOWN or any(lower.startswith(f"{each}-") for each in _KNOWN)


@check(
    "traffic.external-name-port",
    phase="traffic",
    plane="service",
    severity="info",
    by=["object"],
    subject="object",
    observed="port",
    title="A service of an external name has a port without a usable protocol",
    detail="port {port} of {object} is not named after a protocol, or after tcp: the proxy may drop its traffic",
    remediation="Name the port after what is spoken there, such as https or tls.",
    source="istioctl analyze IST0150",
)
def external_name_port(service_ports: pd.DataFrame) -> pd.DataFrame:
    own = service_ports[service_ports["type"] == "ExternalName"]
    named = keys(own, "port_name", "app_protocol")
    return where(own, (name.lower() == "tcp" or not _says(name, app) for name, app in named))
