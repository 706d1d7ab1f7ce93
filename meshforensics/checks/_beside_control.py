"""What else tells of errors between proxies and the control plane: rejections, streams, certificates, webhooks."""

import re

import pandas as pd

from meshforensics.checks._beside_counters import own_counters
from meshforensics.checks._beside_tls import several_roots
from meshforensics.checks._containers import of_control_plane
from meshforensics.checks._lines import Lines, Tells
from meshforensics.checks.control_plane_webhooks import webhook_ca_mismatch, webhook_ignored, webhook_without_endpoints
from meshforensics.checks.traffic_gateway import gateway_credential_missing
from meshforensics.model import format_time
from meshforensics.model.words import count_of, in_words
from meshforensics.tables import keys, text, texts, true, where

_CONNECTED = "control_plane.connected_state"
_WEBHOOK = re.compile(r'failed calling webhook "?([\w.-]+)')
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_GRPC_LIMIT = 4e6
"""The bucket bound of Istio's histogram that stands for gRPC's own limit of 4 MiB."""

_ISTIOD = r'"app": ?"istiod"'
_CACERTS = 4
"""ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem."""


def _refused(lines: Lines) -> str:
    """Of the proxies that logged it; where istiod did, of all."""
    of_istiod = (lines.rows["log"] == "istiod").any() or not lines.pods
    found = lines.table("rejections") if of_istiod else lines.own("rejections")
    if found.empty:
        return ""
    names = ", ".join(sorted(set(texts(found["resource_name"])) - {""})[:3]) or "resources without name"
    standing = int(true(found["current"], missing=False).sum())
    if standing:
        return f"confirmed: {count_of(standing, 'rejection stands', 'rejections stand')}, among {len(found)} of {names}"
    if found["current"].isna().any():
        told = count_of(len(found), f"rejection of {names} is", f"rejections of {names} are")
        return f"{told} told, and not whether {'it stands' if len(found) == 1 else 'they stand'}"
    return f"over as of the capture: what was sent after {count_of(len(found), 'rejection')} of {names} was accepted"


def _delivered(lines: Lines) -> str:
    """Whether an istiod has sent the proxies their clusters and listeners."""
    sync = lines.own("xds_sync")
    own = sync[sync["type"].isin(["cds", "lds"])] if len(sync) else sync
    if own.empty:
        return ""
    unsent = own[own["status"] == "NOT SENT"]
    if len(unsent):
        first = unsent.iloc[0]
        return f"confirmed: istiod has sent {first['namespace']}/{first['pod']} no {first['type']}"
    return "over as of the capture: istiod has sent its clusters and listeners"


def _panicked(lines: Lines) -> str:
    config = lines.table("config")
    filters = config[config["kind"] == "EnvoyFilter"] if len(config) else config
    if filters.empty:
        return ""
    named_so = sorted(set(texts(filters["object"])))
    return f"it is one of {count_of(len(named_so), 'EnvoyFilter')}: {', '.join(named_so[:3])}"


def _signed(lines: Lines) -> str:
    """Whether who asked for a certificate has one by now."""
    identities, certificates = lines.own("ztunnel_identities"), lines.own("certificates")
    lacking = identities[identities["state"] == "Unavailable"] if len(identities) else identities
    if len(lacking):
        return f"confirmed: {lacking['identity'].iloc[0]} has no certificate as of the capture"
    leaves = (
        certificates[(certificates["role"] == "leaf") & certificates["not_after"].notna()]
        if len(certificates)
        else certificates
    )
    if leaves.empty:
        return ""
    end = pd.Timestamp(lines.window.end)
    newest = leaves.groupby([text(leaves["namespace"]), text(leaves["pod"])])["not_after"].max()
    ended = int((newest < end).sum())
    if ended:
        return f"confirmed: the leaf of {ended} of {count_of(len(newest), 'proxy', 'proxies')} that logged it has ended"
    fresh = (leaves["not_before"] > lines.last).any()
    return (
        "over as of the capture: a leaf was issued since"
        if fresh
        else "the leaf in use has not ended as of the capture"
    )


def _webhook(lines: Lines) -> str:
    webhooks, services, endpoints = (lines.table(name) for name in ("webhooks", "services", "service_endpoints"))
    if webhooks.empty:
        return ""
    asked = {name for said in texts(lines.rows["text"]) for name in _WEBHOOK.findall(said)}
    own = where(webhooks, (name in asked for name in texts(webhooks["name"])))
    if own.empty:
        return f"{min(asked)} is not among the webhooks captured" if asked else ""
    if len(services) and len(endpoints):
        for check in (webhook_without_endpoints, webhook_ignored):
            dead = check.rows(webhooks=own, services=services, service_endpoints=endpoints)
            if len(dead):
                return f"confirmed: {dead['of'].iloc[0]} has no ready endpoint"
    certificates = lines.table("certificates")
    wrong = webhook_ca_mismatch.rows(certificates=certificates, webhooks=own) if len(certificates) else certificates
    if len(wrong):
        return f"confirmed: the CA bundle of {wrong['name'].iloc[0]} is no root of the mesh"
    bare = own[~true(own["ca_bundle"], missing=True)]
    return f"confirmed: {bare['name'].iloc[0]} has no CA bundle" if len(bare) else ""


def _too_large(lines: Lines) -> str:
    """By the sizes that istiod pushed since its start."""
    counts = lines.table("istiod_counts")
    sizes = (
        counts[(text(counts["name"]) == "pilot_xds_config_size_bytes") & counts["le"].notna()]
        if len(counts)
        else counts
    )
    if sizes.empty:
        return ""
    series = [sizes[name].astype("object") for name in ("namespace", "pod", "labels")]
    large = 0
    for _, buckets in sizes.groupby(series, dropna=False):
        small = buckets[buckets["le"] <= _GRPC_LIMIT]["rose"].max()
        large += int(buckets["rose"].max()) - int(0 if pd.isna(small) else small)
    if large:
        return f"confirmed: {count_of(large, 'push', 'pushes')} of more than 4 MB since istiod's start"
    return "refuted: istiod has pushed nothing of more than 4 MB since its start"


def _connected(lines: Lines) -> str:
    """The gauge of each proxy that logged it, 1 while its stream is up; else whether an istiod has a stream of it."""
    gauges = own_counters(lines, (_CONNECTED,))
    if gauges.empty:
        return _streaming(lines)
    state = gauges.groupby([text(gauges["namespace"]), text(gauges["pod"])])["real"].max()
    down = int((state.fillna(0) == 0).sum())
    if down:
        every = count_of(len(state), "proxy", "proxies")
        return f"confirmed: {down} of {every} that logged it had no stream as of the capture"
    return in_words("over as of the capture: {n:~the proxy has its|all {n} proxies have their} stream", n=len(state))


def _streaming(lines: Lines) -> str:
    """Streams as istiods list them; that none lists a proxy tells something where every istiod was asked."""
    streams, pods = lines.table("xds_connections"), lines.table("pods")
    if streams.empty:
        return ""
    up = len(set(keys(lines.of_own_pods(streams), "namespace", "pod")))
    many = count_of(len(lines.pods), "proxy", "proxies")
    if up:
        return f"over as of the capture: istiod has a stream of {up} of {many} that logged it"
    labelled = pods[text(pods["labels"]).str.contains(_ISTIOD)] if len(pods) else pods
    istiods = (
        {f"{namespace}/{pod}" for namespace, pod in keys(labelled, "namespace", "pod")} if len(labelled) else set()
    )
    asked = bool(istiods) and bool(lines.pods) and istiods <= set(texts(streams["istiod"]))
    return f"confirmed: no istiod has a stream of the {many} that logged it" if asked else ""


def _began(lines: Lines) -> str:
    containers, pods = lines.table("containers"), lines.table("pods")
    if containers.empty or pods.empty:
        return ""
    own = of_control_plane(containers, pods)
    young = own[(own["started_at"] >= pd.Timestamp(lines.window.start)) & (own["started_at"] <= lines.last)]
    if young.empty:
        known = own["started_at"].max()
        return "" if pd.isna(known) else f"no istiod started in the window; the youngest did at {format_time(known)}"
    one = young.sort_values("started_at", kind="stable").iloc[-1]
    return f"confirmed: {one['namespace']}/{one['pod']} started at {format_time(one['started_at'])}"


def _shared(lines: Lines) -> str:
    streams = lines.table("xds_connections")
    if streams.empty:
        return ""
    istiods = streams["istiod"].nunique()
    return (
        f"{count_of(len(streams), 'stream is', 'streams are')} open to {count_of(istiods, 'istiod')} as of the capture"
    )


def _synced(lines: Lines) -> str:
    """Whether the proxies that the lines name have accepted what was sent since."""
    sync = lines.table("xds_sync")
    if sync.empty:
        return ""
    said = " ".join(texts(lines.rows["text"]))
    own = where(sync, (f"{pod}.{namespace}" in said for namespace, pod in keys(sync, "namespace", "pod")))
    if own.empty:
        return ""
    behind = own[own["status"].isin(["STALE", "NEVER ACKED", "NACKED"])]
    if len(behind):
        return f"confirmed: {behind['namespace'].iloc[0]}/{behind['pod'].iloc[0]} is {behind['status'].iloc[0]}"
    proxies = len(set(keys(own, "namespace", "pod")))
    return in_words(
        "over as of the capture: {n:~the proxy|all {n} proxies} that it names {n:~is|are} in sync", n=proxies
    )


def _credential(lines: Lines) -> str:
    servers, secrets, pods = (lines.table(name) for name in ("gateway_servers", "cluster_secrets", "pods"))
    if servers.empty or secrets.empty or pods.empty:
        return ""
    lacking = gateway_credential_missing.rows(gateway_servers=servers, cluster_secrets=secrets, pods=pods)
    if lacking.empty:
        return "as of the capture every Secret that a Gateway names is there: look at its keys and who may read it"
    first = lacking.iloc[0]
    return f"confirmed: {first['object']} names Secret {first['credential']}, which is not in {first['where']}"


def _asked(lines: Lines) -> str:
    """Whether the sync state of that istiod was captured all the same."""
    sync = lines.table("xds_sync")
    if sync.empty:
        return ""
    told = set(texts(sync["istiod"]))
    refusing = {f"{namespace}/{pod}" for namespace, pod in lines.pods}
    if refusing & told:
        return f"the state of {min(refusing & told)} was captured all the same: somebody else was refused"
    return f"confirmed: the state of {min(refusing)} was not captured, only that of others" if refusing else ""


def _unknown_address(lines: Lines) -> str:
    """Whether Kubernetes has a pod of an address that a ztunnel does not know."""
    pods = lines.table("pods")
    asked = {address for said in texts(lines.rows["text"]) for address in _ADDRESS.findall(said)}
    if pods.empty or not asked:
        return ""
    own = where(pods, (ip in asked for ip in texts(pods["ip"])))
    if own.empty:
        return f"no pod has address {min(asked)} as of the capture"
    first = own.iloc[0]
    return f"confirmed: {first['ip']} is {first['namespace']}/{first['pod']}, which Kubernetes knows"


def _waypoint(lines: Lines) -> str:
    config = lines.table("config")
    gateways = config[config["kind"] == "Gateway"] if len(config) else config
    if gateways.empty:
        return ""
    own = gateways[text(gateways["spec"]).str.contains('"gatewayClassName":"istio-waypoint', regex=False)]
    if own.empty:
        return f"confirmed: none of {count_of(len(gateways), 'Gateway')} is a waypoint"
    there = count_of(len(own), "waypoint is", "waypoints are")
    return f"{there} there as of the capture, {text(own['object']).iloc[0]} first"


def _versions(lines: Lines) -> str:
    proxies = lines.table("proxies")
    own = proxies[(proxies["role"] == "ztunnel") & (text(proxies["version"]) != "")] if len(proxies) else proxies
    found = sorted(set(texts(own["version"]))) if len(own) else []
    if not found:
        return ""
    return f"ztunnels are of {count_of(len(found), 'version')}: {', '.join(found[:3])}"


def _destination(lines: Lines) -> str:
    """Whether Linkerd's control plane is ready."""
    containers, pods = lines.table("containers"), lines.table("pods")
    if containers.empty or pods.empty:
        return ""
    own = of_control_plane(containers, pods)
    own = own[(own["container"] == "destination") & own["ready"].notna()]
    if own.empty:
        return ""
    down = int((~true(own["ready"], missing=True)).sum())
    if down:
        return f"confirmed: {down} of {count_of(len(own), 'container')} of linkerd-destination not ready"
    return in_words(
        "as of the capture {n:~the only container|all {n} containers} of linkerd-destination {n:~is|are} ready",
        n=len(own),
    )


def _plugged_in(lines: Lines) -> str:
    secrets = lines.table("cluster_secrets")
    own = secrets[(secrets["name"] == "cacerts") & (secrets["keys"] > 0)] if len(secrets) else secrets
    if own.empty:
        return ""
    first = own.iloc[0]
    if first["keys"] < _CACERTS:
        return f"confirmed: {first['object']} holds {count_of(int(first['keys']), 'key')}, of {_CACERTS}"
    return f"over as of the capture: {first['object']} holds {first['keys']} keys"


def _root_end(lines: Lines) -> str:
    trust = lines.table("trust")
    known = trust[trust["not_after"].notna()] if len(trust) else trust
    if known.empty:
        return ""
    first = known.sort_values("not_after", kind="stable").iloc[0]
    verb = "had ended" if first["not_after"] < pd.Timestamp(lines.window.end) else "ends"
    return f"root {first['serial']}, which proxies trust, {verb} at {format_time(first['not_after'])}"


_AGENT = ("istiod_connection_failures", "xds_connection_terminations_total")
_STREAM = f"gauge {_CONNECTED} of the proxies that logged it, else table xds_connections"

TELLS = {
    "config-rejected": Tells(
        topic="delivery", judge=_refused, by="table rejections: which stand as of the capture",
        counters=("update_rejected",), of_istiod=("pilot_total_xds_rejects",),
    ),
    "config-not-received": Tells(
        topic="delivery", judge=_delivered, by="table xds_sync: whether clusters and listeners were sent",
    ),
    "envoyfilter": Tells(topic="delivery", judge=_panicked, by="the EnvoyFilters that were captured"),
    "signing": Tells(
        topic="delivery", judge=_signed, by="leaves and ztunnel's identities of who logged it",
        of_istiod=("citadel_server_csr_sign_err_count", "citadel_server_authentication_failure_count",
                   "citadel_server_csr_parsing_err_count", "citadel_server_id_extraction_err_count"),
    ),
    "webhook": Tells(
        topic="delivery", judge=_webhook,
        by="endpoints of the webhook's service, its CA bundle against the mesh's root",
    ),
    "config-too-large": Tells(
        topic="delivery", judge=_too_large, by="istiod's histogram pilot_xds_config_size_bytes above 4 MB",
    ),
    "root-changed": Tells(topic="roots", judge=several_roots, by="table trust: how many roots, by key, proxies hold"),
    "root-refused": Tells(topic="roots", judge=several_roots, by="table trust: how many roots, by key, proxies hold"),
    "ca-incomplete": Tells(topic="roots", judge=_plugged_in, by="how many keys the Secret cacerts holds"),
    "ca-rotation-failed": Tells(topic="roots", judge=_root_end, by="when the root that proxies trust ends"),
    "xds-stream-lost": Tells(topic="streams", judge=_connected, by=_STREAM),
    "xds-stream-closed": Tells(topic="streams", judge=_connected, by=_STREAM),
    "xds-stream-overlap": Tells(topic="streams", judge=_connected, by=_STREAM),
    "istiod-unreachable": Tells(topic="streams", judge=_connected, by=_STREAM, counters=_AGENT),
    "istiod-starting": Tells(topic="streams", judge=_began, by="when istiods started"),
    "xds-rate-limited": Tells(topic="streams", judge=_shared, by="table xds_connections: streams of each istiod"),
    "push-failed": Tells(
        topic="streams", judge=_synced, by="table xds_sync of the proxies that the lines name",
        of_istiod=("pilot_xds_write_timeout", "pilot_xds_pushes{_senderr}"),
    ),
    "gateway-credential": Tells(
        topic="streams", judge=_credential, by="Secrets that Gateways name against those that there are",
        of_istiod=("pilot_sds_certificate_errors_total",),
    ),
    "jwks-fetch": Tells(
        topic="streams", counters=("jwt_authn.jwks_fetch_failed",),
        of_istiod=("pilot_jwks_resolver_network_fetch_fail_total",),
    ),
    "debug-refused": Tells(topic="streams", judge=_asked, by="whether that istiod's state was captured"),
    "registry-gap": Tells(topic="streams", judge=_unknown_address, by="the pod of the address, in Kubernetes"),
    "waypoint-missing": Tells(topic="streams", judge=_waypoint, by="Gateways of class istio-waypoint"),
    "hbone-peer": Tells(topic="streams", judge=_versions, by="versions of the ztunnels"),
    "discovery-rejected": Tells(topic="streams", judge=_destination, by="readiness of linkerd-destination"),
}  # fmt: skip
